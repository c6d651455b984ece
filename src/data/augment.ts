/** Random changes of train rows (`augment`), drawn by counter from seed, row and epoch: repeatable in any order. */
import type { AugmentPlan } from "../../compiler/check/flow/plans.ts";
import { threefry } from "../../runtime/random.ts";
import { streams } from "./random.ts";
import type { Numbers } from "./table.ts";

/** Which numbers of a row's array, counted row-major, an axis groups: outer * size * inner. */
function parts(shape: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  const count = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
  return { outer: count(shape.slice(0, axis)), size: shape[axis]!, inner: count(shape.slice(axis + 1)) };
}

function flip(array: Numbers, shape: readonly number[], axis: number): void {
  const { outer, size, inner } = parts(shape, axis);
  for (let o = 0; o < outer; o++)
    for (let low = 0, high = size - 1; low < high; low++, high--)
      for (let i = 0; i < inner; i++) {
        const a = (o * size + low) * inner + i;
        const b = (o * size + high) * inner + i;
        [array[a], array[b]] = [array[b]!, array[a]!];
      }
}

/** Moves everything `by` places up the axis; zeros move in. */
function shift(array: Numbers, shape: readonly number[], axis: number, by: number): void {
  const { outer, size, inner } = parts(shape, axis);
  const gap = Math.min(Math.abs(by), size) * inner;
  for (let o = 0; o < outer; o++) {
    const first = o * size * inner;
    const end = first + size * inner;
    if (by > 0) {
      array.copyWithin(first + gap, first, end - gap);
      array.fill(0, first, first + gap);
    } else if (by < 0) {
      array.copyWithin(first, first + gap, end);
      array.fill(0, end - gap, end);
    }
  }
}

/**
 * Applies the plans to one row's array in place, in their order.
 * Every plan draws its own words: the counter is (row, epoch), the key (seed, stream + number of the draw).
 */
export function augment(
  array: Numbers,
  shape: readonly number[],
  plans: readonly AugmentPlan[],
  draw: { readonly seed: number; readonly row: number; readonly epoch: number },
): void {
  const words = new Uint32Array(2);
  let drawn = 0;
  const uniform = (): number => {
    threefry(draw.seed, streams.augment + drawn++, draw.row, draw.epoch, words);
    return words[0]! / 2 ** 32;
  };
  for (const plan of plans) {
    if (plan.kind === "flip") {
      if (uniform() < plan.chance) flip(array, shape, plan.axis);
    } else
      for (const axis of plan.axes) {
        const by = Math.floor(uniform() * (2 * plan.by + 1)) - plan.by;
        if (by !== 0) shift(array, shape, axis, by);
      }
  }
}
