/**
 * The training loop: a function of a checkpoint, a device, a data source, a sink and a clock, without I/O.
 * The command line, a worker and a page run this same loop; what it keeps between steps is a `Checkpoint`, whole.
 */
import { stepsPerEpoch } from "../../compiler/check/flow/steps-per-epoch.ts";
import { shuffled } from "../data/random.ts";
import { better, nextStage, onPlateau, type Counters, type Plateau, type Watch } from "./counters.ts";
import { runTurn, type NotFiniteStep, type StepOfLoop } from "./turn.ts";

export type Batch = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

/** Scalars of the control block, by name. */
export interface Control {
  readonly seed: number;
  /** batches before this one, over all epochs: of random numbers */
  readonly iteration: number;
  /** from 1: what bias correction and schedules count */
  readonly step: number;
  readonly steps_per_epoch: number;
  readonly rate_factor: number;
}

export interface StepResult {
  readonly loss: number;
  readonly gradientNorm: number;
  /** false: loss or gradient was not finite, and nothing was written */
  readonly finite: boolean;
}

export type UpdateResult = Omit<StepResult, "loss">;

/** A compiled training program. Tensors are copies: weights, states and optimizer state by path. */
export interface Device {
  /** `entry` is that of one of the plan's turns; where the turn has an `update`, weights stay as they are */
  step(batch: Batch, rows: number, control: Control, entry: string): Promise<StepResult>;
  /** by what the steps of `entry` have gathered since the last one; needed where the plan has several batches a step */
  update?(control: Control, entry: string): Promise<UpdateResult>;
  snapshot(): Map<string, Float32Array>;
  restore(tensors: ReadonlyMap<string, Float32Array>): void;
}

export interface DataSource {
  readonly trainRows: number;
  /** the rows as a batch; `epoch` and `rows` make augmentation repeatable */
  batch(rows: Int32Array, epoch: number): Batch;
  /** loss and metrics of the validation split with these weights; undefined where there is no such split */
  validate(weights: ReadonlyMap<string, Float32Array>): Promise<Readonly<Record<string, number>> | undefined>;
  /** called after every epoch, counted from 1, with the weights that were validated */
  sample?(weights: ReadonlyMap<string, Float32Array>, epoch: number): Promise<void>;
}

/** One of the updates that every batch leads to; a block has one, or one for each `step` in it. */
export interface Turn {
  /** of the step's model; undefined: the only turn */
  readonly name: string | undefined;
  readonly entry: string;
  /** the entry of the update, where several batches make one */
  readonly update?: string | undefined;
  /** the learning rate of a step, for events */
  readonly rate?: ((control: Control) => number) | undefined;
}

/** Epochs with the same turns. Updates are counted anew in each. */
export interface Stage {
  /** undefined: the only one */
  readonly name: string | undefined;
  readonly turns: readonly Turn[];
  readonly epochs: number;
  readonly stop: (Watch & { readonly patience: number }) | undefined;
  /** the weights that are validated and kept in the place of those that are trained, after so many updates by turn */
  readonly average?:
    | ((tensors: ReadonlyMap<string, Float32Array>, updates: readonly number[]) => Map<string, Float32Array>)
    | undefined;
}

export interface LoopPlan {
  /** one after the other, at least one */
  readonly stages: readonly Stage[];
  readonly batch: number;
  readonly last: "keep" | "drop";
  /** batches of one step */
  readonly accumulate: number;
  /** ends earlier, after so many steps of all stages */
  readonly steps: number | undefined;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly keep: Watch | undefined;
  readonly plateau: Plateau | undefined;
  /** stop at the first batch that is not finite, or leave it out and go on */
  readonly onNotFinite: "stop" | "skip";
}

/** All that the loop keeps. Restoring it goes on to the same bits. */
export interface Checkpoint {
  readonly counters: Counters;
  readonly tensors: Map<string, Float32Array>;
  /** what training ends with, where that is not the last weights: the best so far, else their average */
  readonly best: Map<string, Float32Array> | undefined;
}

/** `loss`, or `loss.MODEL` of each turn. */
type Losses = Readonly<Record<string, number>>;
/** A number, or one of each turn by its name. */
type OfTurns<T> = T | Readonly<Record<string, T>>;

