/** neg: -x. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const neg = elementwise({
  name: "neg",
  summary: "The number with its sign turned.",
  operands: ["x"],
  variants: [variant("neg", (x) => -x)],
  gradient: ({ b, ct }) => [() => build.neg(b, ct)],
  examples: [vectors([[3, -1, 0]], [-3, 1, -0])],
});
