/** pow: x to the power y. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const pow = elementwise({
  name: "pow",
  summary: "x to the power y; the derivative by y is 0 where x is not above 0.",
  operands: ["x", "y"],
  variants: [variant("pow", Math.pow)],
  gradient: ({ b, ct, x, y, result }) => [
    () => {
      const lower = build.sub(b, y, build.fullLike(b, 1, y));
      return build.mul(b, ct, build.mul(b, y, build.pow(b, x, lower)));
    },
    () => {
      const zero = build.fullLike(b, 0, x);
      const slope = build.mul(b, result, build.log(b, x));
      return build.mul(b, ct, build.select(b, build.lt(b, zero, x), slope, zero));
    },
  ],
  domain: [
    [0.25, 2],
    [-2, 2],
  ],
  examples: [
    vectors(
      [
        [2, 4, 3],
        [3, 0.5, 0],
      ],
      [8, 2, 1],
    ),
  ],
});
