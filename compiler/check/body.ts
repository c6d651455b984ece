/** Bodies: statements from top to bottom; the last expression is the value. */
import type { Body, Name, Statement } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import * as build from "../ops/build.ts";
import type { Given } from "./builtins/builtin.ts";
import { applyExpression, applyValue, evaluatePipeline } from "./pipeline.ts";
import { applyIf, evaluateIf } from "./control.ts";
import { wrongParts } from "./diagnostics/dlm0207-wrong-parts.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { emit, moved } from "./emit.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame, LocalScope } from "./frame.ts";
import { isCapital } from "./lookup.ts";
import { updateState, declareState, declareWeight } from "./weights.ts";
import { isStage, kindInWords, unknown } from "./values.ts";
import type { CheckValue, TensorValue } from "./values.ts";
import { showType } from "./type.ts";

/** The value of a body, or undefined where it has none. With an input, a body of stages is applied to it. */
export function evaluateBody(frame: Frame, body: Body, input?: Given): CheckValue | undefined {
  let result: CheckValue | undefined;
  for (const statement of body.statements) {
    const value = runStatement(frame, statement, input);
    // a `yield` has a value here only after a message
    if (statement.kind === "expression" || statement.kind === "hole" || value) result = value;
  }
  return result;
}

/** The value of each expression statement: the branches of `branch`. */
export function evaluateEach(frame: Frame, body: Body, input: Given): CheckValue[] {
  const results: CheckValue[] = [];
  for (const statement of body.statements) {
    const value = runStatement(frame, statement, input);
    if (statement.kind === "expression" || statement.kind === "hole") results.push(value ?? unknown);
  }
  return results;
}

/** A statement is where products of sizes that no number can hold are noticed. */
function runStatement(frame: Frame, statement: Statement, input: Given | undefined): CheckValue | undefined {
  try {
    return runSound(frame, statement, input);
  } catch (error) {
    if (!(error instanceof dim.SizeOverflow)) throw error;
    frame.elaboration.session.report(frame, unfit, {
      span: statement.span,
      expected: "tensors of fewer than 2^53 numbers",
      found: "a larger one",
      helps: [],
    });
    return unknown;
  }
}

function runSound(frame: Frame, statement: Statement, input: Given | undefined): CheckValue | undefined {
  switch (statement.kind) {
    case "hole":
      return unknown;
    case "weight":
      declareWeight(frame, statement);
      return undefined;
    case "state":
      declareState(frame, statement);
      return undefined;
    case "update":
      updateState(frame, statement);
      return undefined;
    case "bind":
      bind(frame, statement.names, evaluate(frame, statement.value), statement.value.span);
      return undefined;
    case "expression":
      return expressionValue(frame, statement.value, input);
    case "yield":
      return yieldValue(frame, statement);
    case "accumulate":
      frame.elaboration.session.report(frame, unfit, {
        span: statement.span,
        expected: "`+=` only as the body of an `op`",
        found: "it here",
        helps: [],
      });
      return unknown;
  }
}

/** Unknown after a message: then the body gives nothing else either. */
function yieldValue(frame: Frame, statement: Extract<Statement, { kind: "yield" }>): CheckValue | undefined {
  const value = evaluate(frame, statement.value);
  if (frame.yields) {
    frame.yields.push({ value, span: statement.value.span });
    return undefined;
  }
  frame.elaboration.session.report(frame, unfit, {
    span: statement.span,
    message: "`yield` stands outside of a `scan`",
    here: "there are no steps here to give a value each",
    helps: [`a body ends with its result itself: ${textOf(statement.value.span)}`],
  });
  return unknown;
}

function expressionValue(
  frame: Frame,
  expression: Extract<Statement, { kind: "expression" }>["value"],
  input: Given | undefined,
): CheckValue | undefined {
  if (!input) {
    if (expression.kind === "if") return evaluateIf(frame, expression);
    return evaluate(frame, expression);
  }
  const piped: Frame = { ...frame, piped: input.value };
  if (expression.kind === "pipeline") {
    const value = evaluatePipeline(piped, expression);
    return isStage(value) ? applyValue(frame, input, value, undefined, expression.span) : value;
  }
  if (expression.kind === "if") return applyIf(frame, input, expression, undefined);
  if (isValue(expression)) {
    const value = evaluate(piped, expression);
    return isStage(value) ? applyValue(frame, input, value, undefined, expression.span) : value;
  }
  return applyExpression(frame, input, expression, undefined);
}

