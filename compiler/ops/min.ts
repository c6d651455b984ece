/** min: the smaller of two numbers. Where they are equal the cotangent goes to y, as in max. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const min = elementwise({
  name: "min",
  summary:
    "The smaller of two numbers, x where they are equal or x is NaN; the cotangent goes to x where x < y, else to y.",
  operands: ["x", "y"],
  variants: [variant("min", (x, y) => (y < x ? y : x)), variant("min_i32", (x, y) => (y < x ? y : x))],
  // x < y is result < y, as in max
  gradient: ({ b, ct, y, result }) => [
    () => build.select(b, build.lt(b, result, y), ct, build.fullLike(b, 0, ct)),
    () => build.select(b, build.lt(b, result, y), build.fullLike(b, 0, ct), ct),
  ],
  examples: [
    vectors(
      [
        [3, -1, NaN],
        [2, 4, 0],
      ],
      [2, -1, NaN],
    ),
    vectors(
      [
        [3, -1],
        [2, 4],
      ],
      [2, -1],
      ["i32", "i32"],
      "i32",
    ),
  ],
});
