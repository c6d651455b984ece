/** The entries of a model by itself: infer, init and fit. */
import { columnTensors, rowRecord } from "../check/flow/batch.ts";
import { runModel } from "../check/flow/block.ts";
import type { Given } from "../check/builtins/builtin.ts";
import { evaluate } from "../check/evaluate.ts";
import type { DeployOutput } from "../check/flow/plans.ts";
import type { Frame, StateRequest, WeightRequest } from "../check/frame.ts";
import type { FileScope } from "../check/names.ts";
import type { Session } from "../check/session.ts";
import { freeType } from "../check/free-type.ts";
import { typeShape } from "../check/signature.ts";
import { graphType } from "../check/type.ts";
import { assumeWhere } from "../check/where.ts";
import type { CallableValue, CheckValue } from "../check/values.ts";
import { graphBuilder } from "../ir/builder.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { beginEntry, finishEntry, parametersName } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { gather } from "./region.ts";
import type { Region } from "./region.ts";
import { outputsOf } from "./train.ts";

/**
 * The frame of a model's signature, in which its dims are met. What `where` promises is known there before inputs are
 * made: it may change what their sizes are made of.
 */
function signatureFrame(frame: Frame, { declaration, scope }: CallableValue): Frame {
  const made = (): Frame => ({ ...frame, file: scope, locals: { values: new Map(), parent: undefined } });
  if (declaration.where.length > 0) {
    const first = made();
    for (const parameter of declaration.tensors) {
      const shape = typeShape(first, parameter.type);
      if (shape.kind === "tensor") freeType(first, shape);
    }
    assumeWhere(first, declaration.where);
  }
  return made();
}

/** The model's parameters as inputs of the graph: named as in its signature, or, for a row of data, as its columns. */
function modelInputs(frame: Frame, model: CallableValue): ReadonlyMap<string, Given> | undefined {
  const { builder } = frame.elaboration;
  const { declaration } = model;
  // dims of the signature are met in the order of its parameters
  const signature = signatureFrame(frame, model);
  const given = new Map<string, Given>();
  for (const parameter of declaration.tensors) {
    const shape = typeShape(signature, parameter.type);
    const { text: name, span } = parameter.name;
    let value: CheckValue | undefined;
    if (shape.kind === "data")
      value = rowRecord(shape.data, columnTensors(shape.data, builder), builder, span);
    else if (shape.kind === "tensor") {
      const type = freeType(signature, shape);
      if (type) value = { kind: "tensor", type, value: builder?.input(name, "input", graphType(type)), span };
    }
    if (value === undefined) return undefined;
    given.set(name, { value, span, expression: undefined, alias: undefined });
  }
  return given;
}

export function runAlone(frame: Frame, model: CallableValue): CheckValue | undefined {
  const given = modelInputs(frame, model);
  for (const [name, { value }] of given ?? []) frame.locals.values.set(name, value);
  return given && runModel(frame, model, given, { name: model.declaration.name });
}

export interface ModelParts {
  readonly session: Session;
  readonly scope: FileScope;
  readonly model: CallableValue;
  readonly region: Region;
  readonly bounds: ReadonlyMap<string, number>;
  /** what a deploy block puts in the place of the model's outputs; empty: nothing */
  readonly outputs: readonly DeployOutput[];
}

/** The outputs of a model on its own inputs. */
export function runModelAlone(entry: Entry, { model }: ModelParts): CheckValue {
  const out = runAlone(entry.frame, model);
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

/** Inference phase: the model's inputs and outputs. Tensors of the signature stay inputs also where nothing reads them. */
export function inferGraph(parts: ModelParts): Graph {
  const entry = beginEntry(parts.session, parts.scope, "inference", parts.region);
  const own = runModelAlone(entry, parts);
  const outputs =
    parts.outputs.length > 0
      ? deployedOutputs(entry, own, parts)
      : outputsOf(own).map(({ name, value }) => ({ name: name.replace(/^out\./, ""), value }));
  const named = new Set(parts.model.declaration.tensors.map((parameter) => parameter.name.text));
  return finishEntry(entry, {
    name: "infer",
    outputs,
    writes: [],
    keep: (input) => input.role === "input" && named.has(input.name),
    bounds: parts.bounds,
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
