/** The training loop where several batches make one update: their order, what counts them, and how it goes on. */
import { describe, expect, test } from "vitest";
import {
  train,
  type Control,
  type DataSource,
  type Device,
  type LoopPlan,
  type Turn,
} from "../src/train/loop.ts";
import { clock, fresh, planOf, sinkOf, stepsOf } from "./support/training-loop.ts";

const before = new Map([["w", Float32Array.of(1, 0)]]);

interface Seen {
  readonly calls: string[];
  readonly controls: Control[];
}

/** A device whose weight depends on the order of all that it is asked to do. */
function device(notFinite: (control: Control) => boolean = () => false): Device & Seen {
  let w = Float32Array.of(1, 0);
  const calls: string[] = [];
  const controls: Control[] = [];
  return {
    calls,
    controls,
    step(batch, count, control, entry) {
      calls.push(`${entry} ${[...batch["x"]!].join(" ")}`);
      controls.push(control);
      if (notFinite(control)) return Promise.resolve({ loss: NaN, gradientNorm: NaN, finite: false });
      const sum = [...batch["x"]!].reduce((all, x) => Math.fround(all * 0.5 + x), 0);
      w = Float32Array.of(w[0]!, w[1]! + sum * (1 + (control.iteration % 7)));
      return Promise.resolve({ loss: sum, gradientNorm: count, finite: true });
    },
    update(control, entry) {
      calls.push(`update of ${entry}`);
      controls.push(control);
      w = Float32Array.of(Math.fround(w[0]! * 0.9 + w[1]! * 0.01 * control.step), 0);
      return Promise.resolve({ gradientNorm: w[0]!, finite: true });
    },
    snapshot: () => new Map([["w", w.slice()]]),
    restore: (tensors) => void (w = tensors.get("w")!.slice()),
  };
}

