/** add: x + y. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const add = elementwise({
  name: "add",
  summary: "The sum of two numbers; i32 wraps around.",
  operands: ["x", "y"],
  variants: [variant("add", (x, y) => x + y), variant("add_i32", (x, y) => (x + y) | 0)],
  gradient: ({ ct }) => [() => ct, () => ct],
  examples: [
    vectors(
      [
        [1, -2.5],
        [2, 0.5],
      ],
      [3, -2],
    ),
    vectors([[2147483647], [1]], [-2147483648], ["i32", "i32"], "i32"),
  ],
});
