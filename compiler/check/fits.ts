/** `fits(H, size, pad)` in a `where`: a window that slides over an axis has a place in it. */
import type { CallableDeclaration, Expression, OptimizerDeclaration } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { tooSmall } from "./diagnostics/dlm0206-too-small.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { isUserSpan, nearestSpans } from "./origin.ts";
import type { SizeOrigin } from "./origin.ts";
import { promiseHelp } from "./promise.ts";
import type { Fact } from "./solver.ts";
import type { CheckValue, NumberValue } from "./values.ts";

/** `fits(H, size, pad)` with its values. */
interface Fit {
  readonly label: string;
  readonly size: NumberValue;
  readonly window: NumberValue;
  /** window <= size + padding; undefined where one of them has no size */
  readonly fact: Promised | undefined;
  /** padded already */
  readonly padded: boolean;
}

/**
 * Cells that a window of this size slides over, those of the padding included; undefined where they are not known. `same`
 * adds floor((window - 1) / 2) on both sides, so that an even window is one wider than a single cell with them.
 */
export function roomFor(size: Dim, window: Dim, pad: CheckValue): Dim | undefined {
  if (pad.kind === "word") {
    const half = dim.floorDivide(dim.subtract(window, dim.one), dim.constant(2));
    if (pad.text === "same_upper") return dim.add(size, window);
    return pad.text === "same" ? dim.add(size, dim.multiply(dim.constant(2), half)) : size;
  }
  const cells = pad.kind === "list" ? pad.items : [pad, pad];
  return cells.reduce<Dim | undefined>(
    (sum, cell) => (sum && cell.kind === "number" && cell.dim ? dim.add(sum, cell.dim) : undefined),
    size,
  );
}

type Promised = Extract<Fact, { kind: "at-most" }>;

export function fitOf(frame: Frame, clause: Expression): Fit | undefined {
  if (clause.kind !== "call" || clause.callee.kind !== "name" || clause.callee.text !== "fits")
    return undefined;
  const [size, window, pad] = clause.arguments.map((argument) => evaluate(frame, argument.value));
  const [name] = clause.arguments;
  if (size?.kind !== "number" || window?.kind !== "number") return undefined;
  const label = name?.value.kind === "name" ? name.value.text : "";
  const room = pad && size.dim && window.dim && roomFor(size.dim, window.dim, pad);
  const fact = room && window.dim && ({ kind: "at-most", left: window.dim, right: room } as const);
  return { label, size, window, fact, padded: pad?.kind !== "word" || pad.text !== "valid" };
}

/** Says of a clause that does not hold, or is not known to, what it needs; the promise that would do has all such clauses. */
export function reportFit(
  frame: Frame,
  declaration: CallableDeclaration | OptimizerDeclaration,
  fit: Fit,
  span: Span,
): void {
  const facts = declaration.where.flatMap((clause) => fitOf(frame, clause)?.fact ?? []);
  reportTooSmall(frame, span, {
    axis: frame.activation.outerLabel(fit.label) ?? fit.label,
    // of the axis alone
    needed: fit.fact && fit.size.dim && dim.add(dim.subtract(fit.fact.left, fit.fact.right), fit.size.dim),
    size: fit.size,
    demanded: fit.fact,
    facts,
    pads: !fit.padded,
  });
}

/** Says that an axis is smaller than what is done along it needs, or may be. */
export function reportTooSmall(
  frame: Frame,
  span: Span,
  small: {
    /** the axis, by its label */
    readonly axis: string;
    readonly needed: Dim | undefined;
    readonly size: { readonly dim: Dim | undefined; readonly origin: SizeOrigin };
    readonly demanded: Promised | undefined;
    /** what is demanded at this place in all */
    readonly facts: readonly Promised[];
    /** whether padding would help */
    readonly pads: boolean;
  },
): void {
  const { solver, session } = frame.elaboration;
  const { axis, needed, size, demanded, facts, pads } = small;
  const isOpen = ({ left, right }: Promised): boolean => {
    const verdict = solver.atMost(left, right);
    return verdict.kind === "unknown" || (verdict.kind === "refuted" && verdict.witness.size > 0);
  };
  session.report(frame, tooSmall, {
    span,
    stage: textOf(userTextSpan(frame, span)),
    axis,
    needed: needed ? solver.show(needed) : "?",
    size: size.dim ? solver.show(size.dim) : "?",
    history: nearestSpans(size.origin, 3).filter((each) => each.start !== span.start),
    open: demanded && isOpen(demanded) ? { promise: promiseHelp(frame, facts.filter(isOpen)) } : undefined,
    pads,
  });
}

export function userTextSpan(frame: Frame, span: Span): Span {
  if (isUserSpan(span)) return span;
  for (let call = frame.call; call; call = call.frame.call) if (isUserSpan(call.span)) return call.span;
  return span;
}
