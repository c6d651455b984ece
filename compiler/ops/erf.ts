/** erf: the error function. */
import * as build from "./build.ts";
import { elementwise, variant, vectors } from "./elementwise.ts";

/**
 * 2 / sqrt(pi) * exp(-x^2) * sum over n of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)) (Abramowitz and Stegun 7.1.6): all
 * terms have one sign, so nothing cancels. From 6 on it is 1 in f64.
 */
export function errorFunction(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const erf = elementwise({
  name: "erf",
  summary: "The error function.",
  operands: ["x"],
  variants: [variant("erf", errorFunction)],
  gradient: ({ b, ct, x }) => [
    () => {
      const slope = build.scale(b, build.exp(b, build.neg(b, build.mul(b, x, x))), 2 / Math.sqrt(Math.PI));
      return build.mul(b, ct, slope);
    },
  ],
  examples: [
    vectors([[0, 0.5, 1, -2, 10]], [0, 0.5204998778130465, 0.8427007929497149, -0.9953222650189527, 1]),
  ],
});
