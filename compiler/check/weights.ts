/** `weight` and `state` statements, and `m <- e`. */
import type { Statement } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import * as build from "../ops/build.ts";
import { asTensor } from "./arithmetic.ts";
import { rebind } from "./body.ts";
import { doesNotFit } from "./diagnostics/dlm0213-does-not-fit.ts";
import { freeSize } from "./diagnostics/dlm0212-free-size.ts";
import { sharedSizes } from "./diagnostics/dlm0214-shared-sizes.ts";
import { notBuilt } from "./flow/diagnostics/dlm0120-not-built.ts";
import { stateFixed } from "./diagnostics/dlm0502-state-fixed.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import { caseMatters } from "./diagnostics/dlm0107-case.ts";
import { expandTo } from "./emit.ts";
import { sameSizes } from "./control.ts";
import { evaluate } from "./evaluate.ts";
import { rootCall } from "./frame.ts";
import type { Frame, StateRequest, WeightKind, WeightRequest } from "./frame.ts";
import { requestKey } from "./instance.ts";
import { nearest } from "./names.ts";
import { nearestSpans, originLabels } from "./origin.ts";
import { claim } from "./paths.ts";
import { applyValue } from "./pipeline.ts";
import { largestSize } from "./sizes.ts";
import { evaluateShape, typeShape } from "./signature.ts";
import { checkType, graphType, shapeOf, showType } from "./type.ts";
import type { CheckType } from "./type.ts";
import { isStage, kindInWords, unknown } from "./values.ts";
import type { CheckValue, TensorValue } from "./values.ts";

type WeightStatement = Extract<Statement, { kind: "weight" }>;
type StateStatement = Extract<Statement, { kind: "state" }>;

function kindOfWeight(name: string): WeightKind {
  return name === "kernel" || name === "table" ? name : "other";
}

/** The type of a weight: every size known, but for what the data pins later. */
function storedType(
  frame: Frame,
  statement: WeightStatement | StateStatement,
  what: string,
): CheckType | undefined {
  if (!statement.type) return checkType("f32", []);
  const shape = typeShape(frame, statement.type);
  if (shape.kind !== "tensor") return undefined;
  const axes = evaluateShape(frame, shape.axes);
  if (!axes) return undefined;
  const { solver, session, alone } = frame.elaboration;
  const free = axes.find((axis) =>
    [...dim.symbolsOf(solver.normalise(axis.size.dim))].some((name) => !name.includes(".")),
  );
  if (free && !alone) {
    session.report(frame, freeSize, {
      span: rootCall(frame) ?? statement.type.span,
      what: `${what} \`${statement.name.text}\` is ${showType(checkType(shape.element, axes), solver.show)}`,
      size: solver.show(free.size.dim),
      names: [...dim.symbolsOf(free.size.dim)].map((name) => name.split("/")[0]!),
      origins: originLabels(solver.show(free.size.dim), free.size.origin, []),
    });
    return undefined;
  }
  const empty = axes.find((axis) => (dim.constantOf(solver.normalise(axis.size.dim)) ?? 1) < 1);
  if (empty) {
    session.report(frame, unfit, {
      span: nearestSpans(empty.size.origin, 1)[0] ?? statement.type.span,
      expected: `a size of at least 1 for the ${what} \`${statement.name.text}\``,
      found: solver.show(empty.size.dim),
      helps: [],
    });
    return undefined;
  }
  const elements = axes.reduce((n, axis) => n * (dim.constantOf(solver.normalise(axis.size.dim)) ?? 1), 1);
  if (elements > largestSize) {
    session.report(frame, unfit, {
      span: nearestSpans(axes.at(-1)!.size.origin, 1)[0] ?? statement.type.span,
      expected: `fewer than 2^31 numbers in the ${what} \`${statement.name.text}\``,
      found: showType(checkType(shape.element, axes), solver.show),
      helps: [],
    });
    return undefined;
  }
  return checkType(shape.element, axes);
}

