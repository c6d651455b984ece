/** reduce: the sum, the largest or the smallest along axes. */
import { numbersAttribute, stringAttribute } from "../ir/attribute.ts";
import { constantOf } from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import { defineOp } from "../ir/op.ts";
import { stridesOf, tensor } from "../ir/tensor.ts";
import * as build from "./build.ts";
import { eachOffset } from "./positions.ts";
import type { Attributes } from "../ir/op.ts";

type Combine = "sum" | "max" | "min";

function combineOf(attributes: Attributes): Combine | undefined {
  const name = stringAttribute(attributes, "combine");
  return (["sum", "max", "min"] as const).find((each) => each === name);
}

export const reduce = defineOp({
  name: "reduce",
  summary:
    "The sum, the largest or the smallest along axes; a sum of nothing is 0, the others need at least one element. The cotangent of max and min is shared evenly among equals.",
  operands: ["x"],
  attributes: { axes: "the axes that go away, rising", combine: "sum, max or min" },
  infer([x], attributes) {
    const axes = numbersAttribute(attributes, "axes");
    const combine = combineOf(attributes);
    if (!combine) return { mismatch: "combine must be sum, max or min" };
    if (x!.dtype !== "f32") return { mismatch: `reduce takes f32, not ${x!.dtype}` };
    for (const [i, axis] of axes.entries()) {
      if (!x!.shape[axis] || (i > 0 && axis <= axes[i - 1]!)) return { mismatch: "axes must rise and exist" };
      if (combine !== "sum" && constantOf(x!.shape[axis]!) === 0)
        return { mismatch: `there is no ${combine} of nothing` };
    }
    return [{ dtype: "f32", shape: x!.shape.filter((_, axis) => !axes.includes(axis)) }];
  },
  evaluate([x], attributes, { results }) {
    const axes = numbersAttribute(attributes, "axes");
    const combine = combineOf(attributes)!;
    if (axes.length === 0) return [x!];
    const kept = x!.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const out = tensor("f32", results[0]!.shape);
    const begun = new Uint8Array(out.data.length);
    const own = stridesOf(out.shape);
    const strides = x!.shape.map(() => 0);
    kept.forEach((axis, i) => (strides[axis] = own[i]!));
    eachOffset(x!.shape, strides, (flat, at) => {
      const old = out.data[at]!;
      const value = x!.data[flat]!;
      if (combine === "sum") out.data[at] = old + value;
      else if (!begun[at] || Number.isNaN(value) || (combine === "max" ? value > old : value < old))
        out.data[at] = value;
      begun[at] = 1;
    });
    if (combine !== "sum" && begun.includes(0))
      throw new InternalError("evaluate", `there is no ${combine} of nothing`, undefined);
    return [out];
  },
  element(context, attributes) {
    const axes = numbersAttribute(attributes, "axes");
    if (axes.length === 0) return context.read(0, context.index);
    const shape = context.operands[0]!.shape;
    return context.reduce(
      combineOf(attributes)!,
      axes.map((axis) => shape[axis]!),
      (inner) => {
        let next = 0;
        return context.read(
          0,
          shape.map((_, axis) => (axes.includes(axis) ? inner[axes.indexOf(axis)]! : context.index[next++]!)),
        );
      },
    );
  },
  gradient({ builder, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const axes = numbersAttribute(attributes, "axes");
    const [x] = node.operands;
    const { shape } = x!.type;
    const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const back = (value: typeof ct) => build.expandTo(builder, value, shape, kept);
    if (combineOf(attributes) === "sum") return [back(ct)];
    const best = build.eq(builder, x!, back(node.results[0]!));
    const count = build.reduceSum(builder, build.cast(builder, best, "f32"), axes);
    const share = back(build.div(builder, ct, count));
    return [build.select(builder, best, share, build.fullLike(builder, 0, share))];
  },
  examples: [
    {
      operands: [tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { axes: [1], combine: "sum" },
      results: [tensor("f32", [2], [6, 15])],
    },
    {
      operands: [tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { axes: [0], combine: "max" },
      results: [tensor("f32", [3], [4, 5, 6])],
    },
    {
      operands: [tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { axes: [0, 1], combine: "min" },
      results: [tensor("f32", [], [1])],
    },
    {
      operands: [tensor("f32", [2, 0], [])],
      attributes: { axes: [1], combine: "sum" },
      results: [tensor("f32", [2], [0, 0])],
    },
  ],
  stacked: (attributes) => ({
    ...attributes,
    axes: numbersAttribute(attributes, "axes").map((axis) => axis + 1),
  }),
  cheap: false,
});
