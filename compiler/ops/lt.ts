/** lt: whether x is less than y. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const lt = elementwise({
  name: "lt",
  summary: "Whether x is less than y.",
  operands: ["x", "y"],
  variants: [variant("lt", (x, y) => (x < y ? 1 : 0)), variant("lt_i32", (x, y) => (x < y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      [1, 0, 0],
      [],
      "bool",
    ),
    vectors(
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      [1, 0, 0],
      ["i32", "i32"],
      "bool",
    ),
  ],
});
