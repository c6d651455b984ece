/** `where`: promised by the caller, relied on by the body. */
import type { CallableDeclaration, Expression, OptimizerDeclaration } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { whereFails } from "./diagnostics/dlm0202-where-fails.ts";
import { signatureOf } from "./arguments.ts";
import { evaluate } from "./evaluate.ts";
import { fitOf, reportFit } from "./fits.ts";
import { rootCall, rootFrame } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { breachOf, plainNames } from "./breach.ts";
import { involvesLateDims } from "./late.ts";
import { isUserSpan, nearestSpans } from "./origin.ts";
import { promiseHelp } from "./promise.ts";
import type { Fact } from "./solver.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue } from "./values.ts";

/** What may have a `where`. */
export type Declared = CallableDeclaration | OptimizerDeclaration;

/** What the clauses of the declaration under check promise; names of `op` results that they define become dims. */
export function assumeWhere(frame: Frame, clauses: readonly Expression[]): void {
  for (const clause of clauses) {
    if (define(frame, clause)) continue;
    const fact = factOf(frame, clause);
    if (fact) frame.elaboration.solver.assume(fact);
  }
}

/** Clauses of the declaration under check that are no promise, or one that its own sizes or the clauses before break. */
export function checkPromises(frame: Frame, clauses: readonly Expression[]): boolean {
  const { session, solver } = frame.elaboration;
  return clauses.every((clause) => {
    if (define(frame, clause)) return true;
    const value = evaluate(frame, clause);
    const fact = factOf(frame, clause);
    const isPromise = value.kind === "boolean" || value.kind === "unknown" || value.kind === "tensor";
    const broken = value.kind === "boolean" && value.value === false && !isOpen(frame, clause);
    if (isPromise && !broken) {
      if (fact) solver.assume(fact);
      return true;
    }
    session.report(frame, unfit, {
      span: clause.span,
      expected: isPromise ? "a promise that can be kept" : "a comparison or `divides` behind `where`",
      found: isPromise ? "one that holds for no size" : kindInWords(value),
      helps: [],
    });
    return false;
  });
}

/** `P == expression` where P has no value yet: gives it one. */
function define(frame: Frame, clause: Expression): boolean {
  if (clause.kind !== "binary" || clause.operator !== "==" || clause.left.kind !== "name") return false;
  if (frame.declaration?.kind !== "op" || frame.locals.values.has(clause.left.text)) return false;
  frame.locals.values.set(clause.left.text, evaluate(frame, clause.right));
  return true;
}

export function factOf(frame: Frame, clause: Expression): Fact | undefined {
  if (clause.kind === "call") return fitOf(frame, clause)?.fact;
  if (clause.kind !== "binary") return undefined;
  const { operator } = clause;
  if (!["==", "<=", "<", ">=", ">", "divides"].includes(operator)) return undefined;
  const left = sizeIn(frame, clause.left);
  const right = sizeIn(frame, clause.right);
  if (!left || !right) return undefined;
  switch (operator) {
    case "==":
      return { kind: "equal", left, right };
    case "<=":
      return { kind: "at-most", left, right };
    case "<":
      return { kind: "at-most", left: dim.add(left, dim.one), right };
    case ">=":
      return { kind: "at-most", left: right, right: left };
    case ">":
      return { kind: "at-most", left: dim.add(right, dim.one), right: left };
    default:
      return { kind: "divides", divisor: left, of: right };
  }
}

function sizeIn(frame: Frame, expression: Expression): dim.Dim | undefined {
  const value = evaluate(frame, expression);
  return value.kind === "number" ? value.dim : undefined;
}

/**
 * Whether all clauses hold for a call, whatever the free dims are: what a module needs is promised by those who use it.
 * Where a module is checked alone, its callers are left with what only they can tell: whether windows find room, what
 * depends on the module's configuration, and what the library needs within itself.
 */
