/**
 * The training loop: a function of a checkpoint, a device, a data source, a sink and a clock, without I/O.
 * The command line, a worker and a page run this same loop; what it keeps between steps is a `Checkpoint`, whole.
 */
import { shuffled } from "../data/random.ts";

export type Batch = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

/** Scalars of the control block, by name. */
export interface Control {
  readonly seed: number;
  /** steps done before, over all epochs */
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

/** A compiled training program. Tensors are copies: weights, states and optimizer state by path. */
export interface Device {
  step(batch: Batch, rows: number, control: Control): Promise<StepResult>;
  snapshot(): Map<string, Float32Array>;
  restore(tensors: ReadonlyMap<string, Float32Array>): void;
}

export interface DataSource {
  readonly trainRows: number;
  /** the rows as a batch; `epoch` and `rows` make augmentation repeatable */
  batch(rows: Int32Array, epoch: number): Batch;
  /** loss and metrics of the validation split with the device's weights; undefined where there is no such split */
  validate(): Promise<Readonly<Record<string, number>> | undefined>;
}

export interface Watch {
  /** `loss`, `accuracy`, ... of the validation split */
  readonly metric: string;
  readonly larger: boolean;
}

export interface LoopPlan {
  readonly batch: number;
  readonly dropLast: boolean;
  readonly epochs: number;
  /** ends earlier, after so many steps */
  readonly steps: number | undefined;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly stop: (Watch & { readonly patience: number }) | undefined;
  readonly keep: Watch | undefined;
  /** multiplies the rate by `factor` after `patience` epochs without a better value */
  readonly plateau: (Watch & { readonly factor: number; readonly patience: number }) | undefined;
  /** stop at the first step that is not finite, or leave the weights and go on */
  readonly onNotFinite: "stop" | "skip";
  /** the learning rate of a step, for events */
  readonly rate?: ((control: Control) => number) | undefined;
}

/** All that the loop keeps. Restoring it goes on to the same bits. */
export interface Checkpoint {
  readonly counters: Counters;
  readonly tensors: Map<string, Float32Array>;
  readonly best: Map<string, Float32Array> | undefined;
}

export interface Counters {
  /** the epoch under way, from 0 */
  readonly epoch: number;
  /** steps of it that are done */
  readonly stepInEpoch: number;
  readonly iteration: number;
  /** steps that were not finite and changed nothing, over all epochs */
  readonly skipped: number;
  readonly lossSum: number;
  readonly lossRows: number;
  readonly bestValue: number | null;
  readonly bestEpoch: number | null;
  readonly stopValue: number | null;
  /** epochs since the watched value got better */
  readonly waited: number;
  readonly rateFactor: number;
  readonly plateauValue: number | null;
  /** epochs since the value that decides on the rate got better, or since the rate fell */
  readonly plateauWaited: number;
}

export const start: Counters = {
  epoch: 0,
  stepInEpoch: 0,
  iteration: 0,
  skipped: 0,
  lossSum: 0,
  lossRows: 0,
  bestValue: null,
  bestEpoch: null,
  stopValue: null,
  waited: 0,
  rateFactor: 1,
  plateauValue: null,
  plateauWaited: 0,
};

export type TrainEvent =
  | {
      readonly event: "start";
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      readonly rows: number;
    }
  | {
      readonly event: "step";
      readonly epoch: number;
      readonly step: number;
      readonly stepInEpoch: number;
      readonly stepsPerEpoch: number;
      readonly train: { readonly loss: number };
      /** the learning rate, where the optimizer has one */
      readonly rate: number | null;
      readonly gradientNorm: number;
      readonly ms: number;
    }
  | {
      readonly event: "epoch";
      readonly epoch: number;
      readonly step: number;
      readonly train: { readonly loss: number };
      readonly valid: Readonly<Record<string, number>> | undefined;
      /** of its last step */
      readonly rate: number | null;
      /** steps so far that were not finite and changed nothing */
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
  /** the batch that was not finite */
  readonly notFinite:
    | { readonly batch: Batch; readonly rows: number; readonly control: Control; readonly loss: number }
    | undefined;
}

function better(watch: Watch, value: number, than: number | null): boolean {
  return Number.isFinite(value) && (than === null || (watch.larger ? value > than : value < than));
}

/** As torch.optim.lr_scheduler.ReduceLROnPlateau with its threshold at 0 and its patience one lower. */
function onPlateau(plateau: LoopPlan["plateau"] & {}, value: number, counters: Counters): Counters {
  if (better(plateau, value, counters.plateauValue))
    return { ...counters, plateauValue: value, plateauWaited: 0 };
  const plateauWaited = counters.plateauWaited + 1;
  if (plateauWaited < plateau.patience) return { ...counters, plateauWaited };
  return { ...counters, plateauWaited: 0, rateFactor: counters.rateFactor * plateau.factor };
}

export function stepsPerEpoch(plan: LoopPlan, rows: number): number {
  return plan.dropLast ? Math.floor(rows / plan.batch) : Math.ceil(rows / plan.batch);
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
  let counters = from.counters;
  let best = from.best;
  let rate: number | null = null;
  device.restore(from.tensors);
  const total = Math.min(plan.steps ?? Infinity, plan.epochs * perEpoch);
  sink.event({
    event: "start",
    epoch: counters.epoch + 1,
    step: counters.iteration,
    steps: total,
    rows: source.trainRows,
  });

  const taken = (): Checkpoint => ({ counters, tensors: device.snapshot(), best });
  const end = async (reason: EndReason, notFinite?: Outcome["notFinite"]): Promise<Outcome> => {
    const checkpoint = taken();
    await sink.checkpoint(checkpoint, "end");
    const { iteration, bestValue } = counters;
    const epoch = Math.min(counters.epoch + (reason === "early" ? 0 : 1), plan.epochs);
    sink.event({ event: "end", epoch, step: iteration, reason, best: bestValue, ms: clock.now() - began });
    return { reason, checkpoint, notFinite };
  };

  while (counters.epoch < plan.epochs) {
    const epochBegan = clock.now();
    const { epoch } = counters;
    const given = Int32Array.from({ length: source.trainRows }, (_, row) => row);
    const order = plan.shuffle ? shuffled(given, plan.seed, "epoch", epoch) : given;
    while (counters.stepInEpoch < perEpoch) {
      if (clock.now() - paused > pauseEvery) {
        await clock.pause();
        paused = clock.now();
      }
      if (sink.interrupted()) return end("interrupted");
      if (plan.steps !== undefined && counters.iteration >= plan.steps) return end("steps");
      const first = counters.stepInEpoch * plan.batch;
      const rows = Math.min(plan.batch, source.trainRows - first);
      const ids = order.subarray(first, first + rows);
      const control: Control = {
        seed: plan.seed,
        iteration: counters.iteration,
        step: counters.iteration - counters.skipped + 1,
        steps_per_epoch: perEpoch,
        rate_factor: counters.rateFactor,
      };
      const batch = source.batch(ids, epoch);
      rate = plan.rate?.(control) ?? null;
      const before = clock.now();
      const result = await device.step(batch, rows, control);
      if (!result.finite && plan.onNotFinite === "stop")
        return end("not-finite", { batch, rows, control, loss: result.loss });
      counters = {
        ...counters,
        stepInEpoch: counters.stepInEpoch + 1,
        iteration: counters.iteration + 1,
        skipped: counters.skipped + (result.finite ? 0 : 1),
        lossSum: result.finite ? counters.lossSum + result.loss * rows : counters.lossSum,
        lossRows: result.finite ? counters.lossRows + rows : counters.lossRows,
      };
      sink.event({
        event: "step",
        epoch: epoch + 1,
        step: counters.iteration,
        stepInEpoch: counters.stepInEpoch,
        stepsPerEpoch: perEpoch,
        train: { loss: result.loss },
        rate,
        gradientNorm: result.gradientNorm,
        ms: clock.now() - before,
      });
      if (counters.stepInEpoch < perEpoch && sink.due(clock.now())) await sink.checkpoint(taken(), "step");
    }

    const valid = await source.validate();
    let isBest = false;
    if (plan.keep && valid) {
      const value = valid[plan.keep.metric]!;
      if (better(plan.keep, value, counters.bestValue)) {
        isBest = true;
        best = device.snapshot();
        counters = { ...counters, bestValue: value, bestEpoch: epoch };
      }
    }
    if (plan.stop && valid) {
      const value = valid[plan.stop.metric]!;
      counters = better(plan.stop, value, counters.stopValue)
        ? { ...counters, stopValue: value, waited: 0 }
        : { ...counters, waited: counters.waited + 1 };
    }
    if (plan.plateau && valid) counters = onPlateau(plan.plateau, valid[plan.plateau.metric]!, counters);
    sink.event({
      event: "epoch",
      epoch: epoch + 1,
      step: counters.iteration,
      train: { loss: counters.lossRows === 0 ? NaN : counters.lossSum / counters.lossRows },
      valid,
      rate,
      skipped: counters.skipped,
      ms: clock.now() - epochBegan,
      best: isBest,
    });
    counters = { ...counters, epoch: epoch + 1, stepInEpoch: 0, lossSum: 0, lossRows: 0 };
    if (plan.stop && counters.waited >= plan.stop.patience) return end("early");
    if (counters.epoch < plan.epochs) await sink.checkpoint(taken(), "epoch");
  }
  return end("epochs");
}
