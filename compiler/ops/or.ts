/** or: at least one holds. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const or = elementwise({
  name: "or",
  summary: "Whether at least one holds.",
  operands: ["x", "y"],
  variants: [variant("or", (x, y) => (x || y ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [
    vectors(
      [
        [0, 0, 1, 1],
        [0, 1, 0, 1],
      ],
      [0, 1, 1, 1],
      ["bool", "bool"],
      "bool",
    ),
  ],
});
