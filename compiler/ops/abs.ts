/** abs: |x|; its derivative at 0 is 0. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const abs = elementwise({
  name: "abs",
  summary: "The absolute value; its derivative at 0 is taken as 0.",
  operands: ["x"],
  variants: [variant("abs", Math.abs)],
  gradient: ({ b, ct, x }) => [
    () => {
      const zero = build.fullLike(b, 0, x);
      const left = build.select(b, build.lt(b, x, zero), build.neg(b, ct), zero);
      return build.select(b, build.lt(b, zero, x), ct, left);
    },
  ],
  kinks: [0],
  examples: [vectors([[3, -1, 0]], [3, 1, 0])],
});