/** Kinds that mean a value of their own also inside a block: `y + shift`, a number, a tuple. */
function isValue(expression: { readonly kind: string }): boolean {
  return [
    "binary",
    "unary",
    "tuple",
    "number",
    "percent",
    "string",
    "member",
    "brackets",
    "boolean",
  ].includes(expression.kind);
}

// ---------------------------------------------------------------- bindings

/** `name = value`, `q, k, v = value`: one part of the first axis, or of a list, for each name. */
export function bind(frame: Frame, names: readonly Name[], value: CheckValue, span: Span): void {
  const [first] = names;
  if (!first) return;
  if (names.length === 1) {
    bindOne(frame, first, value);
    return;
  }
  const parts = partsOf(frame, names, value, span);
  names.forEach((name, i) => bindOne(frame, name, parts?.[i] ?? unknown));
}

function bindOne(frame: Frame, name: Name, value: CheckValue): void {
  if (name.text === "_" || name.text === "") return;
  frame.locals.values.set(name.text, named(frame, name, value));
}

/** A module or composition that is bound to a name is an instance: used twice, it shares its weights. */
function named(frame: Frame, name: Name, value: CheckValue): CheckValue {
  if (value.kind === "composition")
    return {
      kind: "instance",
      name: name.text,
      target: value,
      scope: frame.path,
      identity: {},
      span: name.span,
    };
  if (
    value.kind === "callable" &&
    (value.declaration.kind === "module" || value.declaration.kind === "model") &&
    value.over === undefined
  )
    return {
      kind: "instance",
      name: name.text,
      target: value,
      scope: frame.path,
      identity: {},
      span: name.span,
    };
  if (value.kind === "number" && isCapital(name.text)) return { ...value, label: name.text };
  return value;
}

function partsOf(
  frame: Frame,
  names: readonly Name[],
  value: CheckValue,
  span: Span,
): readonly CheckValue[] | undefined {
  const { session, solver } = frame.elaboration;
  if (value.kind === "unknown") return undefined;
  const nameSpan = { ...names[0]!.span, end: names[names.length - 1]!.span.end };
  const refuse = (found: string): undefined => {
    session.report(frame, wrongParts, {
      span: nameSpan,
      names: names.map((name) => name.text),
      found,
      value: { span, text: value.kind === "tensor" ? showType(value.type, solver.show) : kindInWords(value) },
    });
    return undefined;
  };
  if (value.kind === "list")
    return value.items.length === names.length ? value.items : refuse(`there are ${value.items.length}`);
  if (value.kind !== "tensor") return refuse(`this is ${kindInWords(value)}`);
  const [axis, ...rest] = value.type.axes;
  if (!axis) return refuse("this is a single number");
  const size = dim.constantOf(solver.normalise(axis.size.dim));
  if (size !== names.length) return refuse(`the first axis has size ${solver.show(axis.size.dim)}`);
  return names.map((name, i) => part(frame, value, i, { ...value.type, axes: rest }, name.span));
}

/** Element i of the first axis. */
function part(
  frame: Frame,
  value: TensorValue,
  i: number,
  type: TensorValue["type"],
  span: Span,
): TensorValue {
  const made = emit(frame, span, [value.value], (b, [x]) =>
    build.dropAxis(b, build.slice(b, x!, 0, dim.constant(i), dim.one), 0),
  );
  return moved(value, type, made, span);
}

/** Replaces a name where it was bound first; used by `m <- e`. */
export function rebind(scope: LocalScope, name: string, value: CheckValue): void {
  for (let each: LocalScope | undefined = scope; each; each = each.parent) {
    if (each.values.has(name) || !each.parent) {
      each.values.set(name, value);
      return;
    }
  }
}

export function lastExpression(body: Body): { readonly span: Span; readonly text: string } {
  const last = body.statements.findLast((statement) => statement.kind === "expression");
  if (!last || last.kind !== "expression")
    return { span: body.statements.at(-1)?.span ?? body.span, text: "" };
  const { value } = last;
  const stage = value.kind === "pipeline" ? value.stages[value.stages.length - 1] : undefined;
  const span = stage?.span ?? value.span;
  return { span, text: textOf(span) };
}
