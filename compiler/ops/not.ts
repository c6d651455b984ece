/** not: it does not hold. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const not = elementwise({
  name: "not",
  summary: "Whether it does not hold.",
  operands: ["x"],
  variants: [variant("not", (x) => (x ? 0 : 1))],
  gradient: { none: "it is true or false" },
  examples: [vectors([[0, 1]], [1, 0], ["bool"], "bool")],
});