export type TrainEvent =
  | {
      readonly event: "start";
      readonly stage?: string;
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      readonly rows: number;
    }
  | {
      readonly event: "step";
      readonly stage?: string;
      readonly epoch: number;
      readonly step: number;
      readonly stepInEpoch: number;
      readonly stepsPerEpoch: number;
      readonly train: Losses;
      /** the learning rate, where the optimizer has one */
      readonly rate: OfTurns<number | null>;
      readonly gradientNorm: OfTurns<number>;
      readonly ms: number;
    }
  | {
      readonly event: "epoch";
      readonly stage?: string;
      readonly epoch: number;
      readonly step: number;
      readonly train: Losses;
      readonly valid: Readonly<Record<string, number>> | undefined;
      /** of its last step */
      readonly rate: OfTurns<number | null>;
      /** batches so far that were not finite and changed nothing */
      readonly skipped: number;
      readonly ms: number;
      readonly best: boolean;
    }
  | {
      readonly event: "end";
      readonly epoch: number;
      readonly step: number;
      readonly reason: EndReason;
      readonly best: number | null;
      readonly ms: number;
    };

export type EndReason = "epochs" | "steps" | "early" | "interrupted" | "not-finite";

export interface Sink {
  event(event: TrainEvent): void;
  /** called at moments from which training may go on; may be slow */
  checkpoint(checkpoint: Checkpoint, moment: "step" | "epoch" | "end"): Promise<void>;
  interrupted(): boolean;
  /** where true, the loop offers a checkpoint between epochs' ends too */
  due(now: number): boolean;
}

export interface Clock {
  /** milliseconds */
  now(): number;
  /** lets everything else that waits have its turn: signals, a page's events */
  pause(): Promise<void>;
}

/** Milliseconds between two pauses. */
const pauseEvery = 50;

export interface Outcome {
  readonly reason: EndReason;
  readonly checkpoint: Checkpoint;
  readonly notFinite: NotFiniteStep | undefined;
}

function ofTurns<T>(turns: readonly Turn[], values: readonly T[], otherwise: T): OfTurns<T> {
  const [first] = turns;
  if (first?.name === undefined) return values[0] ?? otherwise;
  return Object.fromEntries(turns.map(({ name }, i) => [name, values[i] ?? otherwise]));
}

/** Turns that an earlier run did already have none. */
function lossesOf(turns: readonly Turn[], losses: readonly number[]): Losses {
  return Object.fromEntries(
    turns.flatMap(({ name }, i) =>
      losses[i] === undefined ? [] : [[name === undefined ? "loss" : `loss.${name}`, losses[i]]],
    ),
  );
}

