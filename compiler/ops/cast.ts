/** cast: the same numbers in another dtype. */
import { defineOp } from "../ir/op.ts";
import { apply, f32, i32 } from "../ir/scalar.ts";
import { scalarTypeOf } from "../ir/type.ts";
import { stringAttribute } from "../ir/attribute.ts";
import * as build from "./build.ts";
import { vectors } from "./elementwise.ts";
import type { Attributes } from "../ir/op.ts";
import type { Scalar } from "../ir/scalar.ts";
import type { DType } from "../ir/type.ts";

const dtypes: readonly DType[] = ["f32", "f16", "i32", "u8", "bool"];

function target(attributes: Attributes): DType | undefined {
  const name = stringAttribute(attributes, "dtype");
  return dtypes.find((each) => each === name);
}

const isFloat = (dtype: DType): boolean => scalarTypeOf(dtype) === "f32";

function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/** Floats to integers cut the fraction off; NaN is 0. */
function whole(x: number, low: number, high: number): number {
  return Number.isNaN(x) ? 0 : Math.trunc(clamp(x, low, high)) + 0;
}

function toByte(value: Scalar): Scalar {
  return apply("min_i32", apply("max_i32", value, i32(0)), i32(255));
}

export const cast = defineOp({
  name: "cast",
  summary:
    "The same numbers in another dtype: to integers fractions are cut off and what is out of range becomes the nearest in it (NaN: 0), to bool everything but 0 is true, true is 1.",
  operands: ["x"],
  attributes: { dtype: "the dtype of the result" },
  infer([x], attributes) {
    const dtype = target(attributes);
    return dtype ? [{ dtype, shape: x!.shape }] : { mismatch: "there is no such dtype" };
  },
  evaluate([x], attributes) {
    const dtype = target(attributes)!;
    const data = x!.data.map((each) => {
      if (dtype === "bool") return each === 0 ? 0 : 1;
      if (dtype === "u8") return whole(each, 0, 255);
      if (dtype === "i32") return whole(each, -2147483648, 2147483647);
      return each;
    });
    return [{ dtype, shape: x!.shape, data }];
  },
  element(context) {
    const from = scalarTypeOf(context.operands[0]!.dtype);
    const dtype = context.results[0]!.dtype;
    const to = scalarTypeOf(dtype);
    const value = context.read(0, context.index);
    if (to === "bool") {
      if (from === "f32") return apply("ne", value, f32(0));
      return from === "i32" ? apply("ne_i32", value, i32(0)) : value;
    }
    if (to === "f32") {
      if (from === "i32") return apply("i32_to_f32", value);
      return from === "bool" ? apply("bool_to_f32", value) : value;
    }
    if (from === "bool") return apply("bool_to_i32", value);
    const integer = from === "f32" ? apply("f32_to_i32", value) : value;
    return dtype === "u8" && context.operands[0]!.dtype !== "u8" ? toByte(integer) : integer;
  },
  gradient({ builder, node, cotangents }) {
    const [x] = node.operands;
    const ct = cotangents[0];
    if (!ct || !isFloat(x!.type.dtype) || !isFloat(ct.type.dtype)) return [undefined];
    return [build.cast(builder, ct, x!.type.dtype)];
  },
  examples: [
    vectors([[1.75, -1.75, 1e20, NaN]], [1, -1, 2147483647, 0], ["f32"], "i32", { dtype: "i32" }),
    vectors([[1.75, -1.75, 300]], [1, 0, 255], ["f32"], "u8", { dtype: "u8" }),
    vectors([[-3, 3, 300]], [0, 3, 255], ["i32"], "u8", { dtype: "u8" }),
    vectors([[0, 0.5, -2]], [0, 1, 1], ["f32"], "bool", { dtype: "bool" }),
    vectors([[0, 1]], [0, 1], ["bool"], "f32", { dtype: "f32" }),
    vectors([[0, 200]], [0, 200], ["u8"], "i32", { dtype: "i32" }),
  ],
  stacked: (attributes) => attributes,
  cheap: true,
});
