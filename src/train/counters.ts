/** What a run counts and watches: part of its checkpoint, so that it goes on to the same bits. */

export interface Watch {
  /** `loss`, `accuracy`, ... of the validation split */
  readonly metric: string;
  readonly larger: boolean;
}

/** Multiplies the rate by `factor` after `patience` epochs without a better value. */
export interface Plateau extends Watch {
  readonly factor: number;
  readonly patience: number;
}

export interface Counters {
  /** the stage under way, and its epochs that are done */
  readonly stage: number;
  readonly stageEpoch: number;
  /** the epoch under way, from 0, over all stages */
  readonly epoch: number;
  /** steps of it that are done */
  readonly stepInEpoch: number;
  readonly iteration: number;
  /** turns of the step under way that are done: above 0 only where a later one was not finite or interrupted */
  readonly turn: number;
  /** of the turn under way, where a step has several batches: those done, and the sum of the loss over their rows */
  readonly batchInTurn: number;
  readonly turnLoss: number;
  readonly turnRows: number;
  /** by turn: updates made, over all epochs of the stage */
  readonly updates: readonly number[];
  /** batches that were not finite and changed nothing, over all epochs */
  readonly skipped: number;
  /** by turn, of the epoch under way: sum of the loss over rows, and these rows */
  readonly lossSums: readonly number[];
  readonly lossRows: readonly number[];
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
  stage: 0,
  stageEpoch: 0,
  epoch: 0,
  stepInEpoch: 0,
  iteration: 0,
  turn: 0,
  batchInTurn: 0,
  turnLoss: 0,
  turnRows: 0,
  updates: [],
  skipped: 0,
  lossSums: [],
  lossRows: [],
  bestValue: null,
  bestEpoch: null,
  stopValue: null,
  waited: 0,
  rateFactor: 1,
  plateauValue: null,
  plateauWaited: 0,
};

export function better(watch: Watch, value: number, than: number | null): boolean {
  return Number.isFinite(value) && (than === null || (watch.larger ? value > than : value < than));
}

/** As torch.optim.lr_scheduler.ReduceLROnPlateau with its threshold at 0 and its patience one lower. */
export function onPlateau(plateau: Plateau, value: number, counters: Counters): Counters {
  if (better(plateau, value, counters.plateauValue))
    return { ...counters, plateauValue: value, plateauWaited: 0 };
  const plateauWaited = counters.plateauWaited + 1;
  if (plateauWaited < plateau.patience) return { ...counters, plateauWaited };
  return { ...counters, plateauWaited: 0, rateFactor: counters.rateFactor * plateau.factor };
}

/** `value` more at this place; places before it that were not there are 0. */
export function added(numbers: readonly number[], at: number, value: number): readonly number[] {
  const sums = [...numbers];
  for (let i = 0; i <= at; i++) sums[i] ??= 0;
  sums[at]! += value;
  return sums;
}

/** The counters at the start of the next stage: what was counted for the optimizer and watched begins anew. */
export function nextStage(counters: Counters): Counters {
  const { updates, stopValue, waited, rateFactor, plateauValue, plateauWaited } = start;
  const anew = { updates, stopValue, waited, rateFactor, plateauValue, plateauWaited };
  return { ...counters, ...anew, stage: counters.stage + 1, stageEpoch: 0 };
}
