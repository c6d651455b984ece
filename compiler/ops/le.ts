/** le: whether x is at most y. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const le = elementwise({
  name: "le",
  summary: "Whether x is at most y.",
  operands: ["x", "y"],
  variants: [variant("le", (x, y) => (x <= y ? 1 : 0)), variant("le_i32", (x, y) => (x <= y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      [1, 1, 0],
      [],
      "bool",
    ),
    vectors(
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      [1, 1, 0],
      ["i32", "i32"],
      "bool",
    ),
  ],
});
