/** is_finite: neither infinite nor NaN. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const isFinite = elementwise({
  name: "is_finite",
  summary: "Whether the number is neither infinite nor NaN.",
  operands: ["x"],
  variants: [variant("is_finite", (x) => (Number.isFinite(x) ? 1 : 0))],
  gradient: { none: "it is true or false" },
  examples: [vectors([[1, NaN, Infinity, -Infinity]], [1, 0, 0, 0], [], "bool")],
});
