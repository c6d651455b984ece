/** reciprocal: 1 / x. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const reciprocal = elementwise({
  name: "reciprocal",
  summary: "One over the number.",
  operands: ["x"],
  variants: [variant("reciprocal", (x) => 1 / x)],
  gradient: ({ b, ct, result }) => [() => build.neg(b, build.mul(b, ct, build.mul(b, result, result)))],
  domain: [[0.5, 2]],
  examples: [vectors([[4, -0.25]], [0.25, -4])],
});