export async function train(
  plan: LoopPlan,
  from: Checkpoint,
  device: Device,
  source: DataSource,
  sink: Sink,
  clock: Clock,
): Promise<Outcome> {
  const began = clock.now();
  let paused = began;
  const perEpoch = stepsPerEpoch(plan, source.trainRows);
  const batchesPerEpoch = stepsPerEpoch({ ...plan, accumulate: 1 }, source.trainRows);
  let counters = from.counters;
  // without a choice, what is kept is the average as it is now
  let best = from.counters.bestEpoch === null ? undefined : from.best;
  const { stages } = plan;
  const stage = (): Stage => stages[counters.stage]!;
  const named = (): { readonly stage?: string } => {
    const { name } = stage();
    return name === undefined ? {} : { stage: name };
  };
  /** A function of the counters alone: a run that ended and is resumed ends again. */
  const stageEnd = (): "early" | "epochs" | undefined => {
    const { stop, epochs } = stage();
    if (stop && counters.waited >= stop.patience) return "early";
    return counters.stageEpoch >= epochs ? "epochs" : undefined;
  };
  const isLast = (): boolean => counters.stage === stages.length - 1;
  let rate: OfTurns<number | null> = null;
  device.restore(from.tensors);
  const total = Math.min(
    plan.steps ?? Infinity,
    stages.reduce((sum, { epochs }) => sum + epochs, 0) * perEpoch,
  );
  sink.event({
    event: "start",
    ...named(),
    epoch: counters.epoch + 1,
    step: counters.iteration,
    steps: total,
    rows: source.trainRows,
  });

  const shown = (tensors: Map<string, Float32Array>): Map<string, Float32Array> =>
    stage().average?.(tensors, counters.updates) ?? tensors;
  const taken = (): Checkpoint => {
    const tensors = device.snapshot();
    return { counters, tensors, best: best ?? (stage().average ? shown(tensors) : undefined) };
  };
  const end = async (reason: EndReason, notFinite?: Outcome["notFinite"]): Promise<Outcome> => {
    const checkpoint = taken();
    await sink.checkpoint(checkpoint, "end");
    const { iteration, bestValue } = counters;
    const epoch = counters.epoch + (reason === "early" || reason === "epochs" ? 0 : 1);
    sink.event({ event: "end", epoch, step: iteration, reason, best: bestValue, ms: clock.now() - began });
    return { reason, checkpoint, notFinite };
  };

  const interrupted = async (): Promise<boolean> => {
    if (clock.now() - paused > pauseEvery) {
      await clock.pause();
      paused = clock.now();
    }
    return sink.interrupted();
  };

  for (;;) {
    const ended = stageEnd();
    if (ended) {
      if (isLast()) return end(ended);
      counters = nextStage(counters);
      continue;
    }
    const { turns, stop, average } = stage();
    const epochBegan = clock.now();
    const { epoch } = counters;
    const given = Int32Array.from({ length: source.trainRows }, (_, row) => row);
    const order = plan.shuffle ? shuffled(given, plan.seed, "epoch", epoch) : given;
    while (counters.stepInEpoch < perEpoch) {
      if (await interrupted()) return end("interrupted");
      if (plan.steps !== undefined && counters.iteration >= plan.steps) return end("steps");
      const first = counters.stepInEpoch * plan.accumulate;
      const batches = Math.min(plan.accumulate, batchesPerEpoch - first);
      const batchAt = (at: number): { readonly batch: Batch; readonly rows: number } => {
        const from = (first + at) * plan.batch;
        const ids = order.subarray(from, Math.min(from + plan.batch, source.trainRows));
        return { batch: source.batch(ids, epoch), rows: ids.length };
      };
      const only = batches === 1 ? batchAt(0) : undefined;
      const step: StepOfLoop = {
        plan,
        device,
        stepsPerEpoch: perEpoch,
        batches,
        batch: (at) => only ?? batchAt(at),
        interrupted,
      };
      const before = clock.now();
      const losses: number[] = [];
      const norms: number[] = [];
      const rates: (number | null)[] = [];
      for (let turn = counters.turn; turn < turns.length; turn++) {
        const done = await runTurn(step, turns[turn]!, counters);
        counters = done.counters;
        if (done.ended) return end(done.ended, done.notFinite);
        losses[turn] = done.loss;
        norms[turn] = done.gradientNorm;
        rates[turn] = done.rate;
      }
      counters = {
        ...counters,
        turn: 0,
        stepInEpoch: counters.stepInEpoch + 1,
        iteration: counters.iteration + 1,
      };
      rate = ofTurns(turns, rates, null);
      sink.event({
        event: "step",
        ...named(),
        epoch: epoch + 1,
        step: counters.iteration,
        stepInEpoch: counters.stepInEpoch,
        stepsPerEpoch: perEpoch,
        train: lossesOf(turns, losses),
        rate,
        gradientNorm: ofTurns(turns, norms, NaN),
        ms: clock.now() - before,
      });
      if (counters.stepInEpoch < perEpoch && sink.due(clock.now())) await sink.checkpoint(taken(), "step");
    }

    const trained = device.snapshot();
    const weights = shown(trained);
    const valid = await source.validate(weights);
    await source.sample?.(weights, epoch + 1);
    if (average) device.restore(trained);
    let isBest = false;
    if (plan.keep && valid) {
      const value = valid[plan.keep.metric]!;
      if (better(plan.keep, value, counters.bestValue)) {
        isBest = true;
        best = weights;
        counters = { ...counters, bestValue: value, bestEpoch: epoch };
      }
    }
    if (stop && valid) {
      const value = valid[stop.metric]!;
      counters = better(stop, value, counters.stopValue)
        ? { ...counters, stopValue: value, waited: 0 }
        : { ...counters, waited: counters.waited + 1 };
    }
    if (plan.plateau && valid) counters = onPlateau(plan.plateau, valid[plan.plateau.metric]!, counters);
    sink.event({
      event: "epoch",
      ...named(),
      epoch: epoch + 1,
      step: counters.iteration,
      train: lossesOf(
        turns,
        turns.map((_, i) => (counters.lossSums[i] ?? 0) / (counters.lossRows[i] ?? 0)),
      ),
      valid,
      rate,
      skipped: counters.skipped,
      ms: clock.now() - epochBegan,
      best: isBest,
    });
    const { stageEpoch } = counters;
    counters = {
      ...counters,
      epoch: epoch + 1,
      stageEpoch: stageEpoch + 1,
      stepInEpoch: 0,
      lossSums: [],
      lossRows: [],
    };
    if (!(isLast() && stageEnd())) await sink.checkpoint(taken(), "epoch");
  }
}
