/** log1p: log(1 + x), exact near 0. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

export const log1p = elementwise({
  name: "log1p",
  summary: "log(1 + x), exact near 0.",
  operands: ["x"],
  variants: [variant("log1p", Math.log1p)],
  gradient: ({ b, ct, x }) => [() => build.div(b, ct, build.add(b, x, build.fullLike(b, 1, x)))],
  domain: [[-0.75, 3]],
  examples: [vectors([[0, 1, 1e-12]], [0, Math.LN2, 9.999999999995e-13])],
});
