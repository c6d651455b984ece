/** The entries of a model by itself: infer, init and fit. */
import { evaluate } from "../check/evaluate.ts";
import type { DeployInput, DeployOutput } from "../check/flow/plans.ts";
import { runAlone } from "../check/flow/run-alone.ts";
import type { Frame, StateRequest, WeightRequest } from "../check/frame.ts";
import type { FileScope } from "../check/names.ts";
import type { Session } from "../check/session.ts";
import { graphType } from "../check/type.ts";
import type { CallableValue, CheckValue } from "../check/values.ts";
import { graphBuilder } from "../ir/builder.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { rewrite } from "../ir/rewrite.ts";
import { tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { randomBits } from "../ops/random-bits.ts";
import { drawsRows, firstRow } from "../ops/row-axis.ts";
import { beginEntry, finishEntry, parametersName } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { ModelDims } from "./free-dims.ts";
import { gather } from "./region.ts";
import type { Region } from "./region.ts";
import { outputsOf } from "./train.ts";

export interface ModelParts {
  readonly session: Session;
  readonly scope: FileScope;
  readonly model: CallableValue;
  readonly region: Region;
  readonly sizes: ModelDims;
  /** what a deploy block computes in the place of inputs */
  readonly inputs: readonly DeployInput[];
  /** what a deploy block puts in the place of the model's outputs; empty: nothing */
  readonly outputs: readonly DeployOutput[];
}

/** The outputs of a model on its own inputs, or on those that are computed. */
export function runModelAlone(
  entry: Entry,
  { model, inputs }: Pick<ModelParts, "model" | "inputs">,
): CheckValue {
  const out = runAlone(entry.frame, model, inputs);
  if (!out || out.kind === "unknown")
    throw new InternalError("entries", `the model ${model.declaration.name.text} has no graph`, undefined);
  return out;
}

/** They speak of `out` and of the model's inputs. */
function deployedOutputs({ frame }: Entry, out: CheckValue, { outputs }: ModelParts): Graph["outputs"] {
  const { values } = frame.locals;
  values.set("out", out);
  return outputs.map(({ name, expression }) => {
    const value = evaluate(frame, expression);
    if (value.kind !== "tensor" || !value.value)
      throw new InternalError("entries", `the output ${name} has no graph`, undefined);
    return { name, value: value.value };
  });
}

/**
 * Inference phase: the model's inputs and outputs, or those of its deploy block. Tensors of the signature that are not
 * computed stay inputs also where nothing reads them.
 */
export function inferGraph(parts: ModelParts): Graph {
  const entry = beginEntry(parts.session, parts.scope, "inference", parts.region, { once: true });
  const own = runModelAlone(entry, parts);
  const outputs =
    parts.outputs.length > 0
      ? deployedOutputs(entry, own, parts)
      : outputsOf(own).map(({ name, value }) => ({ name: name.replace(/^out\./, ""), value }));
  const named = new Set(parts.model.declaration.tensors.map((parameter) => parameter.name.text));
  for (const { name } of parts.inputs) named.delete(name);
  const graph = finishEntry(entry, {
    name: "infer",
    outputs,
    writes: [],
    keep: (input) => input.role === "input" && named.has(input.name),
    sizes: parts.sizes,
  });
  return countRows(graph);
}

/** Draws for all rows count those of earlier chunks, so that rows do not depend on how many are run at once. */
function countRows(graph: Graph): Graph {
  const [rows] = graph.dims;
  let first: Value | undefined;
  return rewrite(graph, ({ op, operands, attributes }, [seed, iteration], builder) => {
    if (!rows || op !== randomBits || !drawsRows(attributes, rows.name)) return undefined;
    first ??= builder.input(firstRow, "control", operands[2]!.type);
    return builder.node(op, [seed!, iteration!, first], attributes);
  });
}

/** Fitting phase on all train rows; undefined where nothing is fitted. */
export function fitGraph(
  { session, scope, region }: Pick<ModelParts, "session" | "scope" | "region">,
  states: ReadonlyMap<string, StateRequest>,
  elaborate: (frame: Frame) => void,
): Graph | undefined {
  const fitted = [...states.values()].filter((state) => state.fitted);
  if (fitted.length === 0) return undefined;
  const entry = beginEntry(session, scope, "fitting", region);
  elaborate(entry.frame);
  const writes = [...entry.updates].map(([path, value]) => ({ input: entry.states.get(path)!, value }));
  return finishEntry(entry, { name: "fit", outputs: [], writes });
}

/** Weights and states at the start, from the seed. */
export function initGraph(
  region: Region,
  weights: ReadonlyMap<string, WeightRequest>,
  states: ReadonlyMap<string, StateRequest>,
): Graph {
  const builder = graphBuilder();
  const writes: { input: Value; value: Value }[] = [];
  const initial = (request: WeightRequest | StateRequest): Value => {
    const value = request.initial(builder);
    if (!value) throw new InternalError("entries", `${request.path} has no initial value`, undefined);
    return value;
  };
  if (region.size > 0) {
    const input = builder.input(parametersName, "weight", {
      dtype: "f32",
      shape: [dim.constant(region.size)],
    });
    const values = region.weights.map(({ path }) => initial(weights.get(path)!));
    writes.push({ input, value: gather(builder, region, values) });
  }
  for (const [path, request] of states)
    writes.push({
      input: builder.input(path, "state", graphType(request.type)),
      value: initial(request),
    });
  return builder.finish({ name: "init", dims: [], outputs: [], writes });
}

/** The number a state starts from, computed now: it depends on nothing. */
export function initialTensor(request: StateRequest): Tensor {
  const builder: GraphBuilder = graphBuilder();
  const value = request.initial(builder);
  if (!value) throw new InternalError("entries", `${request.path} has no initial value`, undefined);
  const known = new Map<Value, Tensor>();
  const sizes: ReadonlyMap<string, number> = new Map();
  for (const node of builder.nodes) {
    const operands = node.operands.map((operand) => {
      const found = known.get(operand);
      if (!found)
        throw new InternalError("entries", `the start of ${request.path} depends on an input`, undefined);
      return found;
    });
    const results = node.results.map(({ type }) => ({
      dtype: type.dtype,
      shape: type.shape.map((size) => dim.evaluate(size, sizes)),
    }));
    node.op
      .evaluate(operands, node.attributes, { sizes, results })
      .forEach((t, i) => known.set(node.results[i]!, t));
  }
  return isNode(value.source) ? known.get(value)! : tensor("f32", []);
}