const ids: DataSource = {
  trainRows: 10,
  batch: (given) => ({ x: Float32Array.from(given) }),
  validate: () => Promise.resolve(undefined),
};
const turn: Turn = { name: undefined, entry: "train", update: "update" };
const inOrder = (plan: LoopPlan): LoopPlan => ({ ...plan, shuffle: false });
describe("the loop", () => {
  // batches of 4, 4 and 2 rows
  const sizes = { batch: 4, accumulate: 2 };

  test("counts updates, and makes one of what is left at the end of an epoch", async () => {
    const on = device();
    const sink = sinkOf();
    const out = await train(inOrder(planOf(sizes, [turn], 2)), fresh(before), on, ids, sink, clock);
    const epoch = ["train 0 1 2 3", "train 4 5 6 7", "update of train", "train 8 9", "update of train"];
    expect(on.calls).toEqual([...epoch, ...epoch]);
    expect(on.controls.map(({ step }) => step)).toEqual([1, 1, 1, 2, 2, 3, 3, 3, 4, 4]);
    expect(on.controls[0]!.steps_per_epoch).toBe(2);
    const drawn = on.controls.filter((_, i) => on.calls[i]!.startsWith("train"));
    expect(new Set(drawn.map(({ iteration }) => iteration)).size).toBe(6);
    expect(out.checkpoint.counters).toMatchObject({ iteration: 4, updates: [4], batchInTurn: 0 });
    const [first, second] = stepsOf(sink);
    expect(first).toMatchObject({ step: 1, stepInEpoch: 1, stepsPerEpoch: 2 });
    expect(second!.train["loss"]).toBe(8 * 0.5 + 9);
    expect(sink.events[0]).toMatchObject({ event: "start", steps: 4 });
  });

  test("the loss of a step is the mean over its rows, as that of an epoch", async () => {
    const on = device();
    const sink = sinkOf();
    await train(inOrder(planOf({ batch: 4, accumulate: 3 }, [turn], 1)), fresh(before), on, ids, sink, clock);
    // halved at each next row
    const sums = [1 / 4 + 2 / 2 + 3, 4 / 8 + 5 / 4 + 6 / 2 + 7, 8 / 2 + 9];
    const mean = (4 * sums[0]! + 4 * sums[1]! + 2 * sums[2]!) / 10;
    expect(stepsOf(sink)[0]!.train["loss"]).toBeCloseTo(mean, 12);
    const epoch = sink.events.find(({ event }) => event === "epoch");
    expect(epoch).toMatchObject({ train: { loss: stepsOf(sink)[0]!.train["loss"] } });
  });

  test("leaves out the last batch where it is not full, and no full one", async () => {
    const on = device();
    const plan = { ...inOrder(planOf(sizes, [turn], 1)), last: "drop" as const };
    await train(plan, fresh(before), on, ids, sinkOf(), clock);
    expect(on.calls).toEqual(["train 0 1 2 3", "train 4 5 6 7", "update of train"]);
    const alone = device();
    await train({ ...plan, accumulate: 3 }, fresh(before), alone, ids, sinkOf(), clock);
    expect(alone.calls).toEqual(on.calls);
  });

  test("ends after so many updates", async () => {
    const on = device();
    const out = await train({ ...planOf(sizes, [turn]), steps: 3 }, fresh(before), on, ids, sinkOf(), clock);
    expect(out.reason).toBe("steps");
    expect(on.calls.filter((call) => call.startsWith("update"))).toHaveLength(3);
  });

  test("models that take turns each see all batches before the next is updated", async () => {
    const on = device();
    const turns = ["Critic", "Maker"].map((name): Turn => ({
      name,
      entry: `train.${name}`,
      update: `update.${name}`,
    }));
    await train({ ...inOrder(planOf(sizes, turns)), steps: 1 }, fresh(before), on, ids, sinkOf(), clock);
    expect(on.calls).toEqual(
      ["Critic", "Maker"].flatMap((name) => [
        `train.${name} 0 1 2 3`,
        `train.${name} 4 5 6 7`,
        `update of train.${name}`,
      ]),
    );
  });

  test("interrupted before any batch and resumed, it ends with the same bits and tells the same", async () => {
    const turns = ["Critic", "Maker"].map((name): Turn => ({
      name,
      entry: `train.${name}`,
      update: `update.${name}`,
    }));
    const plan = planOf(sizes, turns, 2);
    const whole = sinkOf();
    const full = await train(plan, fresh(before), device(), ids, whole, clock);
    let ended = 0;
    for (let stop = 1; ; stop++) {
      let asked = 0;
      const first = sinkOf(() => ++asked > stop);
      const part = await train(plan, fresh(before), device(), ids, first, clock);
      if (part.reason !== "interrupted") break;
      ended++;
      const second = sinkOf();
      const rest = await train(plan, part.checkpoint, device(), ids, second, clock);
      expect(rest.checkpoint).toEqual(full.checkpoint);
      const last = stepsOf(second).at(-1);
      expect(last).toEqual(stepsOf(whole).at(-1));
    }
    // before each of 2 * 3 batches, of which the first is that of a fresh run
    expect(ended).toBe(2 * 3 - 1);
  });

  test("a batch that is not finite ends the run, or is left out of its update", async () => {
    const bad = (control: Control): boolean => control.iteration === 1;
    const plan = inOrder(planOf(sizes, [turn], 1));
    const out = await train(plan, fresh(before), device(bad), ids, sinkOf(), clock);
    expect(out.reason).toBe("not-finite");
    expect(out.notFinite).toMatchObject({ rows: 4, entry: "train", control: { iteration: 1 } });
    expect(out.checkpoint.counters).toMatchObject({ iteration: 0, batchInTurn: 1 });
    const sink = sinkOf();
    const on = device(bad);
    const through = await train({ ...plan, onNotFinite: "skip" }, fresh(before), on, ids, sink, clock);
    expect(through.checkpoint.counters).toMatchObject({ skipped: 1, updates: [2] });
    expect(stepsOf(sink)[0]!.train["loss"]).toBe(1 / 4 + 2 / 2 + 3);
    // where none is left, nothing is updated
    const none = device(({ iteration }) => iteration < 2);
    const rest = await train({ ...plan, onNotFinite: "skip" }, fresh(before), none, ids, sinkOf(), clock);
    expect(none.calls.filter((call) => call.startsWith("update"))).toHaveLength(1);
    expect(rest.checkpoint.counters).toMatchObject({ skipped: 2, updates: [1], iteration: 2 });
  });
});
