/** Rules of views: those that do nothing, those that undo each other, those that are one. */
import { dimAttribute, dimsAttribute, numberAttribute, numbersAttribute } from "../../ir/attribute.ts";
import * as dim from "../../ir/dim.ts";
import { sameShape, tensorType } from "../../ir/type.ts";
import * as build from "../../ops/build.ts";
import { axisMap, mapsOf } from "../../ops/index-maps.ts";
import { concat as concatOp } from "../../ops/concat.ts";
import { merge as mergeOp } from "../../ops/merge.ts";
import { pad as padOp } from "../../ops/pad.ts";
import { reduce as reduceOp } from "../../ops/reduce.ts";
import { reorder as reorderOp } from "../../ops/reorder.ts";
import { slice as sliceOp } from "../../ops/slice.ts";
import { split as splitOp } from "../../ops/split.ts";
import { expand as expandOp } from "../../ops/expand.ts";
import { madeBy } from "./rule.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Node, Value } from "../../ir/graph.ts";
import type { Rule } from "./rule.ts";

const d = dim.constant;
const B = dim.symbol("B");

function x(b: GraphBuilder, ...shape: (number | dim.Dim)[]): Value {
  return b.input(`x${b.inputs.length}`, "input", tensorType("f32", shape));
}

const axisOf = (node: Node): number => numberAttribute(node.attributes, "axis");

/** start, end of a slice */
function rangeOf(node: Node): readonly [dim.Dim, dim.Dim] {
  const start = dimAttribute(node.attributes, "start");
  return [start, dim.add(start, dimAttribute(node.attributes, "size"))];
}

/** Whether a <= b for every size of the free dims, which are at least 1: all coefficients of b - a, but that of the constant term, are not negative, and it is at least 0 where they are 1. */
function atMost(a: dim.Dim, b: dim.Dim): boolean {
  const difference = dim.subtract(b, a);
  let least = 0;
  for (const { coefficient, atoms } of difference.terms) {
    if (atoms.some((atom) => atom.kind === "floor")) return false;
    if (atoms.length > 0 && coefficient < 0) return false;
    least += coefficient;
  }
  return least >= 0;
}

