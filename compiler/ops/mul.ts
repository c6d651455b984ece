/** mul: x * y. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const mul = elementwise({
  name: "mul",
  summary: "The product of two numbers; i32 wraps around.",
  operands: ["x", "y"],
  variants: [variant("mul", (x, y) => x * y), variant("mul_i32", (x, y) => Math.imul(x, y))],
  gradient: ({ b, ct, x, y }) => [() => build.mul(b, ct, y), () => build.mul(b, ct, x)],
  examples: [
    vectors(
      [
        [3, -2.5],
        [2, 2],
      ],
      [6, -5],
    ),
    vectors(
      [
        [65536, -3],
        [65536, 7],
      ],
      [0, -21],
      ["i32", "i32"],
      "i32",
    ),
  ],
});
