/** sqrt: the square root. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const sqrt = elementwise({
  name: "sqrt",
  summary: "The square root.",
  operands: ["x"],
  variants: [variant("sqrt", Math.sqrt)],
  // d sqrt(x) = 1 / (2 sqrt(x))
  gradient: ({ b, ct, result }) => [() => build.div(b, build.scale(b, ct, 0.5), result)],
  domain: [[0.25, 4]],
  examples: [vectors([[4, 0, 2.25]], [2, 0, 1.5])],
});
