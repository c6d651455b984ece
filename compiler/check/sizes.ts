/** Values where a size is expected. */
import type { Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import { mayNotDivide } from "./diagnostics/dlm0203-may-not-divide.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { isCapital } from "./lookup.ts";
import { isUserSpan, nearestSpans } from "./origin.ts";
import type { Solver } from "./solver.ts";
import type { Axis, Size } from "./type.ts";
import { kindInWords } from "./values.ts";
import type { CheckValue, NumberValue } from "./values.ts";

/** Positions along an axis are 32-bit integers. */
export const largestSize = 2 ** 31 - 1;

/** A size, or undefined after a message (none for an unknown). */
export function sizeOf(frame: Frame, value: CheckValue, span: Span): Size | undefined {
  if (value.kind === "unknown") return undefined;
  const { session, solver } = frame.elaboration;
  if (value.kind === "number") {
    const size = value.dim && solver.normalise(value.dim);
    const known = size && dim.constantOf(size);
    const possible =
      known === undefined ? size && !isNegative(solver, size) : known >= 0 && known <= largestSize;
    if (size && possible) return { dim: size, origin: value.origin };
    if (size && known === undefined) {
      session.report(frame, unfit, {
        span,
        expected: "a size",
        found: `${solver.show(size)}, which is negative`,
        helps: [],
      });
      return undefined;
    }
    if (value.quotient) {
      reportQuotient(frame, value, span);
      return undefined;
    }
    if (value.value === undefined) return undefined;
  }
  const found = value.kind === "number" ? whyNoSize(value.value ?? 0) : kindInWords(value);
  const written = value.kind === "number" ? nearestSpans(value.origin, 1)[0] : undefined;
  session.report(frame, unfit, { span: written ?? span, expected: "a size", found, helps: [] });
  return undefined;
}

/** `-B`: below 0 whatever the dims are. */
function isNegative(solver: Solver, size: dim.Dim): boolean {
  const below = size.terms.some((term) => term.coefficient < 0);
  return below && solver.atMost(size, dim.constant(-1)).kind === "proved";
}

/** "1.5, which is no whole number" */
export function whyNoSize(value: number): string {
  const why = value < 0 ? "negative" : Number.isInteger(value) ? "too large" : "no whole number";
  return `${value}, which is ${why}`;
}

/** What stands in a pattern or a type: its size, and the label it gives to its axis. */
export function evaluateSize(
  frame: Frame,
  expression: Expression,
): { readonly size: Size; readonly label: string | undefined } | undefined {
  const value = evaluate(frame, expression);
  const size = sizeOf(frame, value, expression.span);
  if (!size) return undefined;
  const plain = expression.kind === "name" && isCapital(expression.text);
  return { size, label: plain ? expression.text : undefined };
}

/** Whether a size is known to be 0, which is told: an axis that holds nothing leaves nothing to calculate. */
export function isEmpty(frame: Frame, size: Size, span: Span): boolean {
  const { session, solver } = frame.elaboration;
  if (dim.constantOf(solver.normalise(size.dim)) !== 0) return false;
  const written = nearestSpans(size.origin, 1)[0] ?? span;
  session.report(frame, unfit, { span: written, expected: "a size of at least 1", found: "0", helps: [] });
  return true;
}

/** The declaration of the user whose body this is, or which led here. */
function userDeclaration(frame: Frame): Frame["declaration"] {
  let at = frame;
  while (at.call && at.declaration && !isUserSpan(at.declaration.span)) at = at.call.frame;
  return at.declaration;
}

/** Reports a division that may leave a rest. */
export function reportQuotient(frame: Frame, number: NumberValue, span: Span): void {
  const quotient = number.quotient!;
  const { session, solver } = frame.elaboration;
  const verdict = solver.divides(quotient.right, quotient.left);
  session.report(frame, mayNotDivide, {
    span,
    division: textOf(quotient.span).includes("/")
      ? textOf(quotient.span)
      : `${inParentheses(solver.show(quotient.left))} / ${inParentheses(solver.show(quotient.right))}`,
    what: `this divides ${solver.show(quotient.left)} by ${solver.show(quotient.right)}`,
    divisor: solver.show(quotient.right),
    of: solver.show(quotient.left),
    witness: verdict.kind === "refuted" ? verdict.witness : undefined,
    declaration: userDeclaration(frame),
  });
}

/** A sum or product as an operand of a division. */
export function inParentheses(text: string): string {
  return text.includes(" ") ? `(${text})` : text;
}

export function axisOf(size: Size, label: string | undefined): Axis {
  return { label, size };
}
