/**
 * Gradients against central differences in f64: (f(w + h d) - f(w - h d)) / 2h is the derivative along d up to h squared.
 * Each weight tensor is moved along a random direction and at single elements.
 */
import type { WeightEntry } from "../compiler/ir/model.ts";
import { normal, uniform } from "./random-inputs.ts";

export interface Comparison {
  /** `direction`, or the index of an element */
  readonly along: "direction" | number;
  readonly gradient: number;
  readonly difference: number;
  readonly ok: boolean;
}

export interface WeightCheck {
  readonly path: string;
  readonly elements: number;
  /** Euclidean length of its gradient */
  readonly norm: number;
  readonly comparisons: readonly Comparison[];
  /** the largest |gradient - difference| over the larger of both sizes */
  readonly error: number;
  readonly ok: boolean;
}

/**
 * Largest to smallest. Where a relu or a maximum has its kink within a step, the difference is off by an amount that
 * shrinks with the step, so the smaller ones decide; a wrong gradient agrees with none of them.
 */
const steps = [1e-4, 1e-5, 1e-6, 1e-7] as const;
const usual = 1e-5;
/** of a sum in f64, relative to the loss */
const rounding = 1e-14;

export interface CheckOptions {
  readonly weights: readonly WeightEntry[];
  /** the parameter region; not changed */
  readonly parameters: Float64Array;
  /** as the region lies */
  readonly gradient: ArrayLike<number>;
  /** the function that the gradient is claimed to be of */
  loss(parameters: Float64Array): number;
  readonly seed: number;
  /** relative distance that is allowed */
  readonly within?: number;
  /** called before each weight */
  progress?(done: number, path: string): void;
}

export function checkGradient(options: CheckOptions): WeightCheck[] {
  return options.weights.map((weight, i) => {
    options.progress?.(i, weight.path);
    return checkWeight(options, weight, i);
  });
}

function checkWeight(
  options: CheckOptions,
  { path, shape, offset }: WeightEntry,
  place: number,
): WeightCheck {
  const count = shape.reduce((a, b) => a * b, 1);
  const own = Float64Array.from({ length: count }, (_, i) => options.gradient[offset + i]!);
  const values = options.parameters.subarray(offset, offset + count);
  const scale = Math.max(1e-2, Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(count, 1)));
  const compare = (along: Comparison["along"], direction: Float64Array): Comparison =>
    compareAlong(options, offset, own, direction, along, scale);

  const comparisons: Comparison[] = [];
  if (count > 0) {
    const draw = normal(options.seed, 2 * place);
    comparisons.push(compare("direction", Float64Array.from({ length: count }, draw)));
    for (const element of elementsToTry(own, uniform(options.seed, 2 * place + 1)))
      comparisons.push(compare(element, unit(count, element)));
  }
  return {
    path,
    elements: count,
    norm: Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)),
    comparisons,
    error: Math.max(0, ...comparisons.map((each) => errorOf(each, options.within ?? usual))),
    ok: comparisons.every(({ ok }) => ok),
  };
}

/** 0 where only rounding tells the two apart. */
function errorOf({ gradient, difference, ok }: Comparison, within: number): number {
  const size = Math.max(Math.abs(gradient), Math.abs(difference));
  const error = size === 0 ? 0 : Math.abs(gradient - difference) / size;
  return ok && error > within ? 0 : error;
}

function unit(count: number, element: number): Float64Array {
  const direction = new Float64Array(count);
  direction[element] = 1;
  return direction;
}

/** The element with the largest gradient, and one at random. */
function elementsToTry(gradient: Float64Array, next: () => number): Set<number> {
  let largest = 0;
  gradient.forEach((x, i) => {
    if (Math.abs(x) > Math.abs(gradient[largest]!)) largest = i;
  });
  return new Set([largest, Math.floor(next() * gradient.length)]);
}

function compareAlong(
  { parameters, loss, within = usual }: CheckOptions,
  offset: number,
  own: Float64Array,
  direction: Float64Array,
  along: Comparison["along"],
  scale: number,
): Comparison {
  const gradient = own.reduce((sum, g, i) => sum + g * direction[i]!, 0);
  const moved = (by: number): number => {
    const changed = parameters.slice();
    direction.forEach((d, i) => (changed[offset + i]! += by * d));
    return loss(changed);
  };
  let best: Comparison | undefined;
  for (const step of steps) {
    const h = step * scale;
    const [above, below] = [moved(h), moved(-h)];
    const difference = (above - below) / (2 * h);
    const allowed =
      within * Math.max(Math.abs(gradient), Math.abs(difference)) +
      (rounding * (1 + Math.abs(above) + Math.abs(below))) / h;
    const distance = Math.abs(gradient - difference);
    const found = { along, gradient, difference, ok: distance <= allowed };
    if (found.ok) return found;
    if (!best || distance < Math.abs(best.gradient - best.difference)) best = found;
  }
  return best!;
}