export const viewRules: readonly Rule[] = [
  {
    sentence: "A view that changes nothing is its operand.",
    ops: ["expand", "reorder", "split", "merge", "slice", "pad", "concat"],
    apply(node) {
      const [p] = node.operands;
      if (node.operands.length > 1 || !sameShape(p!.type.shape, node.results[0]!.type.shape))
        return undefined;
      const moves =
        node.op.name === "reorder" &&
        numbersAttribute(node.attributes, "permutation").some((axis, i) => axis !== i);
      return moves ? undefined : p;
    },
    examples: [
      (b) => b.emit(reorderOp, [x(b, 2, B)], { permutation: [0, 1] }),
      (b) => b.emit(splitOp, [x(b, B)], { axis: 0, sizes: [B] }),
      (b) => b.emit(mergeOp, [x(b, B, 2)], { axis: 1, count: 1 }),
      (b) => b.emit(sliceOp, [x(b, B, 2)], { axis: 0, start: dim.zero, size: B }),
      (b) => b.emit(padOp, [x(b, B, 2)], { axis: 0, before: dim.zero, after: dim.zero }),
      (b) => b.emit(concatOp, [x(b, B, 2)], { axis: 0 }),
      (b) => b.emit(expandOp, [x(b, B, 2)], { shape: [B, d(2)], axes: [0, 1] }),
    ],
  },
  {
    sentence: "A reorder of a reorder is one reorder.",
    ops: ["reorder"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "reorder");
      if (!inner) return undefined;
      const first = numbersAttribute(inner.attributes, "permutation");
      const second = numbersAttribute(node.attributes, "permutation");
      return build.reorder(
        b,
        inner.operands[0]!,
        second.map((axis) => first[axis]!),
      );
    },
    examples: [
      (b) => build.reorder(b, build.reorder(b, x(b, 2, B, 4), [1, 2, 0]), [1, 0, 2]),
      (b) => build.reorder(b, build.reorder(b, x(b, 2, B, 4), [1, 2, 0]), [2, 0, 1]),
    ],
  },
  {
    sentence: "A merge of what was split at the same place is what it was.",
    ops: ["merge"],
    apply(node) {
      const inner = madeBy(node.operands[0], "split");
      if (!inner || axisOf(inner) !== axisOf(node)) return undefined;
      const count = dimsAttribute(inner.attributes, "sizes").length;
      return count === numberAttribute(node.attributes, "count") ? inner.operands[0] : undefined;
    },
    examples: [
      (b) => build.merge(b, build.split(b, x(b, 2, 6), 1, [d(2), d(3)]), 1, 2),
      (b) => build.insertAxis(b, build.dropAxis(b, x(b, B, 1), 1), 1),
    ],
  },
  {
    sentence: "A split into the sizes that were merged at the same place is what it was.",
    ops: ["split"],
    apply(node) {
      const inner = madeBy(node.operands[0], "merge");
      if (!inner || axisOf(inner) !== axisOf(node)) return undefined;
      const axis = axisOf(node);
      const [p] = inner.operands;
      const merged = p!.type.shape.slice(axis, axis + numberAttribute(inner.attributes, "count"));
      return sameShape(merged, dimsAttribute(node.attributes, "sizes")) ? p : undefined;
    },
    examples: [
      (b) => build.split(b, build.merge(b, x(b, B, 2, 3), 1, 2), 1, [d(2), d(3)]),
      (b) => build.dropAxis(b, build.insertAxis(b, x(b, B), 0), 0),
    ],
  },
  {
    sentence: "A slice of a slice along the same axis is one slice.",
    ops: ["slice"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "slice");
      if (!inner || axisOf(inner) !== axisOf(node)) return undefined;
      const start = dim.add(rangeOf(inner)[0], rangeOf(node)[0]);
      return build.slice(b, inner.operands[0]!, axisOf(node), start, dimAttribute(node.attributes, "size"));
    },
    examples: [(b) => build.slice(b, build.slice(b, x(b, B, 6), 1, d(1), d(4)), 1, d(2), d(1))],
  },
  {
    sentence: "A slice that lies within the operand of a pad is a slice of that operand.",
    ops: ["slice"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "pad");
      if (!inner || axisOf(inner) !== axisOf(node)) return undefined;
      const axis = axisOf(node);
      const [start, end] = rangeOf(node);
      const before = dimAttribute(inner.attributes, "before");
      const size = inner.operands[0]!.type.shape[axis]!;
      if (!atMost(before, start) || !atMost(end, dim.add(before, size))) return undefined;
      return build.slice(b, inner.operands[0]!, axis, dim.subtract(start, before), dim.subtract(end, start));
    },
    examples: [
      (b) => build.slice(b, build.pad(b, x(b, 2, 4), 1, d(2), d(1)), 1, d(3), d(2)),
      (b) => build.slice(b, build.pad(b, x(b, B), 0, d(2), B), 0, d(2), B),
    ],
  },
  {
    sentence: "A slice that lies within one part of a concat is a slice of that part.",
    ops: ["slice"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "concat");
      if (!inner || axisOf(inner) !== axisOf(node)) return undefined;
      const axis = axisOf(node);
      const [start, end] = rangeOf(node);
      let offset = dim.zero;
      for (const part of inner.operands) {
        const next = dim.add(offset, part.type.shape[axis]!);
        if (atMost(offset, start) && atMost(end, next))
          return build.slice(b, part, axis, dim.subtract(start, offset), dim.subtract(end, start));
        offset = next;
      }
      return undefined;
    },
    examples: [
      (b) => build.slice(b, build.concat(b, [x(b, 2, 3), x(b, 2, B)], 1), 1, d(3), B),
      (b) => build.slice(b, build.concat(b, [x(b, 2, 3), x(b, 2, B)], 1), 1, d(1), d(2)),
    ],
  },
  {
    sentence: "Parts of a concat that are neighbouring slices of one value are one slice of it.",
    ops: ["concat"],
    apply(node, b) {
      const axis = axisOf(node);
      const parts: Value[] = [];
      for (const part of node.operands) {
        const before = madeBy(parts.at(-1), "slice");
        const slice = madeBy(part, "slice");
        const source = slice?.operands[0];
        const follows =
          before &&
          slice &&
          before.operands[0] === source &&
          axisOf(before) === axis &&
          axisOf(slice) === axis;
        if (!follows || !dim.equal(rangeOf(before)[1], rangeOf(slice)[0])) {
          parts.push(part);
          continue;
        }
        const start = rangeOf(before)[0];
        const size = dim.subtract(rangeOf(slice)[1], start);
        parts.splice(-1, 1, build.slice(b, source!, axis, start, size));
      }
      return parts.length < node.operands.length ? build.concat(b, parts, axis) : undefined;
    },
    examples: [
      (b) => {
        const value = x(b, 2, 7);
        const slice = (start: number, size: number) => build.slice(b, value, 1, d(start), d(size));
        return build.concat(b, [slice(5, 1), slice(1, 2), slice(3, 1), slice(4, 3), x(b, 2, B)], 1);
      },
      (b) => {
        const value = x(b, B, 4);
        return build.concat(
          b,
          [build.slice(b, value, 1, d(0), d(1)), build.slice(b, value, 1, d(1), d(3))],
          1,
        );
      },
    ],
  },
  {
    sentence: "A reduction over no axes is its operand.",
    ops: ["reduce"],
    apply: (node) => (numbersAttribute(node.attributes, "axes").length === 0 ? node.operands[0] : undefined),
    examples: [(b) => b.emit(reduceOp, [x(b, B)], { axes: [], combine: "sum" })],
  },
  {
    sentence:
      "An index of one operand that reads whole axes in some order, perhaps repeated along others, is a reorder and an expand.",
    ops: ["index"],
    apply(node, b) {
      const { axes, result, maps } = mapsOf(node.attributes);
      const [p] = node.operands;
      if (node.operands.length > 1 || result !== axes.length) return undefined;
      const loops = maps[0]!.map((map, axis) => {
        const loop = map.coefficients.findIndex((c) => c !== 0);
        const whole =
          loop >= 0 &&
          dim.equal(map.constant, dim.zero) &&
          dim.equal(p!.type.shape[axis]!, axes[loop]!) &&
          map.coefficients.every((c, i) => c === (i === loop ? 1 : 0));
        return whole ? loop : -1;
      });
      if (loops.includes(-1) || new Set(loops).size < loops.length) return undefined;
      const sorted = [...loops].sort((i, j) => i - j);
      const ordered = build.reorder(
        b,
        p!,
        sorted.map((loop) => loops.indexOf(loop)),
      );
      return build.expandTo(b, ordered, axes, sorted);
    },
    examples: [
      [axisMap(2, [[0, 1]]), axisMap(2, [[1, 1]])],
      [axisMap(2, [[1, 1]]), axisMap(2, [[0, 1]])],
    ]
      .map((maps) => (b: GraphBuilder) => {
        const shape = maps.map((map) => (map.coefficients[0] === 1 ? B : d(2)));
        return build.index(b, [x(b, ...shape)], { axes: [B, d(2)], result: 2, maps: [maps] });
      })
      .concat((b) =>
        build.index(b, [x(b, 4, B)], {
          axes: [d(3), B, d(2), d(4)],
          result: 4,
          maps: [[axisMap(4, [[3, 1]]), axisMap(4, [[1, 1]])]],
        }),
      ),
  },
];
