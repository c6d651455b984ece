/** The left side of a rearrange: the axes of the tensor, taken apart and named. */
import type { Argument, AxisItem, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { cannotLineUp } from "./diagnostics/dlm0405-cannot-line-up.ts";
import { changesCount } from "./diagnostics/dlm0205-changes-count.ts";
import { mayNotDivide } from "./diagnostics/dlm0203-may-not-divide.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { wrongRank } from "./diagnostics/dlm0211-wrong-rank.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { lookup } from "./lookup.ts";
import { dimNumber } from "./numbers.ts";
import { nearestSpans, originLabels } from "./origin.ts";
import { inParentheses, sizeOf } from "./sizes.ts";
import { showType } from "./type.ts";
import type { Axis, Size } from "./type.ts";
import type { TensorValue } from "./values.ts";

type Rearrange = Extract<Expression, { kind: "rearrange" }>;

/** One axis after the splits of the left side. */
export interface Piece {
  readonly name: string;
  readonly span: Span;
  readonly axis: Axis;
}

/** A member of a side: a plain name, a number, or a group of them. */
export interface Member {
  /** what it is called in the pattern; of a number its text */
  readonly name: string;
  readonly size: Expression | undefined;
  readonly span: Span;
  /** `1` on the right side */
  readonly one: boolean;
}

export interface Left {
  readonly pieces: readonly Piece[];
  readonly packs: ReadonlyMap<string, readonly Piece[]>;
  /** for each axis of the tensor the sizes it is split into */
  readonly splits: readonly (readonly Dim[])[];
}

export function memberOf(argument: {
  readonly name?: string | undefined;
  readonly value: Expression;
  readonly span: Span;
}): Member {
  const { value, span } = argument;
  if (argument.name !== undefined) return { name: argument.name, size: value, span, one: false };
  if (value.kind === "name") return { name: value.text, size: undefined, span, one: false };
  return { name: textOf(value.span), size: value, span, one: value.kind === "number" && value.value === 1 };
}

function membersOf(group: readonly Argument[]): Member[] {
  return group.map((each) => memberOf({ name: each.name?.text, value: each.value, span: each.span }));
}

export function groupOf(item: Extract<AxisItem, { kind: "axis" }>): readonly Member[] | undefined {
  if (item.size.kind === "group") return membersOf(item.size.members);
  return undefined;
}

export function takeApart(
  frame: Frame,
  expression: Rearrange,
  items: readonly AxisItem[],
  value: TensorValue,
  inputSpan: Span,
): Left | undefined {
  const { session, solver } = frame.elaboration;
  const given = value.type.axes;
  const plain = items.filter((item) => item.kind === "axis").length;
  const packItems = items.length - plain;
  if (packItems > 1 || (packItems === 0 ? plain !== given.length : plain > given.length)) {
    session.report(frame, wrongRank, {
      span: expression.from.span,
      name: "this pattern",
      expected: textOf(expression.from.span),
      given: showType(value.type, solver.show),
      count: given.length,
      value: inputSpan,
    });
    return undefined;
  }
  const pieces: Piece[] = [];
  const packs = new Map<string, Piece[]>();
  const splits: (readonly Dim[])[] = [];
  let at = 0;
  for (const item of items) {
    if (item.kind === "pack") {
      const taken = given.slice(at, at + given.length - plain);
      at += taken.length;
      const name = item.name?.text ?? "";
      const own = taken.map((axis, i) => ({ name: `..${name}${i}`, span: item.span, axis }));
      packs.set(name, own);
      pieces.push(...own);
      for (const axis of taken) splits.push([axis.size.dim]);
      continue;
    }
    const axis = given[at]!;
    if (!standsRight(frame, item, value, at, inputSpan)) return undefined;
    at++;
    const group = groupOf(item);
    if (group) {
      const parts = splitAxis(frame, item.span, axis, group, value);
      if (!parts) return undefined;
      pieces.push(...parts);
      splits.push(parts.map((piece) => piece.axis.size.dim));
      continue;
    }
    const member = memberOf({ name: item.label?.text, value: item.size, span: item.span });
    if (member.size && !sizeAgrees(frame, expression, member, axis, value)) return undefined;
    pieces.push({ name: member.name, span: item.span, axis });
    splits.push([axis.size.dim]);
  }
  return { pieces, packs, splits };
}

/** A name that is a label of the tensor must stand where that label stands. */
function standsRight(
  frame: Frame,
  item: Extract<AxisItem, { kind: "axis" }>,
  value: TensorValue,
  at: number,
  inputSpan: Span,
): boolean {
  const { session, solver } = frame.elaboration;
  const members = groupOf(item);
  const names = members ? members.map((member) => member.name) : [item.label?.text ?? textOf(item.size.span)];
  const { axes } = value.type;
  for (const name of names) {
    const place = axes.findIndex((axis) => axis.label === name);
    // inside a group the name of the whole axis may be taken by a part
    if (place < 0 || axes[at]?.label === name) continue;
    session.report(frame, cannotLineUp, {
      span: item.span,
      what: "this pattern",
      left: { span: item.span, text: `${name} stands at place ${at + 1}` },
      right: { span: inputSpan, text: showType(value.type, solver.show) },
      notes: [`the tensor has ${name} at place ${place + 1}`],
      why: "order",
      axis: undefined,
      ranks: [axes.length, axes.length],
      origins: [],
    });
    return false;
  }
  return true;
}

function sizeAgrees(
  frame: Frame,
  expression: Rearrange,
  member: Member,
  axis: Axis,
  value: TensorValue,
): boolean {
  const size = sizeOf(frame, evaluate(frame, member.size!), member.span);
  if (!size) return false;
  if (frame.elaboration.solver.equal(size.dim, axis.size.dim).kind === "proved") return true;
  reportCount(frame, expression, member.span, size, axis, value);
  return false;
}

function reportCount(
  frame: Frame,
  expression: Rearrange,
  span: Span,
  wanted: Size,
  axis: Axis,
  value: TensorValue,
): void {
  const { session, solver } = frame.elaboration;
  session.report(frame, changesCount, {
    span,
    other: expression.from.span,
    here: `${textOf(span)} is ${solver.show(wanted.dim)} here`,
    there: `the axis has ${solver.show(axis.size.dim)}, in ${showType(value.type, solver.show)}`,
    origins: originLabels(solver.show(axis.size.dim), axis.size.origin, [span]),
    help: undefined,
  });
}

/** `(heads E)` of an axis: exactly one part may be without a size. */
function splitAxis(
  frame: Frame,
  span: Span,
  axis: Axis,
  members: readonly Member[],
  value: TensorValue,
): Piece[] | undefined {
  const { session, solver } = frame.elaboration;
  const sizes: (Size | undefined)[] = [];
  for (const member of members) {
    const found = sizeOfMember(frame, member, value);
    if (found === null) return undefined;
    sizes.push(found);
  }
  // a name of an earlier pattern keeps its size only where it is needed
  while (sizes.filter((size) => size === undefined).length > 1) {
    const at = members.findIndex(
      (member, i) => sizes[i] === undefined && patternSize(frame, member.name) !== undefined,
    );
    if (at < 0) break;
    sizes[at] = patternSize(frame, members[at]!.name);
  }
  const open = sizes.filter((size) => size === undefined).length;
  const product = dim.product(sizes.flatMap((size) => (size ? [size.dim] : [])));
  if (open > 1) {
    session.report(frame, unfit, {
      span,
      expected: "all sizes of a group but one",
      found: `${open} unknown ones`,
      helps: [`(${members.map((member, i) => (i === 0 ? `${member.name}=2` : member.name)).join(" ")})`],
    });
    return undefined;
  }
  const whole = solver.normalise(axis.size.dim);
  if (open === 0) {
    if (solver.equal(product, whole).kind !== "proved") {
      session.report(frame, changesCount, {
        span,
        other: value.span,
        here: `${members.map((_, i) => solver.show(sizes[i]!.dim)).join(" · ")} = ${solver.show(product)}`,
        there: `the axis has ${solver.show(whole)}`,
        origins: originLabels(solver.show(whole), axis.size.origin, [span]),
        help: undefined,
      });
      return undefined;
    }
  } else if (solver.divides(product, whole).kind !== "proved") {
    const known = dim.constantOf(solver.normalise(product));
    const all = dim.constantOf(whole);
    if (known !== undefined && all !== undefined) {
      const near = Math.max(1, Math.round(all / known)) * known;
      const [written] = nearestSpans(axis.size.origin, 1);
      session.report(frame, changesCount, {
        span,
        other: value.span,
        here: `this cuts ${all.toLocaleString("en-US")} into parts of ${known.toLocaleString("en-US")}`,
        there: `${all.toLocaleString("en-US")} values, and ${all} / ${known} leaves ${all % known}`,
        origins: originLabels(all.toLocaleString("en-US"), axis.size.origin, [span]),
        help: written ? `${near} here: ${textOf(written)}` : undefined,
      });
      return undefined;
    }
    const verdict = solver.divides(product, whole);
    session.report(frame, mayNotDivide, {
      span,
      division: `${inParentheses(solver.show(whole))} / ${inParentheses(solver.show(product))}`,
      what: `this cuts ${solver.show(whole)} into \`${solver.show(product)}\` equal parts`,
      divisor: solver.show(product),
      of: solver.show(whole),
      witness: verdict.kind === "refuted" ? verdict.witness : undefined,
      declaration: frame.declaration,
    });
    return undefined;
  }
  return members.map((member, i): Piece => {
    const size = sizes[i] ?? {
      dim: solver.quotient(whole, product),
      origin: { kind: "rule" as const, span, parents: [axis.size.origin] },
    };
    const label = /^[A-Za-z_]/.test(member.name) ? member.name : undefined;
    return { name: member.name, span: member.span, axis: { label, size } };
  });
}

/** null after a message; undefined where the pattern gives no size. */
function sizeOfMember(frame: Frame, member: Member, value: TensorValue): Size | undefined | null {
  if (member.size) return sizeOf(frame, evaluate(frame, member.size), member.span) ?? null;
  // a label of the tensor is the axis itself, whose size is wanted; a dim or number in scope has its size
  if (value.type.axes.some((axis) => axis.label === member.name && !isDim(frame, member.name)))
    return undefined;
  const found = lookup(frame, member.name, member.span);
  if (found?.kind !== "number" || found.pattern) return undefined;
  return sizeOf(frame, found, member.span) ?? null;
}

function isDim(frame: Frame, name: string): boolean {
  const local = frame.locals.values.get(name);
  return local?.kind === "number" && !local.pattern;
}

function patternSize(frame: Frame, name: string): Size | undefined {
  const found = lookup(frame, name, frame.file.file.span);
  return found?.kind === "number" && found.dim ? { dim: found.dim, origin: found.origin } : undefined;
}

/** Names that a pattern is the first to use are dims from here on: `sqrt(E)`. */
export function bindNames(frame: Frame, pieces: readonly Piece[]): void {
  for (const { name, axis } of pieces) {
    if (!/^[A-Z]/.test(name)) continue;
    const known = lookup(frame, name, frame.file.file.span);
    if (known && !(known.kind === "number" && known.pattern)) continue;
    const { dim: size, origin } = axis.size;
    frame.locals.values.set(name, { ...dimNumber(size, origin), pattern: true });
  }
}
