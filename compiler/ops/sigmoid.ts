/** sigmoid: 1 / (1 + exp(-x)). */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

/** Without overflow on either side. */
function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const sigmoid = elementwise({
  name: "sigmoid",
  summary: "1 / (1 + exp(-x)).",
  operands: ["x"],
  variants: [variant("sigmoid", logistic)],
  gradient: ({ b, ct, result }) => [
    () => build.mul(b, ct, build.mul(b, result, build.sub(b, build.fullLike(b, 1, result), result))),
  ],
  examples: [vectors([[0, Math.log(3), -1000, 1000]], [0.5, 0.75, 0, 1])],
});
