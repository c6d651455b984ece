/**
 * The folder of one training run: metrics.jsonl, last and best weights, config.json. Every file is replaced whole;
 * metrics.jsonl alone grows, and what a resumed run will do again is cut from it.
 */
import { appendFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import {
  fileError,
  makeFolder,
  readBytes,
  readText,
  shownPath,
  writeFileAtomic,
  writeFilesAtomic,
} from "../files.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  encodeWeights,
  type CheckpointFacts,
  type DecodedCheckpoint,
  type TensorSpec,
} from "./checkpoint.ts";
import type { Checkpoint, TrainEvent } from "./loop.ts";

export interface RunFolder {
  readonly path: string;
  readonly last: string;
  readonly best: string;
  log(event: TrainEvent): void;
  /** the state before the first step, so that a run can be resumed from any moment on */
  begin(checkpoint: Checkpoint): void;
  /** both files; best.safetensors only where it would change */
  save(checkpoint: Checkpoint): void;
  config(settings: unknown): void;
}

export interface Saved {
  /** weights, states and optimizer state */
  readonly all: readonly TensorSpec[];
  /** weights and states */
  readonly weights: readonly TensorSpec[];
  readonly facts: CheckpointFacts;
}

/** What a run goes on from. */
export interface Resumed {
  readonly folder: string;
  readonly checkpoint: Checkpoint;
}

/** Errors: FileError where the folder cannot be written, before any work is done. */
export function openRunFolder(path: string, saved: Saved, from: Resumed | undefined): RunFolder {
  const metrics = join(path, "metrics.jsonl");
  makeFolder(path);
  removeRests(path);
  writeFileAtomic(metrics, from ? knownLines(join(from.folder, "metrics.jsonl"), from.checkpoint) : "");
  // whatever best.safetensors holds, a run killed between its two files may have left it behind
  let bestEpoch: number | null | undefined;
  const folder: RunFolder = {
    path,
    last: join(path, "last.safetensors"),
    best: join(path, "best.safetensors"),
    log(event) {
      try {
        appendFileSync(metrics, JSON.stringify(event) + "\n");
      } catch (error) {
        throw fileError(error, metrics, "written");
      }
    },
    begin: (checkpoint) => writeFileAtomic(folder.last, encodeCheckpoint(checkpoint, saved.all, saved.facts)),
    save(checkpoint) {
      const { counters, best, tensors } = checkpoint;
      const last = [folder.last, encodeCheckpoint(checkpoint, saved.all, saved.facts)] as const;
      if (best !== undefined && counters.bestEpoch !== null && counters.bestEpoch === bestEpoch)
        return writeFilesAtomic([last]);
      const weights = encodeWeights(best ?? tensors, saved.weights, saved.facts);
      writeFilesAtomic([[folder.best, weights], last]);
      bestEpoch = counters.bestEpoch;
    },
    config: (settings) =>
      writeFileAtomic(join(path, "config.json"), JSON.stringify(settings, undefined, 2) + "\n"),
  };
  return folder;
}

/** Whether a run has been written there, however far it came. */
function holdsRun(path: string): boolean {
  return ["last.safetensors", "best.safetensors"].some((name) => existsSync(join(path, name)));
}

/** The folder as it is named, or with the first number behind it that no run has: `runs/digits-2`. */
export function freeRunFolder(path: string): string {
  let free = path;
  for (let number = 2; holdsRun(free); number++) free = `${path}-${number}`;
  return free;
}

/** A run is never overwritten. Errors: Failure. */
export function mustBeFree(path: string): void {
  if (holdsRun(path))
    throw new Failure(`${shownPath(path)} holds a run already`, {
      help: `--resume ${shownPath(path)} goes on with it; or choose another folder, or remove this one`,
      status: 2,
    });
}

/** Files that were being written when a run was killed. */
function removeRests(path: string): void {
  for (const name of readdirSync(path))
    if (/^\.(last|best)\.safetensors\.[0-9a-f]{8}\.tmp$/.test(name))
      rmSync(join(path, name), { force: true });
}

/** Without lines of steps and epochs that the checkpoint does not know yet, and without a torn last line. */
function knownLines(path: string, { counters }: Checkpoint): string {
  if (!existsSync(path)) return "";
  const kept: string[] = [];
  for (const line of readText(path).split("\n")) {
    try {
      const event = JSON.parse(line) as TrainEvent;
      const known =
        event.event === "epoch"
          ? event.epoch <= counters.epoch
          : event.event === "step" && event.step <= counters.iteration;
      if (known) kept.push(line);
    } catch {
      // the line that was being written when the run was killed
    }
  }
  return kept.map((line) => line + "\n").join("");
}

/** Errors: Failure where there is no run, DataError where its checkpoint is damaged or another model's. */
export function readCheckpoint(folder: string, specs: readonly TensorSpec[]): DecodedCheckpoint {
  const path = join(folder, "last.safetensors");
  if (!existsSync(path))
    throw new Failure(`there is no run to go on with in ${shownPath(folder)}`, {
      help: "--resume takes the folder of a run, which holds last.safetensors",
    });
  return decodeCheckpoint(readBytes(path), shownPath(path), specs);
}
