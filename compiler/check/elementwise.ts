/**
 * Which axes of two tensors meet. Same rank: by position, sizes equal. A scalar goes with anything. Fewer axes: every
 * axis of the smaller has a label that the larger has, in the same order. Size 1 is never stretched.
 */
import type { Span } from "../../grammar/source.ts";
import { cannotLineUp } from "./diagnostics/dlm0405-cannot-line-up.ts";
import { cannotProveEqual } from "./diagnostics/dlm0204-cannot-prove-equal.ts";
import { listed } from "./diagnostics/words.ts";
import { sameLabelTwice } from "./diagnostics/dlm0404-same-label-twice.ts";
import { expandTo } from "./emit.ts";
import type { Frame } from "./frame.ts";
import { originLabels } from "./origin.ts";
import { equalityPromise } from "./promise.ts";
import { showAxis, showType } from "./type.ts";
import type { Axis } from "./type.ts";
import type { TensorValue } from "./values.ts";
import type { Value } from "../ir/graph.ts";

export interface Aligned {
  readonly axes: readonly Axis[];
  readonly left: Value | undefined;
  readonly right: Value | undefined;
}

/** The operands brought to one shape; undefined where they do not fit, which is reported. `what` is the op: "`+`". */
export function align(
  frame: Frame,
  what: string,
  left: TensorValue,
  right: TensorValue,
  span: Span,
): Aligned | undefined {
  const a = left.type.axes;
  const b = right.type.axes;
  if (a.length === b.length) {
    const axes = pairByPosition(frame, what, left, right, span);
    return axes && { axes, left: left.value, right: right.value };
  }
  const [large, small] = a.length > b.length ? [left, right] : [right, left];
  const places = placesByLabel(frame, what, left, right, large, small, span);
  if (!places) return undefined;
  const expanded = expandTo(frame, small, large.type.axes, places, span);
  return large === left
    ? { axes: large.type.axes, left: left.value, right: expanded }
    : { axes: large.type.axes, left: expanded, right: right.value };
}

function pairByPosition(
  frame: Frame,
  what: string,
  left: TensorValue,
  right: TensorValue,
  span: Span,
): Axis[] | undefined {
  const a = left.type.axes;
  const b = right.type.axes;
  if (ordersDiffer(a, b)) {
    refuse(frame, what, left, right, span, ["the same axes stand in another order"], "order");
    return undefined;
  }
  const pairs = a.map((axis, i) => [axis, b[i]!] as const);
  if (!sizesMeet(frame, what, left, right, pairs, span)) return undefined;
  return pairs.map(([axis, other]) => mergeAxis(axis, other));
}

export function mergeAxis(axis: Axis, other: Axis): Axis {
  return axis.label === undefined && other.label !== undefined ? { ...other, size: axis.size } : axis;
}

/** Labels that both sides have stand in another order. */
export function ordersDiffer(a: readonly Axis[], b: readonly Axis[]): boolean {
  const left = a.map((axis) => axis.label).filter((label) => label !== undefined);
  const right = b.map((axis) => axis.label).filter((label) => label !== undefined);
  const common = left.filter((label) => right.includes(label));
  const other = right.filter((label) => left.includes(label));
  return common.length === other.length && common.some((label, i) => label !== other[i]);
}

