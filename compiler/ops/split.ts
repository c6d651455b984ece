/** split: one axis as several, row-major. */
import { dimsAttribute, numberAttribute } from "../ir/attribute.ts";
import { constant, equal, product } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { affineAdd, affineConstant, affineScale } from "../ir/scalar.ts";
import { tensor } from "../ir/tensor.ts";
import * as build from "./build.ts";

export const split = defineOp({
  name: "split",
  summary: "One axis taken apart into several, the last one fastest; into none where its size is 1.",
  operands: ["x"],
  attributes: { axis: "the axis", sizes: "sizes of what it becomes; their product is its size" },
  infer([x], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const sizes = dimsAttribute(attributes, "sizes");
    const size = x!.shape[axis];
    if (!size) return { mismatch: `the operand has no axis ${axis}` };
    if (!equal(product(sizes), size))
      return { mismatch: `${sizes.map((s) => s.key).join(" * ")} is not the size ${size.key}` };
    return [{ dtype: x!.dtype, shape: x!.shape.toSpliced(axis, 1, ...sizes) }];
  },
  evaluate: ([x], _, { results }) => [tensor(x!.dtype, results[0]!.shape, x!.data)],
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const sizes = dimsAttribute(attributes, "sizes");
    const whole = sizes.reduce(
      (sum, size, i) => affineAdd(affineScale(sum, size), context.index[axis + i]!),
      affineConstant(0),
    );
    return context.read(0, context.index.toSpliced(axis, sizes.length, whole));
  },
  gradient({ builder, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const count = dimsAttribute(attributes, "sizes").length;
    return [build.merge(builder, ct, numberAttribute(attributes, "axis"), count)];
  },
  examples: [
    {
      operands: [tensor("f32", [4], [1, 2, 3, 4])],
      attributes: { axis: 0, sizes: [constant(2), constant(2)] },
      results: [tensor("f32", [2, 2], [1, 2, 3, 4])],
    },
    {
      operands: [tensor("f32", [2, 1], [1, 2])],
      attributes: { axis: 1, sizes: [] },
      results: [tensor("f32", [2], [1, 2])],
    },
  ],
  stacked: (attributes) => ({ ...attributes, axis: numberAttribute(attributes, "axis") + 1 }),
  cheap: true,
});
