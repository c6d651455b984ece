/** merge: several axes as one, row-major. */
import { numberAttribute } from "../ir/attribute.ts";
import { product } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { tensor } from "../ir/tensor.ts";
import * as build from "./build.ts";

export const merge = defineOp({
  name: "merge",
  summary:
    "Neighbouring axes put together into one, the last one fastest; none of them gives a new axis of size 1.",
  operands: ["x"],
  attributes: { axis: "the first of them", count: "how many" },
  infer([x], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const count = numberAttribute(attributes, "count");
    if (axis < 0 || count < 0 || axis + count > x!.shape.length)
      return { mismatch: `the operand has no axes ${axis} to ${axis + count - 1}` };
    const merged = product(x!.shape.slice(axis, axis + count));
    return [{ dtype: x!.dtype, shape: x!.shape.toSpliced(axis, count, merged) }];
  },
  evaluate: ([x], _, { results }) => [tensor(x!.dtype, results[0]!.shape, x!.data)],
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const count = numberAttribute(attributes, "count");
    const sizes = context.operands[0]!.shape.slice(axis, axis + count);
    const parts = count === 0 ? [] : context.unmerge(context.index[axis]!, sizes);
    return context.read(0, context.index.toSpliced(axis, 1, ...parts));
  },
  gradient({ builder, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const axis = numberAttribute(attributes, "axis");
    const sizes = node.operands[0]!.type.shape.slice(axis, axis + numberAttribute(attributes, "count"));
    return [build.split(builder, ct, axis, sizes)];
  },
  examples: [
    {
      operands: [tensor("f32", [2, 2], [1, 2, 3, 4])],
      attributes: { axis: 0, count: 2 },
      results: [tensor("f32", [4], [1, 2, 3, 4])],
    },
    {
      operands: [tensor("f32", [2], [1, 2])],
      attributes: { axis: 1, count: 0 },
      results: [tensor("f32", [2, 1], [1, 2])],
    },
  ],
  stacked: (attributes) => ({ ...attributes, axis: numberAttribute(attributes, "axis") + 1 }),
  cheap: true,
});
