/** A `train` block as its graph, around a model whose gradient is what it is fed: the loss is x @ [kernel, table] of one row. */
import { blockFrame, modelOf } from "../../compiler/check/flow/block.ts";
import { modelGraphs, type EntryName } from "../../compiler/entries/model-graphs.ts";
import type { GraphInput } from "../../compiler/ir/graph.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";
import { renderAll } from "../../grammar/render.ts";
import { checkText } from "./check-text.ts";
import { numbers } from "./item-inputs.ts";
import type { TrainingItem } from "./training-items.ts";

/** elements of the two weights, as they lie one behind the other */
export const weightSizes = [4, 3] as const;
export const weightCount = 7;
export const oneRow: ReadonlyMap<string, number> = new Map([["B", 1]]);

/** The entries of the first model in a text, with its train block where it has one. */
export function entriesOfText(text: string, entries: readonly EntryName[]): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  if (diagnostics.some(({ severity }) => severity === "error")) throw new Error(renderAll(diagnostics));
  const name = /^model (\w+)/m.exec(text)![1]!;
  const { span } = scope.file;
  const settings = { span, settings: [] };
  const named = {
    kind: "train",
    name: { text: name, span },
    on: undefined,
    settings,
    span,
    doc: "",
  } as const;
  const model = modelOf(blockFrame(session, scope, "inference", undefined), named)!;
  const train = flow.trains.find(({ plan }) => plan.model === name);
  return modelGraphs({ session, scope, model, train, data: flow.plans.data, entries });
}

/** The train entry under these settings, or others. */
export function trainingGraphs(
  settings: readonly string[],
  entries: readonly EntryName[] = ["train"],
): ModelGraphs {
  const text = `dlm 1

data Rows from arrays("rows.npz") {
  input  x : f32[D=${weightCount}]
  target y : number
}

model Line(x: [B, D=${weightCount}]) -> [B] {
  weight kernel : [D=${weightSizes[0]}] = 0
  weight table  : [D=${weightSizes[1]}] = 0
  dot(x, concat(kernel, table) over D) over D
}

train Line on Rows {
  loss mean(out) over [..]
${settings.map((line) => `  ${line}`).join("\n")}
}
`;
  return entriesOfText(text, entries);
}

/** f32 numbers; the first weight is 0. */
export function startOf({ name }: TrainingItem): number[] {
  return numbers(`${name}.w`, weightCount).map((v, i) => (i === 0 ? 0 : v));
}

/** The gradient that an item is fed in a step, counted from 1. */
export function gradientOf({ name }: TrainingItem, step: number): number[] {
  return numbers(`${name}.g${step}`, weightCount);
}

/** Parameters and states of the optimizer before the first step. */
export function startingTensors(graphs: ModelGraphs, start: readonly number[]): Map<string, Tensor> {
  return new Map([
    ["parameters", tensor("f32", [weightCount], start)],
    ...graphs.optimizer.map((state) => [state.path, state.initial] as const),
  ]);
}

/** All inputs of a step: what is kept, and the gradient as the one row. */
export function stepInputs(
  graphs: ModelGraphs,
  kept: ReadonlyMap<string, Tensor>,
  gradient: readonly number[],
  step: number,
): Map<string, Tensor> {
  const graph = graphs.entries[0]!.graph;
  const control: Readonly<Record<string, number>> = { step, steps_per_epoch: 10, rate_factor: 1 };
  return new Map(
    graph.inputs.map((value) => {
      const { name, role, type } = value.source as GraphInput;
      if (role === "control") return [name, tensor(type.dtype, [], [control[name]!])];
      if (name === "x") return [name, tensor("f32", [1, weightCount], gradient)];
      if (name === "y") return [name, tensor("f32", [1], [0])];
      return [name, kept.get(name)!];
    }),
  );
}
