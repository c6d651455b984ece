/** log: the natural logarithm. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const log = elementwise({
  name: "log",
  summary: "The natural logarithm.",
  operands: ["x"],
  variants: [variant("log", Math.log)],
  gradient: ({ b, ct, x }) => [() => build.div(b, ct, x)],
  domain: [[0.25, 4]],
  examples: [vectors([[1, Math.E, 4]], [0, 1, 2 * Math.LN2])],
});
