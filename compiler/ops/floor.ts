/** floor: the largest whole number not above x. */
import { elementwise, variant, vectors } from "./elementwise.ts";

export const floor = elementwise({
  name: "floor",
  summary: "The largest whole number that is not above x.",
  operands: ["x"],
  variants: [variant("floor", Math.floor)],
  gradient: { none: "it is constant between whole numbers" },
  kinks: [-2, -1, 0, 1, 2],
  examples: [vectors([[1.5, -1.5, 2]], [1, -2, 2])],
});
