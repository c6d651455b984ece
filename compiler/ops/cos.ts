/** cos: the cosine of an angle in radians. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const cos = elementwise({
  name: "cos",
  summary: "The cosine of an angle in radians.",
  operands: ["x"],
  variants: [variant("cos", Math.cos)],
  gradient: ({ b, ct, x }) => [() => build.neg(b, build.mul(b, ct, build.sin(b, x)))],
  examples: [vectors([[0, Math.PI, Math.PI / 3]], [1, -1, 0.5])],
});
