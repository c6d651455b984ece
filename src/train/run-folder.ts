/**
 * The folder of one training run: metrics.jsonl, last and best weights, config.json. Every file is replaced whole;
 * metrics.jsonl alone grows, and what a resumed run will do again is cut from it.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileError, makeFolder, readBytes, shownPath, writeFileAtomic } from "../files.ts";
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
  /** both files; best.safetensors only where there are new best weights */
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

/** Errors: FileError where the folder cannot be written, before any work is done. */
export function openRunFolder(path: string, saved: Saved, from: Checkpoint | undefined): RunFolder {
  const metrics = join(path, "metrics.jsonl");
  makeFolder(path);
  cutMetrics(metrics, from);
  let bestEpoch: number | null = from?.counters.bestEpoch ?? null;
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
    save(checkpoint) {
      const { counters, best, tensors } = checkpoint;
      if (best ? counters.bestEpoch !== bestEpoch || !existsSync(folder.best) : true) {
        writeFileAtomic(folder.best, encodeWeights(best ?? tensors, saved.weights, saved.facts));
        bestEpoch = counters.bestEpoch;
      }
      writeFileAtomic(folder.last, encodeCheckpoint(checkpoint, saved.all, saved.facts));
    },
    config: (settings) =>
      writeFileAtomic(join(path, "config.json"), JSON.stringify(settings, undefined, 2) + "\n"),
  };
  return folder;
}

/** Lines of steps and epochs that the checkpoint does not know yet; a torn last line too. */
function cutMetrics(path: string, from: Checkpoint | undefined): void {
  if (!existsSync(path)) return;
  const kept: string[] = [];
  if (from)
    for (const line of readFileSync(path, "utf8").split("\n")) {
      try {
        const event = JSON.parse(line) as TrainEvent;
        const known =
          event.event === "epoch"
            ? event.epoch <= from.counters.epoch
            : event.event === "step" && event.step <= from.counters.iteration;
        if (known) kept.push(line);
      } catch {
        // the line that was being written when the run was killed
      }
    }
  writeFileAtomic(path, kept.map((line) => line + "\n").join(""));
}

/** Errors: DataError or FileError where there is no whole checkpoint of this model. */
export function readCheckpoint(folder: string, specs: readonly TensorSpec[]): DecodedCheckpoint {
  const path = join(folder, "last.safetensors");
  return decodeCheckpoint(readBytes(path), path, specs);
}
