/** rsqrt: 1 / sqrt(x). */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const rsqrt = elementwise({
  name: "rsqrt",
  summary: "One over the square root.",
  operands: ["x"],
  variants: [variant("rsqrt", (x) => 1 / Math.sqrt(x))],
  // d x^(-1/2) = -1/2 x^(-3/2)
  gradient: ({ b, ct, result }) => [
    () => build.mul(b, build.scale(b, ct, -0.5), build.mul(b, result, build.mul(b, result, result))),
  ],
  domain: [[0.25, 4]],
  examples: [vectors([[4, 0.25]], [0.5, 2])],
});
