/** slice: a range along one axis. */
import { dimAttribute, numberAttribute } from "../ir/attribute.ts";
import { add, constant, constantOf, subtract } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { affineShift } from "../ir/scalar.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import * as dim from "../ir/dim.ts";
import * as build from "./build.ts";

export const slice = defineOp({
  name: "slice",
  summary: "A range of positions along one axis.",
  operands: ["x"],
  attributes: { axis: "the axis", start: "the first position", size: "how many" },
  infer([x], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const start = dimAttribute(attributes, "start");
    const size = dimAttribute(attributes, "size");
    const whole = x!.shape[axis];
    if (!whole) return { mismatch: `the operand has no axis ${axis}` };
    const outside = [start, size, subtract(whole, add(start, size))].some((d) => (constantOf(d) ?? 0) < 0);
    if (outside) return { mismatch: `${start.key} to ${add(start, size).key} is not within ${whole.key}` };
    return [{ dtype: x!.dtype, shape: x!.shape.with(axis, size) }];
  },
  evaluate([x], attributes, { results, sizes }) {
    const axis = numberAttribute(attributes, "axis");
    const out = tensor(x!.dtype, results[0]!.shape);
    const inner = elementCount(x!.shape.slice(axis + 1));
    const outer = elementCount(x!.shape.slice(0, axis));
    const start = dim.evaluate(dimAttribute(attributes, "start"), sizes);
    const run = out.shape[axis]! * inner;
    for (let o = 0; o < outer; o++) {
      const from = (o * x!.shape[axis]! + start) * inner;
      out.data.set(x!.data.subarray(from, from + run), o * run);
    }
    return [out];
  },
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const at = affineShift(context.index[axis]!, dimAttribute(attributes, "start"));
    return context.read(0, context.index.with(axis, at));
  },
  gradient({ builder, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const axis = numberAttribute(attributes, "axis");
    const start = dimAttribute(attributes, "start");
    const end = add(start, dimAttribute(attributes, "size"));
    return [build.pad(builder, ct, axis, start, subtract(node.operands[0]!.type.shape[axis]!, end))];
  },
  examples: [
    {
      operands: [tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { axis: 1, start: constant(1), size: constant(2) },
      results: [tensor("f32", [2, 2], [2, 3, 5, 6])],
    },
  ],
  stacked: (attributes) => ({ ...attributes, axis: numberAttribute(attributes, "axis") + 1 }),
  cheap: true,
});
