/** constant: numbers known when compiling. */
import { tensorAttribute } from "../ir/attribute.ts";
import { InternalError } from "../ir/internal-error.ts";
import { defineOp } from "../ir/op.ts";
import { tensor } from "../ir/tensor.ts";
import { scalarTypeOf, tensorType } from "../ir/type.ts";

export const constant = defineOp({
  name: "constant",
  summary: "Numbers known when compiling.",
  operands: [],
  attributes: { value: "the numbers" },
  infer(_, attributes) {
    const { dtype, shape } = tensorAttribute(attributes, "value");
    return [tensorType(dtype, shape)];
  },
  evaluate: (_, attributes) => [tensorAttribute(attributes, "value")],
  /** Only of a single number: lowering makes a buffer of anything larger. */
  element(_, attributes) {
    const { dtype, data } = tensorAttribute(attributes, "value");
    if (data.length !== 1) throw new InternalError("constant", "a table has no scalar code", undefined);
    return { kind: "constant", type: scalarTypeOf(dtype), value: data[0]! };
  },
  gradient: { none: "it has no operands" },
  examples: [
    {
      operands: [],
      attributes: { value: tensor("f32", [2], [1, 2]) },
      results: [tensor("f32", [2], [1, 2])],
    },
  ],
  cheap: true,
});
