/** Parts of the training loop for tests of it: a plan of batches, a sink that listens, a clock that stands. */
import { start } from "../../src/train/counters.ts";
import type { Checkpoint, LoopPlan, Sink, TrainEvent, Turn } from "../../src/train/loop.ts";

export interface Sizes {
  readonly batch: number;
  readonly accumulate: number;
}

export const clock = { now: () => 0, pause: () => Promise.resolve() };

export function planOf({ batch, accumulate }: Sizes, turns: readonly Turn[], epochs = 4): LoopPlan {
  return {
    stages: [{ name: undefined, turns, epochs, stop: undefined }],
    batch,
    last: "keep",
    accumulate,
    steps: undefined,
    seed: 5,
    shuffle: true,
    keep: undefined,
    plateau: undefined,
    onNotFinite: "stop",
  };
}

export interface Listening extends Sink {
  readonly events: TrainEvent[];
}

export function sinkOf(interrupted = (): boolean => false): Listening {
  const events: TrainEvent[] = [];
  return {
    events,
    event: (event) => void events.push(event),
    checkpoint: () => Promise.resolve(),
    interrupted,
    due: () => false,
  };
}

/** The checkpoint of a run that has not begun. */
export function fresh(tensors: ReadonlyMap<string, Float32Array>): Checkpoint {
  return { counters: start, tensors: new Map(tensors), best: undefined };
}

export function stepsOf({ events }: Listening) {
  return events.flatMap((event) => (event.event === "step" ? [event] : []));
}
