/** and: both hold. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const and = elementwise({
  name: "and",
  summary: "Whether both hold.",
  operands: ["x", "y"],
  variants: [variant("and", (x, y) => (x && y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [0, 0, 1, 1],
        [0, 1, 0, 1],
      ],
      [0, 0, 0, 1],
      ["bool", "bool"],
      "bool",
    ),
  ],
});
