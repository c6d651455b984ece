/** expm1: e to the power x, less 1, exact near 0. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const expm1 = elementwise({
  name: "expm1",
  summary: "exp(x) - 1, exact near 0.",
  operands: ["x"],
  variants: [variant("expm1", Math.expm1)],
  gradient: ({ b, ct, x }) => [() => build.mul(b, ct, build.exp(b, x))],
  examples: [vectors([[0, 1, 1e-12]], [0, Math.E - 1, 1.0000000000005e-12])],
});
