/** softplus: log(1 + exp(x)) without overflow. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const softplus = elementwise({
  name: "softplus",
  summary: "log(1 + exp(x)), without overflow.",
  operands: ["x"],
  variants: [variant("softplus", (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))],
  gradient: ({ b, ct, x }) => [() => build.mul(b, ct, build.sigmoid(b, x))],
  examples: [vectors([[0, 1000, -1000]], [Math.LN2, 1000, 0])],
});
