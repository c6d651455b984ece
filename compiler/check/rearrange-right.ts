/** The right side of a rearrange: the named pieces in their new order, merged and renamed. */
import type { AxisItem, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import { changesCount } from "./diagnostics/dlm0205-changes-count.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { nearestSpans } from "./origin.ts";
import { sizeOf } from "./sizes.ts";
import { elementsOf, showType } from "./type.ts";
import type { Axis, Size } from "./type.ts";
import type { TensorValue } from "./values.ts";
import { groupOf, memberOf } from "./rearrange-left.ts";
import type { Left, Piece } from "./rearrange-left.ts";

type Rearrange = Extract<Expression, { kind: "rearrange" }>;

export interface Right {
  readonly axes: readonly Axis[];
  readonly order: readonly number[];
  /** for each axis of the result how many pieces it merges */
  readonly merges: readonly number[];
}

export function arrange(
  frame: Frame,
  expression: Rearrange,
  to: Extract<Expression, { kind: "list" }>,
  left: Left,
  value: TensorValue,
  inputSpan: Span,
): Right | undefined {
  const { session, solver } = frame.elaboration;
  const used = new Set<number>();
  const order: number[] = [];
  const merges: number[] = [];
  const axes: Axis[] = [];
  const take = (name: string): number | undefined => {
    const place = left.pieces.findIndex((piece, i) => !used.has(i) && piece.name === name);
    if (place < 0) return undefined;
    used.add(place);
    order.push(place);
    return place;
  };
  const refuse = (span: Span, note: string): undefined => {
    session.report(frame, changesCount, {
      span,
      other: expression.from.span,
      here: note,
      there: `${textOf(expression.from.span)} goes in, ${showType(value.type, solver.show)}`,
      origins: [],
      help: undefined,
    });
    return undefined;
  };
  for (const item of to.items) {
    if (item.kind === "pack") {
      const pack = left.packs.get(item.name?.text ?? "");
      if (!pack) return refuse(item.span, `there is no ${textOf(item.span)} on the left`);
      for (const piece of pack) {
        if (take(piece.name) === undefined)
          return refuse(item.span, `${textOf(item.span)} stands here twice`);
        axes.push(piece.axis);
        merges.push(1);
      }
      continue;
    }
    const group = groupOf(item);
    if (group) {
      const parts: Piece[] = [];
      for (const member of group) {
        const place = take(member.name);
        if (place === undefined) return refuse(member.span, missing(left, used, member.name));
        parts.push(left.pieces[place]!);
      }
      axes.push({
        label: item.label?.text,
        size: {
          dim: dim.product(parts.map((piece) => piece.axis.size.dim)),
          origin: { kind: "rule", span: item.span, parents: parts.map((piece) => piece.axis.size.origin) },
        },
      });
      merges.push(parts.length);
      continue;
    }
    const member = memberOf({ name: item.label?.text, value: item.size, span: item.span });
    if (member.one) {
      const own = left.pieces.findIndex((piece, i) => !used.has(i) && piece.name === "1");
      if (own >= 0) take("1");
      axes.push({
        label: undefined,
        size: { dim: dim.one, origin: { kind: "written", span: item.span, name: undefined } },
      });
      merges.push(own >= 0 ? 1 : 0);
      continue;
    }
    // `S=T` renames T; `C=128` keeps C and states its size
    const source =
      item.label &&
      item.size.kind === "name" &&
      left.pieces.some(
        (piece, i) => !used.has(i) && piece.name === (item.size as { readonly text: string }).text,
      )
        ? item.size.text
        : member.name;
    const place = take(source);
    if (place === undefined) return refuse(item.span, missing(left, used, source));
    const piece = left.pieces[place]!;
    if (source === member.name && item.label && member.size) {
      const size = sizeOf(frame, evaluate(frame, member.size), item.span);
      if (!size) return undefined;
      if (solver.equal(size.dim, piece.axis.size.dim).kind !== "proved") {
        reportSides(frame, to, left, value, inputSpan, item, size);
        return undefined;
      }
    }
    const label = item.label?.text ?? (item.size.kind === "name" ? item.size.text : undefined);
    axes.push({ label, size: piece.axis.size });
    merges.push(1);
  }
  const rest = left.pieces.filter((_, i) => !used.has(i));
  // an axis of size 1 on the left may go away only by name; all others must come out
  if (rest.length > 0)
    return refuse(
      to.span,
      `${rest.map((piece) => piece.name).join(", ")} ${rest.length === 1 ? "does" : "do"} not come out`,
    );
  return { axes, order, merges };
}

function missing(left: Left, used: ReadonlySet<number>, name: string): string {
  return left.pieces.some((piece, i) => piece.name === name && used.has(i))
    ? `${name} stands here twice`
    : `there is no ${name} on the left`;
}

function reportSides(
  frame: Frame,
  to: Extract<Expression, { kind: "list" }>,
  left: Left,
  value: TensorValue,
  inputSpan: Span,
  item: Extract<AxisItem, { kind: "axis" }>,
  size: Size,
): void {
  const { session, solver } = frame.elaboration;
  const last = value.type.axes.at(-1);
  const inside = left.pieces
    .slice(value.type.axes.length - 1)
    .filter((piece) => piece.name !== item.label?.text);
  const wanted = dim.product([size.dim, ...inside.map((piece) => piece.axis.size.dim)]);
  const parts = [...inside.map((piece) => solver.show(piece.axis.size.dim)), solver.show(size.dim)];
  session.report(frame, changesCount, {
    span: to.span,
    other: last ? (nearestSpans(last.size.origin, 1)[0] ?? inputSpan) : inputSpan,
    here: `${parts.join(" · ")} = ${solver.show(wanted)} come out`,
    there: `${solver.show(last ? last.size.dim : elementsOf(value.type))} values go in`,
    origins: [],
    help: undefined,
  });
}
