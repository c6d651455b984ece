/** exp: e to the power x. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const exp = elementwise({
  name: "exp",
  summary: "The exponential function.",
  operands: ["x"],
  variants: [variant("exp", Math.exp)],
  gradient: ({ b, ct, result }) => [() => build.mul(b, ct, result)],
  examples: [vectors([[0, 1, -1]], [1, Math.E, 1 / Math.E])],
});
