/** select: x where the condition holds, else y. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

const choose = (condition: number, x: number, y: number): number => (condition ? x : y);

export const select = elementwise({
  name: "select",
  summary: "x where the condition holds, else y; what is not chosen has no influence, not even as NaN.",
  operands: ["condition", "x", "y"],
  variants: [variant("select", choose), variant("select_i32", choose), variant("select_bool", choose)],
  gradient: ({ b, ct, x: condition }) => [
    undefined,
    () => build.select(b, condition, ct, build.fullLike(b, 0, ct)),
    () => build.select(b, condition, build.fullLike(b, 0, ct), ct),
  ],
  examples: [
    vectors(
      [
        [1, 0],
        [2, NaN],
        [NaN, 3],
      ],
      [2, 3],
      ["bool", "f32", "f32"],
    ),
    vectors(
      [
        [1, 0],
        [2, 5],
        [7, 3],
      ],
      [2, 3],
      ["bool", "i32", "i32"],
      "i32",
    ),
    vectors(
      [
        [1, 0],
        [1, 1],
        [0, 0],
      ],
      [1, 0],
      ["bool", "bool", "bool"],
      "bool",
    ),
  ],
});
