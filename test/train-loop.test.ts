/** The training loop on a small device of its own: order of rows, early stop, keep best, and resuming at every step. */
import { start } from "../src/train/counters.ts";
import { expect, test } from "vitest";
import {
  train,
  type Checkpoint,
  type Control,
  type DataSource,
  type Device,
  type LoopPlan,
  type Sink,
  type Stage,
  type TrainEvent,
} from "../src/train/loop.ts";

const stage: Stage = {
  name: undefined,
  turns: [{ name: undefined, entry: "train" }],
  epochs: 3,
  stop: undefined,
};

const plan: LoopPlan = {
  stages: [stage],
  batch: 4,
  last: "keep",
  accumulate: 1,
  steps: undefined,
  seed: 5,
  shuffle: true,
  keep: { metric: "loss", larger: false },
  plateau: undefined,
  onNotFinite: "stop",
};

/** A device whose one weight depends on every row, step and order. */
function device(breakAt = -1): Device {
  let w = Float32Array.of(1);
  return {
    step(batch, rows, control) {
      const x = batch["x"]!;
      if (control.iteration === breakAt)
        return Promise.resolve({ loss: NaN, gradientNorm: NaN, finite: false });
      let sum = 0;
      for (let i = 0; i < rows; i++) sum = Math.fround(sum * 0.5 + x[i]!);
      w = Float32Array.of(Math.fround(w[0]! * 0.9 + sum * 0.01 * control.step));
      return Promise.resolve({ loss: w[0]!, gradientNorm: 1, finite: true });
    },
    snapshot: () => new Map([["w", w.slice()]]),
    restore: (tensors) => void (w = tensors.get("w")!.slice()),
  };
}

function source(on: Device, losses?: number[]): DataSource & { seen: number[][] } {
  const seen: number[][] = [];
  return {
    trainRows: 10,
    seen,
    batch(rows) {
      seen.push([...rows]);
      return { x: Float32Array.from(rows) };
    },
    validate: () => Promise.resolve({ loss: losses?.shift() ?? Math.abs(on.snapshot().get("w")![0]! - 1) }),
  };
}

function sink(stopAfter = Infinity): Sink & { events: TrainEvent[]; checkpoints: Checkpoint[] } {
  const events: TrainEvent[] = [];
  const checkpoints: Checkpoint[] = [];
  return {
    events,
    checkpoints,
    event: (e) => void events.push(e),
    checkpoint: (c) => Promise.resolve(void checkpoints.push(c)),
    interrupted: () => events.filter((e) => e.event === "step").length >= stopAfter,
    due: () => false,
  };
}

const fresh = (): Checkpoint => ({
  counters: start,
  tensors: new Map([["w", Float32Array.of(1)]]),
  best: undefined,
});
const clock = { now: () => 0, pause: () => Promise.resolve() };

test("every epoch takes each row once, in an order of its own", async () => {
  const on = device();
  const data = source(on);
  const out = await train(plan, fresh(), on, data, sink(), clock);
  expect(out.reason).toBe("epochs");
  const epochs = [0, 1, 2].map((e) => data.seen.slice(3 * e, 3 * e + 3).flat());
  for (const rows of epochs) expect([...rows].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(epochs[0]).not.toEqual(epochs[1]);
});

test("stopped after any number of steps and resumed, it ends with the same bits", async () => {
  const whole = device();
  const full = await train(plan, fresh(), whole, source(whole), sink(), clock);
  for (let stop = 0; stop < 9; stop++) {
    const first = device();
    const part = await train(plan, fresh(), first, source(first), sink(stop), clock);
    expect(part.reason).toBe("interrupted");
    const second = device();
    const rest = await train(plan, part.checkpoint, second, source(second), sink(), clock);
    expect(rest.checkpoint).toEqual(full.checkpoint);
  }
});

test("early stop waits as long as it says, and the best weights are kept", async () => {
  const on = device();
  const s = sink();
  const early: LoopPlan = {
    ...plan,
    stages: [{ ...stage, epochs: 20, stop: { metric: "loss", larger: false, patience: 2 } }],
  };
  const out = await train(early, fresh(), on, source(on, [3, 2, 1, 1.5, 1.2, 0.5]), s, clock);
  expect(out.reason).toBe("early");
  const epochs = s.events.filter((e) => e.event === "epoch");
  expect(epochs.map((e) => e.best)).toEqual([true, true, true, false, false]);
  expect(out.checkpoint.counters.bestEpoch).toBe(2);
  // a run that is killed after its last checkpoint is resumed from it
  const again = sink();
  const resumed = await train(early, out.checkpoint, on, source(on), again, clock);
  expect(resumed).toEqual(out);
  expect(again.events.map((e) => e.event)).toEqual(["start", "end"]);
});

test("a plateau lowers the rate, and a run that is resumed knows it", async () => {
  const slow: LoopPlan = {
    ...plan,
    stages: [{ ...stage, epochs: 8 }],
    plateau: { metric: "loss", larger: false, factor: 0.5, patience: 2 },
  };
  const losses = [3, 2, 2.5, 2, 1.9, 5, 5, 5];
  const factors: number[] = [];
  const on = {
    ...device(),
    step: (_: unknown, __: number, control: Control) => {
      if (control.iteration % 3 === 0) factors.push(control.rate_factor);
      return Promise.resolve({ loss: 1, gradientNorm: 1, finite: true });
    },
  };
  const out = await train(slow, fresh(), on, source(on, [...losses]), sink(), clock);
  // 2.5 and 2 are not better than 2, neither are the fives than 1.9
  expect(factors).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]);
  expect(out.checkpoint.counters.rateFactor).toBe(0.25);
  const part = await train(slow, fresh(), on, source(on, losses.slice(0, 4)), sink(3 * 4 + 1), clock);
  factors.length = 0;
  const rest = await train(slow, part.checkpoint, on, source(on, losses.slice(4)), sink(), clock);
  expect(factors).toEqual([0.5, 0.5, 0.25]);
  expect(rest.checkpoint.counters).toEqual(out.checkpoint.counters);
});

test("a step that is not finite stops, and its batch is told", async () => {
  const on = device(4);
  const s = sink();
  const out = await train(plan, fresh(), on, source(on), s, clock);
  expect(out.reason).toBe("not-finite");
  expect(out.checkpoint.counters.iteration).toBe(4);
  expect(out.notFinite?.rows).toBe(4);
  const skipping = device(4);
  const through = await train(
    { ...plan, onNotFinite: "skip" },
    fresh(),
    skipping,
    source(skipping),
    sink(),
    clock,
  );
  expect(through.reason).toBe("epochs");
});

test("no steps at all give the initial weights", async () => {
  const on = device();
  const out = await train({ ...plan, steps: 0 }, fresh(), on, source(on), sink(), clock);
  expect(out.checkpoint.tensors.get("w")).toEqual(Float32Array.of(1));
});