/** Whether the sizes of each pair are one; says so where they are not, or may not be. */
function sizesMeet(
  frame: Frame,
  what: string,
  left: TensorValue,
  right: TensorValue,
  pairs: readonly (readonly [Axis, Axis])[],
  span: Span,
): boolean {
  const { solver, session } = frame.elaboration;
  const { show } = solver;
  const open = pairs.flatMap(([axis, other]) => {
    const verdict = solver.equal(axis.size.dim, other.size.dim);
    return verdict.kind === "proved" ? [] : [{ axis, other, verdict }];
  });
  const never = open.find(({ verdict }) => verdict.kind === "refuted" && verdict.witness.size === 0);
  if (never) {
    const { axis, other } = never;
    const shown = `${show(axis.size.dim)} and ${show(other.size.dim)}`;
    refuse(frame, what, left, right, span, [`${shown} differ`], "size", axis, other);
    return false;
  }
  const [first] = open;
  if (!first) return true;
  const has = (axes: readonly Axis[]): string => `has ${listed(axes.map((axis) => showAxis(axis, show)))}`;
  session.report(frame, cannotProveEqual, {
    span,
    sides: [
      { span: left.span, text: has(open.map(({ axis }) => axis)) },
      { span: right.span, text: has(open.map(({ other }) => other)) },
    ],
    sizes: [first.axis.size, first.other.size].map((size) => ({
      text: show(size.dim),
      dim: solver.normalise(size.dim),
    })),
    origins: [first.axis, first.other].flatMap(({ size }) =>
      originLabels(show(size.dim), size.origin, [left.span, right.span]),
    ),
    witness: first.verdict.kind === "refuted" ? first.verdict.witness : undefined,
    promise: equalityPromise(
      frame,
      open.map(({ axis, other }) => [axis.size.dim, other.size.dim]),
    ),
    right: right.span,
  });
  return false;
}

function placesByLabel(
  frame: Frame,
  what: string,
  left: TensorValue,
  right: TensorValue,
  large: TensorValue,
  small: TensorValue,
  span: Span,
): number[] | undefined {
  const { session, solver } = frame.elaboration;
  const places: number[] = [];
  for (const axis of small.type.axes) {
    const found = large.type.axes.flatMap((each, i) =>
      axis.label !== undefined && each.label === axis.label ? [i] : [],
    );
    if (found.length > 1) {
      session.report(frame, sameLabelTwice, {
        span: large.span,
        label: axis.shown ?? axis.label!,
        type: showType(large.type, solver.show),
        origins: found.flatMap((i) =>
          originLabels(`one ${axis.label}`, large.type.axes[i]!.size.origin, [large.span]),
        ),
      });
      return undefined;
    }
    const place = found[0];
    if (place === undefined) {
      const size = solver.show(axis.size.dim);
      refuse(
        frame,
        what,
        left,
        right,
        span,
        [
          axis.label === undefined
            ? `the axis of ${size} has no label`
            : `${showType(large.type, solver.show)} has no axis ${axis.shown ?? axis.label}`,
        ],
        "label",
        axis,
      );
      return undefined;
    }
    if (places.length > 0 && place <= places[places.length - 1]!) {
      refuse(frame, what, left, right, span, ["the same axes stand in another order"], "order");
      return undefined;
    }
    places.push(place);
  }
  const pairs = places.map((place, i) => {
    const [partner, axis] = [large.type.axes[place]!, small.type.axes[i]!];
    return large === left ? ([partner, axis] as const) : ([axis, partner] as const);
  });
  return sizesMeet(frame, what, left, right, pairs, span) ? places : undefined;
}

function refuse(
  frame: Frame,
  what: string,
  left: TensorValue,
  right: TensorValue,
  span: Span,
  notes: readonly string[],
  why: "order" | "size" | "label",
  axis?: Axis,
  other?: Axis,
): void {
  const { session, solver } = frame.elaboration;
  session.report(frame, cannotLineUp, {
    span,
    what,
    left: { span: left.span, text: showType(left.type, solver.show) },
    right: { span: right.span, text: showType(right.type, solver.show) },
    notes,
    why,
    axis: axis && { label: axis.shown ?? axis.label, size: solver.show(axis.size.dim) },
    ranks: [left.type.axes.length, right.type.axes.length],
    origins: [axis, other].flatMap((each) =>
      each && why === "size"
        ? originLabels(solver.show(each.size.dim), each.size.origin, [left.span, right.span, span])
        : [],
    ),
  });
}
