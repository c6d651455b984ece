/** expand: an operand repeated along new axes. */
import { dimsAttribute, numbersAttribute } from "../ir/attribute.ts";
import { equal } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { stridesOf, tensor } from "../ir/tensor.ts";
import { constant } from "../ir/dim.ts";
import * as build from "./build.ts";
import { eachOffset } from "./positions.ts";

export const expand = defineOp({
  name: "expand",
  summary: "The operand repeated along the result's axes that it does not have.",
  operands: ["x"],
  attributes: {
    shape: "sizes of the result",
    axes: "for each axis of the operand, in order, the axis of the result that it becomes",
  },
  infer([x], attributes) {
    const shape = dimsAttribute(attributes, "shape");
    const axes = numbersAttribute(attributes, "axes");
    if (axes.length !== x!.shape.length)
      return { mismatch: "axes must name one result axis per operand axis" };
    for (const [i, axis] of axes.entries()) {
      if (i > 0 && axis <= axes[i - 1]!) return { mismatch: "axes must rise" };
      const size = shape[axis];
      if (!size || !equal(size, x!.shape[i]!))
        return { mismatch: `operand axis ${i} does not have the result's size` };
    }
    return [{ dtype: x!.dtype, shape }];
  },
  evaluate([x], attributes, { results }) {
    const axes = numbersAttribute(attributes, "axes");
    const { dtype, shape } = results[0]!;
    const out = tensor(dtype, shape);
    const strides = shape.map(() => 0);
    const own = stridesOf(x!.shape);
    axes.forEach((axis, i) => (strides[axis] = own[i]!));
    eachOffset(shape, strides, (flat, from) => (out.data[flat] = x!.data[from]!));
    return [out];
  },
  element(context, attributes) {
    return context.read(
      0,
      numbersAttribute(attributes, "axes").map((axis) => context.index[axis]!),
    );
  },
  gradient({ builder, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const kept = numbersAttribute(attributes, "axes");
    const added = node.results[0]!.type.shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
    return [build.reduceSum(builder, ct, added)];
  },
  examples: [
    {
      operands: [tensor("f32", [2], [1, 2])],
      attributes: { shape: [constant(3), constant(2)], axes: [1] },
      results: [tensor("f32", [3, 2], [1, 2, 1, 2, 1, 2])],
    },
    {
      operands: [tensor("f32", [2], [1, 2])],
      attributes: { shape: [constant(2), constant(2)], axes: [0] },
      results: [tensor("f32", [2, 2], [1, 1, 2, 2])],
    },
  ],
  stacked: (attributes, length) => ({
    shape: [length, ...dimsAttribute(attributes, "shape")],
    axes: [0, ...numbersAttribute(attributes, "axes").map((axis) => axis + 1)],
  }),
  cheap: true,
});
