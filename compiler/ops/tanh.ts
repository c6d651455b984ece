/** tanh: the hyperbolic tangent. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const tanh = elementwise({
  name: "tanh",
  summary: "The hyperbolic tangent.",
  operands: ["x"],
  variants: [variant("tanh", Math.tanh)],
  // 1 - tanh^2 as (1 - t)(1 + t): no cancellation where |t| is near 1
  gradient: ({ b, ct, result }) => [
    () => {
      const one = build.fullLike(b, 1, result);
      return build.mul(b, ct, build.mul(b, build.sub(b, one, result), build.add(b, one, result)));
    },
  ],
  examples: [vectors([[0, 1, -40]], [0, 0.7615941559557649, -1])],
});
