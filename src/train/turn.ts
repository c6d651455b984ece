/** One turn of a step: its batches, of which each is a step of the device, and the update that several of them make. */
import { added, type Counters } from "./counters.ts";
import type { Batch, Control, Device, LoopPlan, Turn } from "./loop.ts";

/** What all turns of a step share. */
export interface StepOfLoop {
  readonly plan: LoopPlan;
  readonly device: Device;
  readonly stepsPerEpoch: number;
  readonly batches: number;
  batch(at: number): { readonly batch: Batch; readonly rows: number };
  /** whether to end before the next batch; lets others have their turn */
  interrupted(): Promise<boolean>;
}

/** What was not finite, as it was given to the device. */
export interface NotFiniteStep {
  readonly batch: Batch;
  readonly rows: number;
  readonly control: Control;
  readonly loss: number;
  readonly entry: string;
}

export type TurnResult =
  | {
      readonly counters: Counters;
      readonly ended?: undefined;
      /** the mean over the rows of all batches that were finite */
      readonly loss: number;
      readonly gradientNorm: number;
      readonly rate: number | null;
    }
  | { readonly counters: Counters; readonly ended: "interrupted"; readonly notFinite?: undefined }
  | { readonly counters: Counters; readonly ended: "not-finite"; readonly notFinite: NotFiniteStep };

const nothingDone = { batchInTurn: 0, turnLoss: 0, turnRows: 0 } as const;

/** Goes on where the counters stand. They are those behind the last batch that was done, or behind the turn. */
export async function runTurn(step: StepOfLoop, turn: Turn, from: Counters): Promise<TurnResult> {
  const { plan, device } = step;
  const { entry, update } = turn;
  let counters = from;
  const control = (): Control => ({
    seed: plan.seed,
    iteration: counters.iteration * plan.accumulate + counters.batchInTurn,
    step: (counters.updates[counters.turn] ?? 0) + 1,
    steps_per_epoch: step.stepsPerEpoch,
    rate_factor: counters.rateFactor,
  });
  const rate = turn.rate?.(control()) ?? null;
  const stops = plan.onNotFinite === "stop";
  let last = { loss: NaN, gradientNorm: NaN, finite: false };
  while (counters.batchInTurn < step.batches) {
    // what later turns have done is told with the first, whose loss is not kept
    const mayEnd = counters.turn === 0 && counters.batchInTurn > 0;
    if (mayEnd && (await step.interrupted())) return { counters, ended: "interrupted" };
    const { batch, rows } = step.batch(counters.batchInTurn);
    const given = control();
    last = await device.step(batch, rows, given, entry);
    if (!last.finite && stops)
      return {
        counters,
        ended: "not-finite",
        notFinite: { batch, rows, control: given, loss: last.loss, entry },
      };
    counters = {
      ...counters,
      batchInTurn: counters.batchInTurn + 1,
      ...(last.finite
        ? { turnLoss: counters.turnLoss + last.loss * rows, turnRows: counters.turnRows + rows }
        : { skipped: counters.skipped + 1 }),
    };
  }
  const { turnLoss, turnRows } = counters;
  if (update !== undefined) {
    last = { loss: turnLoss / turnRows, gradientNorm: NaN, finite: false };
    if (turnRows > 0) {
      const given = control();
      last = { ...last, ...(await device.update!(given, entry)) };
      // what was gathered is gone: the turn would begin anew
      if (!last.finite && stops)
        return {
          counters: { ...counters, ...nothingDone },
          ended: "not-finite",
          notFinite: { batch: {}, rows: 0, control: given, loss: last.loss, entry: update },
        };
      if (!last.finite) counters = { ...counters, skipped: counters.skipped + 1 };
    }
  }
  const { turn: at } = counters;
  return {
    counters: {
      ...counters,
      ...nothingDone,
      turn: at + 1,
      updates: last.finite ? added(counters.updates, at, 1) : counters.updates,
      lossSums: turnRows > 0 ? added(counters.lossSums, at, turnLoss) : counters.lossSums,
      lossRows: turnRows > 0 ? added(counters.lossRows, at, turnRows) : counters.lossRows,
    },
    loss: last.loss,
    gradientNorm: last.gradientNorm,
    rate,
  };
}
