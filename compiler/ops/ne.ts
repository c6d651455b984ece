/** ne: whether two numbers are different. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const ne = elementwise({
  name: "ne",
  summary: "Whether two numbers are different.",
  operands: ["x", "y"],
  variants: [variant("ne", (x, y) => (x !== y ? 1 : 0)), variant("ne_i32", (x, y) => (x !== y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [1, 2],
        [1, 3],
      ],
      [0, 1],
      [],
      "bool",
    ),
    vectors(
      [
        [1, 2],
        [1, 3],
      ],
      [0, 1],
      ["i32", "i32"],
      "bool",
    ),
  ],
});
