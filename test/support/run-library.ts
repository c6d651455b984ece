/** A model's text on the reference, with the first values of its weights. */
import { expect } from "vitest";
import { check, modelsOf } from "../../compiler/check/check.ts";
import { elaborate } from "../../compiler/check/elaborate.ts";
import type { Phase, StateStore, WeightSource } from "../../compiler/check/frame.ts";
import { graphType } from "../../compiler/check/type.ts";
import { graphBuilder } from "../../compiler/ir/builder.ts";
import type { GraphInput, Value } from "../../compiler/ir/graph.ts";
import { tensor } from "../../compiler/ir/tensor.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";

export type Inputs = Readonly<Record<string, Tensor>>;

interface Run {
  readonly out: Tensor;
  readonly writes: Readonly<Record<string, Tensor>>;
}

/** Runs a model's text; weights and states are inputs by path, `first` values where none is given. */
export function run(
  text: string,
  inputs: Inputs,
  phase: Phase = "inference",
  sizes: Record<string, number> = {},
): Run {
  const source = { path: "m.dlm", text: `dlm 1\n\n${text}\n` };
  const { session, scope, diagnostics } = check({ path: "m.dlm", read: () => source });
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  const builder = graphBuilder();
  const firsts = new Map<string, Tensor>();
  const writes = new Map<string, Value>();
  const states = new Map<string, Value>();
  const dims = new Map(Object.entries(sizes));
  const control = new Map([
    ["seed", tensor("i32", [], [7])],
    ["iteration", tensor("i32", [], [3])],
  ]);
  const firstOf = (path: string, initial: (b: typeof builder) => Value | undefined): void => {
    const b = graphBuilder();
    const value = initial(b);
    if (!value) throw new Error(`no first value for ${path}`);
    const graph = b.finish({ name: "init", dims: [], outputs: [{ name: "out", value }], writes: [] });
    firsts.set(
      path,
      evaluate(graph, new Map(b.inputs.map((i) => named(i, control))), dims).outputs.get("out")!,
    );
  };
  const weightSource: WeightSource = {
    get({ path, type, initial }) {
      firstOf(path, initial);
      return builder.input(path, "weight", graphType(type));
    },
  };
  const stateStore: StateStore = {
    get({ path, type, initial }) {
      firstOf(path, initial);
      const value = builder.input(path, "state", graphType(type));
      states.set(path, value);
      return value;
    },
    set: ({ path }, value) => void writes.set(path, value),
  };
  const model = modelsOf(scope!).at(-1)!;
  const { result } = elaborate(session, scope!, model, {
    phase,
    builder,
    weights: weightSource,
    states: stateStore,
  });
  if (result.kind !== "tensor" || !result.value) throw new Error(`the model gives ${result.kind}`);
  const graph = builder.finish({
    name: "out",
    dims: Object.keys(sizes).map((name) => ({ name, max: undefined })),
    outputs: [{ name: "out", value: result.value }],
    writes: [...writes].map(([path, value]) => ({ input: states.get(path)!, value })),
  });
  const given = new Map([...firsts, ...control, ...Object.entries(inputs)]);
  const found = evaluate(graph, new Map(builder.inputs.map((i) => named(i, given))), dims);
  return { out: found.outputs.get("out")!, writes: Object.fromEntries(found.writes) };
}

function named(input: Value, given: ReadonlyMap<string, Tensor>): [string, Tensor] {
  const { name } = input.source as GraphInput;
  const value = given.get(name);
  if (!value) throw new Error(`no value for ${name}`);
  return [name, value];
}
