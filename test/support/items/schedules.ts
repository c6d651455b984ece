/** Schedules of the library under test: the rate of every step from the first. */
import type { Item } from "./item.ts";

/** Of the step, which counts from 1. */
const schedule = (name: string, call: string, rate: (step: number) => number, last = 9): Item => ({
  name,
  of: [call.replace(/\(.*/, "")],
  model: `k: [] : k -> ${call}`,
  edges: [],
  ranges: { k: [1, last] },
  noGradient: "a rate is not differentiated",
  hand: Array.from({ length: last }, (_, i) => ({ k: [i + 1], out: [rate(i + 1)] })),
});

const warm = (step: number, steps: number): number => Math.min(step / steps, 1);

/** From a to b along half a cosine. */
const wave = (a: number, b: number, part: number): number =>
  b + ((a - b) * (1 + Math.cos(Math.PI * part))) / 2;

export const schedules: readonly Item[] = [
  schedule("constant", "constant(0.1)", () => 0.1),
  schedule("constant_warm", "constant(0.1, warmup = 4)", (step) => 0.1 * warm(step, 4)),
  schedule("stepwise", "stepwise(0.1, every = 3, factor = 0.5)", (step) => 0.1 * [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25][step - 1]!), // prettier-ignore
  schedule("stepwise_warm", "stepwise(0.1, every = 2, warmup = 2)", (step) => 0.1 * [0.5, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.001][step - 1]!), // prettier-ignore
  schedule("exponential", "exponential(0.1, every = 4)", (step) => 0.1 * 0.1 ** ((step - 1) / 4)),
  schedule("exponential_warm", "exponential(0.1, every = 4, warmup = 3)", (step) =>
    step <= 3 ? (0.1 * step) / 3 : 0.1 * 0.1 ** ((step - 4) / 4),
  ),
  schedule("linear", "linear(0.1, total = 4)", (step) => [0.1, 0.075, 0.05, 0.025, 0, 0, 0, 0, 0][step - 1]!),
  schedule("linear_warm", "linear(0.1, total = 6, warmup = 2, least = 0.02)", (step) => [0.05, 0.1, 0.1, 0.08, 0.06, 0.04, 0.02, 0.02, 0.02][step - 1]!), // prettier-ignore
  schedule("cosine", "cosine(0.1, total = 4)", (step) => 0.05 * (1 + Math.cos((Math.PI * Math.min(step - 1, 4)) / 4))), // prettier-ignore
  schedule("cosine_warm", "cosine(0.1, total = 6, warmup = 2, least = 0.01)", (step) =>
    step <= 2 ? 0.05 * step : 0.01 + 0.045 * (1 + Math.cos((Math.PI * Math.min(step - 3, 4)) / 4)),
  ),
  schedule("one_cycle", "one_cycle(0.1, total = 9)", (step) =>
    step <= 1.7 + 1 ? wave(0.004, 0.1, (step - 1) / 1.7) : wave(0.1, 4e-7, Math.min((step - 2.7) / 6.3, 1)),
  ),
  schedule("one_cycle_other", "one_cycle(0.1, total = 8, rise = 0.5, divide = 10, least = 100)", (step) =>
    step <= 4 ? wave(0.01, 0.1, (step - 1) / 3) : wave(0.1, 1e-4, Math.min((step - 4) / 4, 1)),
  ),
];
