/** max: the larger of two numbers. Where they are equal the cotangent goes to y, so max(x, 0) has derivative 0 at 0. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const max = elementwise({
  name: "max",
  summary:
    "The larger of two numbers, x where they are equal or x is NaN; the cotangent goes to x where x > y, else to y.",
  operands: ["x", "y"],
  variants: [variant("max", (x, y) => (y > x ? y : x)), variant("max_i32", (x, y) => (y > x ? y : x))],
  // x > y is result > y: a relu's mask needs its result alone, so that its operand need not be kept
  gradient: ({ b, ct, y, result }) => [
    () => build.select(b, build.lt(b, y, result), ct, build.fullLike(b, 0, ct)),
    () => build.select(b, build.lt(b, y, result), build.fullLike(b, 0, ct), ct),
  ],
  examples: [
    vectors(
      [
        [3, -1, NaN],
        [2, 4, 0],
      ],
      [3, 4, NaN],
    ),
    vectors(
      [
        [3, -1],
        [2, 4],
      ],
      [3, 4],
      ["i32", "i32"],
      "i32",
    ),
  ],
});