export function declareWeight(frame: Frame, statement: WeightStatement): void {
  const { elaboration } = frame;
  const name = statement.name.text;
  const put = (value: CheckValue): void => void frame.locals.values.set(name, value);
  put(unknown);
  const { declaration } = frame;
  if (declaration && (declaration.kind === "fn" || declaration.kind === "op")) {
    elaboration.session.report(frame, caseMatters, {
      kind: "weights",
      declaration,
      statement: statement.span,
    });
    return;
  }
  const type = storedType(frame, statement, "weight");
  if (!type || !claim(frame, frame.path, statement.name, statement)) return;
  const path = `${frame.path.prefix}${name}`;
  const key = requestKey(frame.model, path);
  const old = elaboration.requested.get(key);
  if (old) {
    if (!sameSizes(frame, old.request.type, type))
      reportShared(frame, statement.span, path, old.request.type, type);
    else put(weightTensor(type, old.value, statement.span, frame));
    return;
  }
  const request: WeightRequest = {
    model: frame.model,
    path,
    type,
    kind: kindOfWeight(name),
    span: statement.span,
    initial: (builder) => initialValue(frame, builder, statement, type),
  };
  // mistakes in an initialiser are found whether or not it is built
  if (elaboration.checking) initialValue(frame, undefined, statement, type);
  const value = elaboration.builder ? elaboration.weights.get(request) : undefined;
  elaboration.requested.set(key, { request, state: false, value, frame });
  put(weightTensor(type, value, statement.span, frame));
}

function weightTensor(type: CheckType, value: Value | undefined, span: Span, frame: Frame): TensorValue {
  return { kind: "tensor", type, value, span, learned: rootCall(frame) ?? span };
}

function reportShared(frame: Frame, span: Span, path: string, first: CheckType, second: CheckType): void {
  const { session, solver } = frame.elaboration;
  session.report(frame, sharedSizes, {
    span: rootCall(frame) ?? span,
    path,
    first: showType(first, solver.show),
    second: showType(second, solver.show),
  });
}

/** The first value of a weight, in the graph of `builder`; only its mistakes where there is no builder. */
function initialValue(
  frame: Frame,
  builder: GraphBuilder | undefined,
  statement: WeightStatement,
  type: CheckType,
): Value | undefined {
  const inner: Frame = {
    ...frame,
    elaboration: {
      ...frame.elaboration,
      builder,
      draws: new Map(),
      steps: [],
      once: true,
    },
    muted: frame.muted || builder !== undefined,
    path: { ...frame.path, prefix: `${frame.path.prefix}${statement.name.text}.` },
  };
  const value = evaluate(inner, statement.value);
  if (value.kind === "unknown") return undefined;
  if (statement.random && isStage(value)) {
    const like: TensorValue = { kind: "tensor", type, value: undefined, span: statement.type.span };
    const given = { value: like, span: statement.type.span, expression: undefined, alias: undefined };
    const result = applyValue(inner, given, value, undefined, statement.value.span);
    if (result.kind === "tensor" && sameSizes(inner, result.type, type)) return result.value;
    if (result.kind === "number") return constantOf(inner, result, type, statement.value.span) ?? undefined;
    if (result.kind !== "unknown") refuseInitial(inner, statement, type, result);
    return undefined;
  }
  if (!statement.random || value.kind === "number") {
    const result = constantOf(inner, value, type, statement.value.span);
    if (result === null) {
      refuseInitial(inner, statement, type, value);
      return undefined;
    }
    return result;
  }
  refuseInitial(inner, statement, type, value);
  return undefined;
}

/** A number everywhere, or a tensor of the same shape; null where it is neither. */
function constantOf(frame: Frame, value: CheckValue, type: CheckType, span: Span): Value | undefined | null {
  if (value.kind === "number" && value.value !== undefined) {
    const { builder } = frame.elaboration;
    return builder && build.full(builder, value.value, shapeOf(type), graphType(type).dtype);
  }
  const tensor = asTensor(frame, value, span);
  if (!tensor) return null;
  if (tensor.type.axes.length === 0) return expandTo(frame, tensor, type.axes, [], span);
  return sameSizes(frame, tensor.type, type) ? tensor.value : null;
}

function refuseInitial(
  frame: Frame,
  statement: WeightStatement | StateStatement,
  type: CheckType,
  value: CheckValue,
): void {
  const { session, solver } = frame.elaboration;
  session.report(frame, unfit, {
    span: statement.value.span,
    expected: `a first value for ${showType(type, solver.show)}`,
    found: value.kind === "tensor" ? showType(value.type, solver.show) : kindInWords(value),
    helps: ["~ glorot", "= 0"],
  });
}

// ---------------------------------------------------------------- states

