/** A model on inputs of its own, some of which a deploy block may compute from what the app gives. */
import type { Expression } from "../../../grammar/ast.ts";
import type { Given } from "../builtins/builtin.ts";
import { evaluate } from "../evaluate.ts";
import { freeType } from "../free-type.ts";
import type { Frame } from "../frame.ts";
import { dimNumber } from "../numbers.ts";
import { typeShape } from "../signature.ts";
import { graphType } from "../type.ts";
import { assumeWhere } from "../where.ts";
import type { CallableValue, CheckValue } from "../values.ts";
import { batchAxis, batchDim, columnTensors, rowRecord } from "./batch.ts";
import { runModel } from "./block.ts";
import type { DeployInput } from "./plans.ts";

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

/**
 * The model's parameters as inputs of the graph: named as in its signature, or, for a row of data, as its columns. They and
 * the dims of the signature are then names of `frame`.
 */
function modelInputs(frame: Frame, model: CallableValue): ReadonlyMap<string, Given> | undefined {
  const { builder } = frame.elaboration;
  const { declaration } = model;
  // dims of the signature are met in the order of its parameters
  const signature = signatureFrame(frame, model);
  const dims = signature.locals.values;
  const given = new Map<string, Given>();
  for (const parameter of declaration.tensors) {
    const shape = typeShape(signature, parameter.type);
    const { text: name, span } = parameter.name;
    let value: CheckValue | undefined;
    if (shape.kind === "data") {
      const { size } = batchAxis(span);
      dims.set(batchDim, dimNumber(size.dim, size.origin));
      value = rowRecord(shape.data, columnTensors(shape.data, builder), builder, span);
    } else if (shape.kind === "tensor") {
      const type = freeType(signature, shape);
      if (type) value = { kind: "tensor", type, value: builder?.input(name, "input", graphType(type)), span };
    }
    if (value === undefined) return undefined;
    given.set(name, { value, span, expression: undefined, alias: undefined });
  }
  for (const [name, value] of dims) frame.locals.values.set(name, value);
  for (const [name, { value }] of given) frame.locals.values.set(name, value);
  return given;
}

/**
 * The model's result; undefined where its signature or an input has no type. Each expression of `inputs` speaks of what the
 * app gives; afterwards the names of `frame` stand for what the model is given.
 */
export function runAlone(
  frame: Frame,
  model: CallableValue,
  inputs: readonly DeployInput[] = [],
  compute: (expression: Expression) => CheckValue = (expression) => evaluate(frame, expression),
): CheckValue | undefined {
  const own = modelInputs(frame, model);
  if (!own) return undefined;
  const given = new Map(own);
  for (const { name, expression } of inputs)
    given.set(name, { value: compute(expression), span: expression.span, expression, alias: undefined });
  if ([...given.values()].some(({ value }) => value.kind === "unknown")) return undefined;
  for (const { name } of inputs) frame.locals.values.set(name, given.get(name)!.value);
  return runModel(frame, model, given, { name: model.declaration.name });
}