export function checkWhere(frame: Frame, declaration: Declared, span: Span): boolean {
  const { elaboration } = frame;
  let sound = true;
  for (const clause of declaration.where) {
    if (define(frame, clause)) continue;
    const value = evaluate(frame, clause);
    if (value.kind === "unknown") {
      sound = false;
      continue;
    }
    if (value.kind === "boolean" && value.value === true) continue;
    // a length in steps that only the data tells, or a number that the module alone has no value of
    if (
      value.kind === "tensor" ||
      (elaboration.alone && value.kind === "boolean" && !value.value && isOpen(frame, clause))
    )
      continue;
    const fact = factOf(frame, clause);
    const undecided = value.kind === "boolean" && value.value === undefined;
    const fit = fitOf(frame, clause);
    const left = elaboration.alone && (fit !== undefined || isConfigured(frame, fact) || isInside(frame));
    if (undecided && (left || !fact || isPromised(frame, fact))) {
      if (fact) elaboration.solver.assume(fact);
      continue;
    }
    sound = false;
    if (fit) reportFit(frame, declaration, fit, span);
    else reportClause(frame, declaration, clause, fact, span);
    break;
  }
  return sound;
}

/** Whether a clause of plain comparison speaks of a parameter that may be any number: a rate as well as a size. */
function isOpen(frame: Frame, clause: Expression): boolean {
  if (clause.kind !== "binary" || clause.operator === "divides" || clause.operator === "==") return false;
  return plainNames(clause).some((name) => {
    const value = frame.locals.values.get(name);
    return value?.kind === "number" && value.open === true;
  });
}

/** Whether the configuration of the declaration under check decides, which every use gives. */
function isConfigured(frame: Frame, fact: Fact | undefined): boolean {
  const { configuration = [] } = rootFrame(frame).declaration ?? {};
  const sizes = !fact ? [] : fact.kind === "divides" ? [fact.divisor, fact.of] : [fact.left, fact.right];
  const { solver } = frame.elaboration;
  return sizes.some((size) => {
    const symbols = dim.symbolsOf(solver.normalise(size));
    return configuration.some(({ name }) => symbols.has(name.text));
  });
}

/** Whether the call stands in the library. */
function isInside({ call, elaboration }: Frame): boolean {
  return call?.frame.file === elaboration.session.library;
}

/** Sizes that the data pins later: promised then. */
function isPromised(frame: Frame, fact: Fact): boolean {
  const sizes = fact.kind === "divides" ? [fact.divisor, fact.of] : [fact.left, fact.right];
  return involvesLateDims(frame.elaboration.solver, sizes);
}

function reportClause(
  frame: Frame,
  declaration: Declared,
  clause: Expression,
  fact: Fact | undefined,
  span: Span,
): void {
  const { solver, session } = frame.elaboration;
  const root = rootCall(frame) ?? span;
  const names = plainNames(clause).flatMap((name) => {
    const value: CheckValue = frame.locals.values.get(name) ?? unknown;
    if (value.kind !== "number") return [];
    const shown = value.value !== undefined ? String(value.value) : value.dim ? solver.show(value.dim) : "?";
    return [{ name, shown, spans: nearestSpans(value.origin, 2) }];
  });
  const verdict =
    fact?.kind === "divides"
      ? solver.divides(fact.divisor, fact.of)
      : fact?.kind === "at-most"
        ? solver.atMost(fact.left, fact.right)
        : fact
          ? solver.equal(fact.left, fact.right)
          : undefined;
  const divisor = fact?.kind === "divides" ? dim.constantOf(solver.normalise(fact.divisor)) : undefined;
  const of = fact?.kind === "divides" ? dim.constantOf(solver.normalise(fact.of)) : undefined;
  session.report(frame, whereFails, {
    span: root,
    breach: breachOf(frame, declaration, clause),
    clause: textOf(clause.span),
    names,
    required: isUserSpan(clause.span) ? clause.span : undefined,
    by: declaration.name.text,
    through: throughName(frame),
    division: divisor !== undefined && of !== undefined ? { divisor, of } : undefined,
    divisorName: clause.kind === "binary" && clause.left.kind === "name" ? clause.left.text : undefined,
    open:
      verdict === undefined || (verdict.kind === "refuted" && verdict.witness.size === 0)
        ? undefined
        : {
            witness: verdict.kind === "refuted" ? verdict.witness : undefined,
            promise: promiseHelp(frame, [fact!]),
          },
    signature: isUserSpan(clause.span) ? undefined : signatureOf(declaration),
  });
}

/** The module of the user that stands between the place of the message and the clause. */
function throughName(frame: Frame): string | undefined {
  const callers: Frame[] = [];
  for (let call = frame.call; call; call = call.frame.call) callers.push(call.frame);
  // the last is the declaration under check itself; the one before it was called there
  const between = callers.length >= 2 ? callers[callers.length - 2] : undefined;
  return between?.declaration?.name.text;
}
