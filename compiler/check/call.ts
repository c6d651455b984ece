/** Calls: `f(x)`, `Dense(64)`, `module(configuration)(tensors)`, and stages that are calls. */
import type { Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import {
  bindArguments,
  calleeOf,
  evaluateArguments,
  isComplete,
  nothingBound,
  usesPiped,
} from "./arguments.ts";
import type { Bound, Callee } from "./arguments.ts";
import type { Given } from "./builtins/builtin.ts";
import { missingConfiguration } from "./diagnostics/dlm0109-missing-configuration.ts";
import { mixedUp } from "./diagnostics/dlm0110-mixed-up.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { applyInstance } from "./instance.ts";
import { invoke } from "./invoke.ts";
import { applyValue } from "./pipeline.ts";
import { overNotTaken } from "./over.ts";
import { claim } from "./paths.ts";
import { kindInWords, unknown } from "./values.ts";
import type { BuiltinValue, CallableValue, CheckValue, OverAxes } from "./values.ts";

type Call = Extract<Expression, { kind: "call" }>;

export interface Applied {
  readonly over?: OverAxes | undefined;
  readonly span: Span;
}

/** What is piped into a stage, and the name that the stage bears. */
export interface Piping {
  readonly input: Given;
  readonly label: { readonly text: string; readonly span: Span } | undefined;
}

/** A call outside a pipeline: a value where all tensors are given, else a stage that waits for them. */
export function evaluateCall(
  frame: Frame,
  call: Call,
  applied: Applied | undefined,
  piping?: Piping,
): CheckValue {
  const callee = evaluate(frame, call.callee);
  const span = applied?.span ?? call.span;
  const { session } = frame.elaboration;
  if (callee.kind === "unknown" || (callee.kind === "number" && callee.open)) {
    for (const argument of call.arguments) evaluate(frame, argument.value);
    return unknown;
  }
  if (callee.kind === "callable" || callee.kind === "builtin") {
    const value = applied?.over ? { ...callee, over: applied.over } : callee;
    return callValue(frame, value, call, span, piping);
  }
  if (callee.kind === "instance" || callee.kind === "composition") {
    const list = evaluateArguments(frame, call.arguments);
    const given = list.map(({ value, span: at, expression, alias }) => ({
      value,
      span: at,
      expression,
      alias,
    }));
    const inputs =
      piping && !call.arguments.some((argument) => usesPiped(argument.value))
        ? [piping.input, ...given]
        : given;
    return callee.kind === "instance"
      ? applyInstance(frame, callee, inputs, span)
      : applyValue(frame, inputs[0] ?? missing(span), callee, undefined, span);
  }
  if (callee.kind === "optimizer") {
    return { ...callee, span, arguments: evaluateArguments(frame, call.arguments) };
  }
  session.report(frame, unfit, {
    span: call.callee.span,
    expected: "a function or a module before `(`",
    found: kindInWords(callee),
    helps: [],
  });
  return unknown;
}

function missing(span: Span): Given {
  return { value: unknown, span, expression: undefined, alias: undefined };
}

function callValue(
  frame: Frame,
  value: CallableValue | BuiltinValue,
  call: Call,
  span: Span,
  piping: Piping | undefined,
): CheckValue {
  const callee = calleeOf(value);
  const list = evaluateArguments(frame, call.arguments);
  if (list.some((each) => each.value.kind === "unknown")) return unknown;
  const before = boundBefore(value);
  const configured = value.kind === "callable" && value.configuration !== undefined;
  const piped =
    piping && !call.arguments.some((argument) => usesPiped(argument.value)) ? piping.input : undefined;
  if (configured && (callee.kind === "module" || callee.kind === "model") && !piping) {
    const [first, ...others] = call.arguments.map(({ span: at }) => textOf(at));
    const rest = others.length > 0 ? `(${["_", ...others].join(", ")})` : "";
    frame.elaboration.session.report(frame, mixedUp, {
      span: call.arguments[0]?.value.span ?? call.argumentsSpan,
      name: callee.name,
      signature: callee.signature,
      stage: `${first ?? "x"} -> ${textOf(call.callee.span)}${rest}`,
      nothing: first === undefined,
    });
    return unknown;
  }
  if (configured) {
    // a second list holds tensors: `attention(drop)(q, k, v)`, `x -> CrossAttention(8)(_, memory)`
    const only: Callee = { ...callee, kind: "fn", configuration: [] };
    const bound = bindArguments(frame, only, list, before, piped);
    return bound ? finish(frame, value, bound, span, piping) : unknown;
  }
  const bound = bindArguments(frame, callee, list, before, piped);
  return bound ? finish(frame, value, bound, span, piping) : unknown;
}

/** What is configured already. */
export function boundBefore(value: CallableValue | BuiltinValue): Bound {
  if (value.kind === "builtin") return value.bound ?? nothingBound;
  const configuration = new Map<string, Given>();
  for (const [name, argument] of value.configuration ?? [])
    configuration.set(name, { ...argument, expression: undefined, alias: undefined });
  const tensors = new Map<string, Given>();
  for (const each of value.tensors)
    if (each.name !== undefined)
      tensors.set(each.name, { value: each.value, span: each.span, expression: undefined, alias: undefined });
  return { configuration, tensors, rest: [] };
}

function finish(
  frame: Frame,
  value: CallableValue | BuiltinValue,
  bound: Bound,
  span: Span,
  piping: Piping | undefined,
): CheckValue {
  const callee = calleeOf(value);
  const waits = callee.kind === "module" && !piping;
  if (!waits && isComplete(callee, bound)) return runValue(frame, value, bound, piping?.label, span);
  if (piping && !isComplete(callee, bound)) {
    const absent = callee.tensors.find(
      (parameter) => !parameter.optional && !bound.tensors.has(parameter.name),
    );
    frame.elaboration.session.report(frame, unfit, {
      span,
      expected: `the tensor \`${absent?.name ?? "x"}\` of \`${callee.name}\``,
      found: "nothing",
      helps: [callee.kind === "module" ? severalTensors(callee) : callee.signature],
    });
    return unknown;
  }
  if (value.kind === "builtin") return { ...value, bound, span };
  return {
    ...value,
    configuration: bound.configuration,
    tensors: [...bound.tensors].map(([name, given]) => ({ name, value: given.value, span: given.span })),
    span,
  };
}

/** How a module gets more than the tensor of its arrow. */
function severalTensors({ name, configuration, tensors }: Callee): string {
  const [, ...others] = tensors.flatMap(({ name: each, optional }) => (optional ? [] : [each]));
  return `-> ${name}${configuration.length > 0 ? "(...)" : ""}(${["_", ...others].join(", ")})`;
}

/** Runs a function or makes an instance, with everything given. */
export function runValue(
  frame: Frame,
  value: CallableValue | BuiltinValue,
  bound: Bound,
  label: Piping["label"],
  span: Span,
): CheckValue {
  const kind = value.kind === "callable" ? value.declaration.kind : "fn";
  if (label && kind !== "module" && kind !== "model" && !claim(frame, frame.path, label, {})) return unknown;
  if (value.kind === "callable") return invoke(frame, value, bound, label, span);
  const missing = value.builtin.configuration.filter(
    ({ name, optional }) => !optional && !bound.configuration.has(name),
  );
  if (missing.length > 0) {
    frame.elaboration.session.report(frame, missingConfiguration, {
      span,
      name: value.builtin.name,
      missing: missing.map(({ name }) => name),
      parameters: value.builtin.configuration.map(({ name, optional }) => ({
        name,
        optional: optional === true,
      })),
      declared: undefined,
    });
    return unknown;
  }
  for (const given of [...bound.tensors.values(), ...bound.rest, ...bound.configuration.values()])
    if (given.value.kind === "unknown") return unknown;
  const { builtin } = value;
  if (builtin.over === "none" && value.over) {
    overNotTaken(frame, value.over.span, builtin.name);
    return unknown;
  }
  return builtin.run({
    frame,
    span,
    nameSpan: value.span,
    configuration: bound.configuration,
    tensors: bound.tensors,
    rest: bound.rest,
    over: value.over,
  });
}

/** Runs what waits for one more tensor: the stage `softmax over S`, `dropout(0.1)`, `Dense`. */
export function applyCallable(
  frame: Frame,
  value: CallableValue | BuiltinValue,
  input: Given,
  label: Piping["label"],
  span: Span,
): CheckValue {
  if (input.value.kind === "unknown") return unknown;
  const callee = calleeOf(value);
  const bound = bindArguments(frame, callee, [], boundBefore(value), input);
  return bound ? finish(frame, value, bound, span, { input, label }) : unknown;
}
