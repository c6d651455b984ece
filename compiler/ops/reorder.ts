/** reorder: axes in another order. */
import { numbersAttribute } from "../ir/attribute.ts";
import { defineOp } from "../ir/op.ts";
import { stridesOf, tensor } from "../ir/tensor.ts";
import * as build from "./build.ts";
import { eachOffset } from "./positions.ts";

export const reorder = defineOp({
  name: "reorder",
  summary: "The same numbers with the axes in another order.",
  operands: ["x"],
  attributes: { permutation: "for each axis of the result the axis of the operand that it is" },
  infer([x], attributes) {
    const permutation = numbersAttribute(attributes, "permutation");
    const sorted = [...permutation].sort((a, b) => a - b);
    if (sorted.length !== x!.shape.length || sorted.some((axis, i) => axis !== i))
      return { mismatch: "permutation must name every axis of the operand once" };
    return [{ dtype: x!.dtype, shape: permutation.map((axis) => x!.shape[axis]!) }];
  },
  evaluate([x], attributes) {
    const permutation = numbersAttribute(attributes, "permutation");
    const out = tensor(
      x!.dtype,
      permutation.map((axis) => x!.shape[axis]!),
    );
    const own = stridesOf(x!.shape);
    const strides = permutation.map((axis) => own[axis]!);
    eachOffset(out.shape, strides, (flat, from) => (out.data[flat] = x!.data[from]!));
    return [out];
  },
  element(context, attributes) {
    const permutation = numbersAttribute(attributes, "permutation");
    return context.read(
      0,
      permutation.map((_, axis) => context.index[permutation.indexOf(axis)]!),
    );
  },
  gradient({ builder, cotangents }, attributes) {
    const permutation = numbersAttribute(attributes, "permutation");
    const ct = cotangents[0];
    return [
      ct &&
        build.reorder(
          builder,
          ct,
          permutation.map((_, axis) => permutation.indexOf(axis)),
        ),
    ];
  },
  examples: [
    {
      operands: [tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { permutation: [1, 0] },
      results: [tensor("f32", [3, 2], [1, 4, 2, 5, 3, 6])],
    },
    {
      operands: [tensor("i32", [1, 2, 3], [1, 2, 3, 4, 5, 6])],
      attributes: { permutation: [2, 0, 1] },
      results: [tensor("i32", [3, 1, 2], [1, 4, 2, 5, 3, 6])],
    },
  ],
  stacked: (attributes) => ({
    permutation: [0, ...numbersAttribute(attributes, "permutation").map((axis) => axis + 1)],
  }),
  cheap: true,
});
