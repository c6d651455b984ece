/** sin: the sine of an angle in radians. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const sin = elementwise({
  name: "sin",
  summary: "The sine of an angle in radians.",
  operands: ["x"],
  variants: [variant("sin", Math.sin)],
  gradient: ({ b, ct, x }) => [() => build.mul(b, ct, build.cos(b, x))],
  examples: [vectors([[0, Math.PI / 2, Math.PI / 6]], [0, 1, 0.5])],
});
