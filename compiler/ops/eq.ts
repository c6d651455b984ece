/** eq: whether two numbers are equal. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const eq = elementwise({
  name: "eq",
  summary: "Whether two numbers are equal.",
  operands: ["x", "y"],
  variants: [variant("eq", (x, y) => (x === y ? 1 : 0)), variant("eq_i32", (x, y) => (x === y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [1, 2],
        [1, 3],
      ],
      [1, 0],
      [],
      "bool",
    ),
    vectors(
      [
        [1, 2],
        [1, 3],
      ],
      [1, 0],
      ["i32", "i32"],
      "bool",
    ),
  ],
});
