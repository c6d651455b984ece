/** sub: x - y. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const sub = elementwise({
  name: "sub",
  summary: "The difference of two numbers; i32 wraps around.",
  operands: ["x", "y"],
  variants: [variant("sub", (x, y) => x - y), variant("sub_i32", (x, y) => (x - y) | 0)],
  gradient: ({ b, ct }) => [() => ct, () => build.neg(b, ct)],
  examples: [
    vectors(
      [
        [1, -2.5],
        [2, 0.5],
      ],
      [-1, -3],
    ),
    vectors([[-2147483648], [1]], [2147483647], ["i32", "i32"], "i32"),
  ],
});
