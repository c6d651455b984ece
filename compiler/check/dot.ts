/** Contractions by label: `dot(a, b) over E` and `a @ b`. */
import type { Span } from "../../grammar/source.ts";
import * as build from "../ops/build.ts";
import { arithmeticIsAllowed } from "./arithmetic.ts";
import { axisMissing } from "./diagnostics/dlm0403-no-such-axis.ts";
import { cannotLineUp } from "./diagnostics/dlm0405-cannot-line-up.ts";
import { sameLabelTwice } from "./diagnostics/dlm0404-same-label-twice.ts";
import { wrongRank } from "./diagnostics/dlm0211-wrong-rank.ts";
import { computed, emit } from "./emit.ts";
import { mergeAxis } from "./elementwise.ts";
import type { Frame } from "./frame.ts";
import { nearest } from "./names.ts";
import { originLabels } from "./origin.ts";
import { labelsOf, resolveOver } from "./over.ts";
import { axisName } from "./signature.ts";
import { checkType, showType } from "./type.ts";
import type { Axis } from "./type.ts";
import { unknown } from "./values.ts";
import type { CheckValue, OverAxes, TensorValue } from "./values.ts";

type Pair = readonly [number, number];

/** The named axes are contracted, other common labels are paired in place, the rest follow: a's, then b's. */
export function dot(frame: Frame, a: TensorValue, b: TensorValue, over: OverAxes, span: Span): CheckValue {
  if (!arithmeticIsAllowed(frame, "`dot`", [a, b])) return unknown;
  const inner: Pair[] = [];
  for (const item of over.items) {
    const one = { ...over, items: [item] };
    const label = axisName(item);
    // the label must be on both sides
    if (label !== undefined && label !== "last" && !both(frame, label, a, b, item.span)) return unknown;
    const left = resolveOver(frame, one, a.type, a.span);
    const right = left && resolveOver(frame, one, b.type, b.span);
    if (!left || !right) return unknown;
    left.forEach((place, i) => {
      const partner = right[i];
      if (partner !== undefined) inner.push([place, partner]);
    });
  }
  return contract(frame, a, b, inner, span, "`dot`");
}

function both(frame: Frame, label: string, a: TensorValue, b: TensorValue, span: Span): boolean {
  const { session, solver } = frame.elaboration;
  for (const side of [a, b]) {
    if (side.type.axes.some((axis) => axis.label === label)) continue;
    session.report(frame, axisMissing, {
      span,
      axis: label,
      type: showType(side.type, solver.show),
      near: nearest(label, labelsOf(side.type)),
      axes: labelsOf(side.type),
      tensor: side.span,
    });
    return false;
  }
  return true;
}

/** `a @ b`: a's last axis with b's first. */
export function matrixProduct(frame: Frame, a: TensorValue, b: TensorValue, span: Span): CheckValue {
  const { session, solver } = frame.elaboration;
  if (!arithmeticIsAllowed(frame, "`@`", [a, b])) return unknown;
  const scalar = a.type.axes.length === 0 ? a : b.type.axes.length === 0 ? b : undefined;
  if (scalar) {
    session.report(frame, wrongRank, {
      span,
      name: "@",
      expected: "[.., D] on the left and [D, ..] on the right",
      given: showType(scalar.type, solver.show),
      count: 0,
      value: scalar.span,
    });
    return unknown;
  }
  for (const [side, axis] of [
    [a, a.type.axes.at(-1)!],
    [b, b.type.axes[0]!],
  ] as const) {
    const { label } = axis;
    if (label === undefined || side.type.axes.filter((each) => each.label === label).length < 2) continue;
    session.report(frame, sameLabelTwice, {
      span: side.span,
      label: axis.shown ?? label,
      type: showType(side.type, solver.show),
      origins: originLabels(label, axis.size.origin, [side.span]),
    });
    return unknown;
  }
  return contract(frame, a, b, [[a.type.axes.length - 1, 0]], span, "`@`", false);
}

function contract(
  frame: Frame,
  a: TensorValue,
  b: TensorValue,
  inner: readonly Pair[],
  span: Span,
  what: string,
  pairing = true,
): CheckValue {
  const { session, solver } = frame.elaboration;
  const meet = (left: Axis, right: Axis): boolean => {
    if (solver.equal(left.size.dim, right.size.dim).kind === "proved") return true;
    session.report(frame, cannotLineUp, {
      span,
      what,
      left: { span: a.span, text: showType(a.type, solver.show) },
      right: { span: b.span, text: showType(b.type, solver.show) },
      notes: [`${solver.show(left.size.dim)} and ${solver.show(right.size.dim)} meet`],
      why: "size",
      axis: undefined,
      ranks: [a.type.axes.length, b.type.axes.length],
      origins: [left, right].flatMap((axis) =>
        originLabels(solver.show(axis.size.dim), axis.size.origin, [a.span, b.span, span]),
      ),
    });
    return false;
  };
  for (const [i, j] of inner) if (!meet(a.type.axes[i]!, b.type.axes[j]!)) return unknown;
  const batch: Pair[] = [];
  const free = (tensor: TensorValue, side: 0 | 1): number[] =>
    tensor.type.axes.map((_, i) => i).filter((i) => !inner.some((pair) => pair[side] === i));
  if (pairing) {
    for (const i of free(a, 0)) {
      const { label } = a.type.axes[i]!;
      const partner = label === undefined ? -1 : free(b, 1).find((j) => b.type.axes[j]!.label === label);
      if (partner === undefined || partner < 0) continue;
      if (!meet(a.type.axes[i]!, b.type.axes[partner]!)) return unknown;
      batch.push([i, partner]);
    }
  }
  const restOfB = free(b, 1).filter((j) => !batch.some((pair) => pair[1] === j));
  // paired axes stay in place: the result has a's axes in a's order, then what b adds
  const kept = free(a, 0);
  const axes = [
    ...kept.map((i) => {
      const pair = batch.find(([x]) => x === i);
      return pair ? mergeAxis(a.type.axes[i]!, b.type.axes[pair[1]]!) : a.type.axes[i]!;
    }),
    ...restOfB.map((j) => b.type.axes[j]!),
  ];
  const twice = axes.findIndex(
    (axis, i) => axis.label !== undefined && axes.some((o, j) => j < i && o.label === axis.label),
  );
  const again = axes[twice];
  if (again?.label !== undefined) {
    session.report(frame, sameLabelTwice, {
      span,
      label: again.shown ?? again.label,
      type: `[${axes.map((axis) => axis.shown ?? axis.label ?? solver.show(axis.size.dim)).join(", ")}]`,
      origins: axes.flatMap((axis) =>
        axis.label === again.label ? originLabels(`one ${again.label}`, axis.size.origin, [span]) : [],
      ),
    });
    return unknown;
  }
  const node = emit(frame, span, [a.value, b.value], (builder, [x, y]) => {
    const made = build.contract(builder, x!, y!, { batch, inner });
    // contract puts the paired axes first
    const order = [...batch.map(([i]) => i), ...kept.filter((i) => !batch.some(([x]) => x === i))];
    const back = kept.map((i) => order.indexOf(i));
    return build.reorder(builder, made, [...back, ...restOfB.map((_, k) => kept.length + k)]);
  });
  return computed([a, b], checkType("f32", axes), node, span);
}
