/** iota: positions along an axis. */
import { dimsAttribute, numberAttribute } from "../ir/attribute.ts";
import { constant } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { tensor } from "../ir/tensor.ts";
import { eachPosition } from "./positions.ts";

export const iota = defineOp({
  name: "iota",
  summary: "The position along one axis, from 0, as i32.",
  operands: [],
  attributes: { shape: "sizes of the result", axis: "the axis" },
  infer(_, attributes) {
    const shape = dimsAttribute(attributes, "shape");
    const axis = numberAttribute(attributes, "axis");
    return shape[axis] ? [{ dtype: "i32", shape }] : { mismatch: `the result has no axis ${axis}` };
  },
  evaluate(_, attributes, { results }) {
    const axis = numberAttribute(attributes, "axis");
    const out = tensor("i32", results[0]!.shape);
    eachPosition(out.shape, (position, flat) => (out.data[flat] = position[axis]!));
    return [out];
  },
  element: (context, attributes) => ({
    kind: "index",
    type: "i32",
    index: context.index[numberAttribute(attributes, "axis")]!,
  }),
  gradient: { none: "it has no operands" },
  examples: [
    {
      operands: [],
      attributes: { shape: [constant(2), constant(3)], axis: 1 },
      results: [tensor("i32", [2, 3], [0, 1, 2, 0, 1, 2])],
    },
  ],
  cheap: true,
});
