/** size: a size as a number. */
import { dimAttribute } from "../ir/attribute.ts";
import { constant, evaluate } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { apply } from "../ir/scalar.ts";
import { tensor } from "../ir/tensor.ts";

export const size = defineOp({
  name: "size",
  summary: "A size as an f32 of rank 0.",
  operands: [],
  attributes: { dim: "the size" },
  infer(_, attributes) {
    dimAttribute(attributes, "dim");
    return [{ dtype: "f32", shape: [] }];
  },
  evaluate: (_, attributes, { sizes }) => [
    tensor("f32", [], [evaluate(dimAttribute(attributes, "dim"), sizes)]),
  ],
  element: (context, attributes) => apply("i32_to_f32", context.size(dimAttribute(attributes, "dim"))),
  gradient: { none: "it has no operands" },
  examples: [{ operands: [], attributes: { dim: constant(7) }, results: [tensor("f32", [], [7])] }],
  cheap: true,
});
