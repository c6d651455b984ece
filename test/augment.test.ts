/** Random changes of rows: what they do, and that they depend on nothing but seed, row and epoch. */
import { expect, test } from "vitest";
import { augment } from "../src/data/augment.ts";
import type { AugmentPlan } from "../compiler/check/flow/plans.ts";

const image = (): Uint8Array => Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
const flip = (chance: number): AugmentPlan => ({ kind: "flip", column: "x", axis: 1, chance });

test("a certain flip mirrors the axis, an impossible one leaves it", () => {
  const mirrored = image();
  augment(mirrored, [3, 3, 1], [flip(1)], { seed: 1, row: 0, epoch: 0 });
  expect([...mirrored]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
  const same = image();
  augment(same, [3, 3, 1], [flip(0)], { seed: 1, row: 0, epoch: 0 });
  expect([...same]).toEqual([...image()]);
});

test("shifts reach every place within their bound, and zeros move in", () => {
  const seen = new Set<string>();
  for (let row = 0; row < 400; row++) {
    const line = Uint8Array.from([1, 2, 3, 4]);
    augment(line, [4], [{ kind: "shift", column: "x", axes: [0], by: 1 }], { seed: 3, row, epoch: 2 });
    seen.add(line.join(""));
  }
  expect([...seen].sort()).toEqual(["0123", "1234", "2340"]);
});

test("the same seed, row and epoch give the same change; others give others", () => {
  const results = new Set<string>();
  for (const draw of [
    { seed: 1, row: 5, epoch: 0 },
    { seed: 1, row: 5, epoch: 0 },
  ]) {
    const x = image();
    augment(x, [3, 3, 1], [flip(0.5), { kind: "shift", column: "x", axes: [0, 1], by: 2 }], draw);
    results.add(x.join());
  }
  expect(results.size).toBe(1);
  for (let epoch = 0; epoch < 20; epoch++) {
    const x = image();
    augment(x, [3, 3, 1], [flip(0.5), { kind: "shift", column: "x", axes: [0, 1], by: 2 }], {
      seed: 1,
      row: 5,
      epoch,
    });
    results.add(x.join());
  }
  expect(results.size).toBeGreaterThan(5);
});

test("half of the rows are flipped by a chance of 50 %", () => {
  let flipped = 0;
  for (let row = 0; row < 2000; row++) {
    const x = image();
    augment(x, [3, 3, 1], [flip(0.5)], { seed: 9, row, epoch: 0 });
    if (x[0] === 3) flipped++;
  }
  expect(Math.abs(flipped - 1000)).toBeLessThan(100);
});