export function declareState(frame: Frame, statement: StateStatement): void {
  const { elaboration } = frame;
  const name = statement.name.text;
  frame.locals.values.set(name, unknown);
  const type = storedType(frame, statement, "state");
  if (!type || !claim(frame, frame.path, statement.name, statement)) return;
  const path = `${frame.path.prefix}${name}`;
  const key = requestKey(frame.model, path);
  const old = elaboration.requested.get(key);
  if (old) {
    if (!sameSizes(frame, old.request.type, type))
      reportShared(frame, statement.span, path, old.request.type, type);
    else {
      frame.states.set(name, old.request as StateRequest);
      frame.locals.values.set(name, stateTensor(old.request.type, old.value, statement.span));
    }
    return;
  }
  const request: StateRequest = {
    model: frame.model,
    path,
    type,
    span: statement.span,
    fitted: frame.declaration !== undefined && isFitted(textOf(frame.declaration.body.span), name),
    initial: (builder) => {
      const inner: Frame = {
        ...frame,
        elaboration: { ...elaboration, builder, draws: new Map(), steps: [], once: true },
        muted: true,
      };
      return constantOf(inner, evaluate(inner, statement.value), type, statement.value.span) ?? undefined;
    },
  };
  const first = evaluate(frame, statement.value);
  if (
    first.kind !== "unknown" &&
    constantOf(
      { ...frame, elaboration: { ...elaboration, builder: undefined } },
      first,
      type,
      statement.value.span,
    ) === null
  )
    refuseInitial(frame, statement, type, first);
  const value = elaboration.builder ? elaboration.states.get(request) : undefined;
  elaboration.requested.set(key, { request, state: true, value, frame });
  frame.states.set(name, request);
  frame.locals.values.set(name, stateTensor(type, value, statement.span));
}

function stateTensor(type: CheckType, value: Value | undefined, span: Span): TensorValue {
  return { kind: "tensor", type, value, span };
}

/** Whether `if fitting` updates it. */
function isFitted(body: string, name: string): boolean {
  const start = body.indexOf("if fitting");
  return start >= 0 && new RegExp(`\\b${name}\\s*<-`).test(body.slice(start));
}

export function updateState(frame: Frame, statement: Extract<Statement, { kind: "update" }>): void {
  const { session, solver } = frame.elaboration;
  const name = statement.name.text;
  const value = evaluate(frame, statement.value);
  const request = frame.states.get(name);
  const isWeight =
    frame.elaboration.requested.get(requestKey(frame.model, `${frame.path.prefix}${name}`))?.state === false;
  if (!request && isWeight) {
    session.report(frame, unfit, {
      span: statement.name.span,
      message: `\`<-\` changes a state, and \`${name}\` is a weight`,
      here: "the optimizer of `train` alone changes weights",
      helps: [`\`state ${name} : ...\`, if it is no weight`],
    });
    return;
  }
  if (!request) {
    if (frame.locals.values.get(name)?.kind !== "unknown")
      session.report(frame, unknownName, {
        span: statement.name.span,
        name,
        what: "state",
        where: "",
        near: nearest(name, frame.states.keys()),
      });
    return;
  }
  if (frame.elaboration.steps.length > 0) {
    session.report(frame, notBuilt, {
      what: "a state that changes inside `scan`",
      span: statement.span,
      instead: "normalise by `LayerNorm` or `RMSNorm`, which keep no state, or outside of the `scan`",
    });
    return;
  }
  if (!frame.changing) {
    session.report(frame, stateFixed, { span: statement.span, name, text: textOf(statement.span) });
    return;
  }
  if (value.kind === "unknown") return;
  const tensor = asTensor(frame, value, statement.value.span);
  if (!tensor) {
    session.report(frame, unfit, {
      span: statement.value.span,
      expected: `a value for the state \`${name}\``,
      found: kindInWords(value),
      helps: [],
    });
    return;
  }
  if (tensor.type.axes.length > 0 && !sameSizes(frame, tensor.type, request.type)) {
    session.report(frame, doesNotFit, {
      span: statement.span,
      name,
      axis: showType(request.type, solver.show),
      expected: showType(request.type, solver.show),
      given: showType(tensor.type, solver.show),
      type: showType(tensor.type, solver.show),
      value: statement.value.span,
      proved: true,
      witness: undefined,
      origins: [],
    });
    return;
  }
  const node =
    tensor.type.axes.length === request.type.axes.length
      ? tensor.value
      : expandTo(frame, tensor, request.type.axes, [], statement.span);
  const entry = frame.elaboration.requested.get(requestKey(frame.model, request.path));
  if (entry && node) {
    entry.value = node;
    frame.elaboration.states.set(request, node, statement.span, value);
  }
  rebind(frame.locals, name, { ...tensor, type: request.type, value: node });
}
