/** div: x / y. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const div = elementwise({
  name: "div",
  summary: "The quotient of two numbers.",
  operands: ["x", "y"],
  variants: [variant("div", (x, y) => x / y)],
  gradient: ({ b, ct, y, result }) => [
    () => build.div(b, ct, y),
    () => build.neg(b, build.div(b, build.mul(b, ct, result), y)),
  ],
  domain: [
    [-2, 2],
    [0.5, 2],
  ],
  examples: [
    vectors(
      [
        [3, -1],
        [2, 4],
      ],
      [1.5, -0.25],
    ),
  ],
});
