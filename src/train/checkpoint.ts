/**
 * A checkpoint as one .safetensors file: all that the loop keeps. Tensors by path (weights, states, optimizer
 * state), the best ones under `best/`, counters in the metadata. One file, so that it is replaced whole or not at all.
 */
import { DataError } from "../data/error.ts";
import { Failure } from "../failure.ts";
import type { HostArray } from "../data/table.ts";
import { readWithDigest, writeWithDigest } from "../weights/digest.ts";
import { start, type Counters } from "./counters.ts";
import type { Checkpoint } from "./loop.ts";

/** A tensor that a device keeps. */
export interface TensorSpec {
  readonly path: string;
  readonly shape: readonly number[];
}

/** What must be the same for the bits to be the same. */
export interface CheckpointFacts {
  readonly program: string;
  readonly weights: string;
  readonly data: string;
  readonly seed: number;
  /** `wasm`, `wasm relaxed` */
  readonly target: string;
  /** version of the compiler */
  readonly version: string;
}

const bestPrefix = "best/";

function withShapes(
  tensors: ReadonlyMap<string, Float32Array>,
  specs: readonly TensorSpec[],
  prefix: string,
  into: Map<string, HostArray>,
): void {
  for (const { path, shape } of specs) {
    const data = tensors.get(path);
    if (data) into.set(prefix + path, { dtype: "f32", shape, data });
  }
}

export function encodeCheckpoint(
  checkpoint: Checkpoint,
  specs: readonly TensorSpec[],
  facts: CheckpointFacts,
): Uint8Array {
  const tensors = new Map<string, HostArray>();
  withShapes(checkpoint.tensors, specs, "", tensors);
  if (checkpoint.best) withShapes(checkpoint.best, specs, bestPrefix, tensors);
  return writeWithDigest(
    tensors,
    new Map([
      ["format", "dlmc checkpoint 1"],
      ["facts", JSON.stringify(facts)],
      ["counters", JSON.stringify(checkpoint.counters)],
    ]),
  );
}

/** Weights and states alone, for use by other commands and tools. */
export function encodeWeights(
  tensors: ReadonlyMap<string, Float32Array>,
  specs: readonly TensorSpec[],
  facts: CheckpointFacts,
): Uint8Array {
  const kept = new Map<string, HostArray>();
  withShapes(tensors, specs, "", kept);
  return writeWithDigest(
    kept,
    new Map([
      ["format", "dlmc weights 1"],
      ["facts", JSON.stringify(facts)],
    ]),
  );
}

export interface DecodedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly facts: CheckpointFacts;
}

function isCounters(value: unknown): value is Counters {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(start).every(([key, example]) => {
      const found: unknown = (value as Record<string, unknown>)[key];
      if (Array.isArray(example))
        return Array.isArray(found) && found.every((each) => typeof each === "number");
      return typeof found === "number" || (found === null && example === null);
    })
  );
}

function isFacts(value: unknown): value is CheckpointFacts {
  if (typeof value !== "object" || value === null) return false;
  const facts = value as Record<string, unknown>;
  const texts = ["program", "weights", "data", "target", "version"];
  return typeof facts["seed"] === "number" && texts.every((key) => typeof facts[key] === "string");
}

function parsed(metadata: ReadonlyMap<string, string>, key: string, file: string): unknown {
  try {
    return JSON.parse(metadata.get(key) ?? "");
  } catch {
    throw new DataError(`this is no checkpoint: its metadata has no readable ${key}`, { file });
  }
}

/** Throws Failure where it is another program's, DataError where it is damaged: nothing is half restored. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  file: string,
  specs: readonly TensorSpec[],
): DecodedCheckpoint {
  const { metadata, tensors } = readWithDigest(bytes, file);
  const counters = parsed(metadata, "counters", file);
  if (!isCounters(counters)) throw new DataError("this is no checkpoint: its counters are damaged", { file });
  const facts = parsed(metadata, "facts", file);
  if (!isFacts(facts)) throw new DataError("this is no checkpoint: its facts are damaged", { file });
  mustBeOfProgram(tensors, file, specs);
  const hasBest = [...tensors.keys()].some((name) => name.startsWith(bestPrefix));
  return {
    facts,
    checkpoint: {
      counters,
      tensors: pick(tensors, specs, "", file),
      best: hasBest ? pick(tensors, specs, bestPrefix, file) : undefined,
    },
  };
}

const optimizerPrefix = "optimizer.";
const mostNamed = 4;

/** Whether the run's tensors are those of the program, by name and shape. */
function mustBeOfProgram(
  tensors: ReadonlyMap<string, HostArray>,
  file: string,
  specs: readonly TensorSpec[],
): void {
  const here = new Map(specs.map(({ path, shape }) => [path, shape]));
  const names = new Set([...here.keys(), ...tensors.keys()].filter((name) => !name.startsWith(bestPrefix)));
  const differing: { readonly name: string; readonly how: string }[] = [];
  for (const name of names) {
    const [ours, theirs] = [here.get(name), tensors.get(name)?.shape];
    if (ours && theirs && ours.join() === theirs.join()) continue;
    const how = !ours
      ? "is in the run only"
      : !theirs
        ? "is not in the run"
        : `is [${theirs.join(", ")}] there and [${ours.join(", ")}] here`;
    differing.push({ name, how });
  }
  if (differing.length === 0) return;
  const weights = differing.filter(({ name }) => !name.startsWith(optimizerPrefix));
  const shown = (weights.length > 0 ? weights : differing)
    .slice(0, mostNamed)
    .map(({ name, how }) => `${name} ${how}`)
    .join("; ");
  const more = (weights.length > 0 ? weights : differing).length > mostNamed ? "; …" : "";
  if (weights.length > 0)
    throw new Failure(
      `this run is of another model or program, ${weights.length} weights differ: ${shown}${more}`,
      {
        place: file,
        help: "a run goes on with the program it began with; without --resume, training begins anew",
      },
    );
  throw new Failure(`this run began with another optimizer: ${shown}${more}`, {
    place: file,
    help: `without --resume and with --weights ${file}, training begins anew from its weights`,
  });
}

function pick(
  tensors: ReadonlyMap<string, HostArray>,
  specs: readonly TensorSpec[],
  prefix: string,
  file: string,
): Map<string, Float32Array> {
  return new Map(
    specs.map((spec) => {
      const found = tensors.get(prefix + spec.path);
      if (!found)
        throw new DataError("this tensor of the model is missing", { file, column: prefix + spec.path });
      return [spec.path, fitting(found, spec, file)];
    }),
  );
}

function fitting(found: HostArray, spec: TensorSpec, file: string): Float32Array {
  const same = found.shape.length === spec.shape.length && found.shape.every((n, i) => n === spec.shape[i]);
  if (!same)
    throw new DataError(
      `it has shape [${found.shape.join(", ")}], the model needs [${spec.shape.join(", ")}]`,
      {
        file,
        column: spec.path,
      },
    );
  const data = found.data instanceof Float32Array ? found.data : Float32Array.from(found.data);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new DataError(`number ${wrong + 1} is ${data[wrong]}, no model can use it`, {
      file,
      column: spec.path,
    });
  return data;
}

/**
 * Weights for a model: every weight and state must be in the file (a checkpoint of training serves as well, its best
 * tensors are preferred), and nothing of the model may be missing. Tensors that no part of the model asks for are told.
 * In the file of models that were trained together, those of `model` are behind its name.
 */
export function decodeWeights(
  bytes: Uint8Array,
  file: string,
  specs: readonly TensorSpec[],
  model?: string,
): { tensors: Map<string, Float32Array>; unused: string[] } {
  const { tensors } = readWithDigest(bytes, file);
  const own = model === undefined ? new Map<string, HostArray>() : ofModel(tensors, `${model}.`);
  return decode(specs.some(({ path }) => own.has(path)) ? own : tensors, file, specs);
}

/** Those of one model, under the paths that they have in it by itself. */
function ofModel(tensors: ReadonlyMap<string, HostArray>, own: string): Map<string, HostArray> {
  const found = new Map<string, HostArray>();
  for (const [name, tensor] of tensors)
    for (const prefix of ["", bestPrefix])
      if (name.startsWith(prefix + own)) found.set(prefix + name.slice((prefix + own).length), tensor);
  return found;
}

function decode(
  tensors: ReadonlyMap<string, HostArray>,
  file: string,
  specs: readonly TensorSpec[],
): { tensors: Map<string, Float32Array>; unused: string[] } {
  const prefix = specs.every((s) => tensors.has(bestPrefix + s.path)) && specs.length > 0 ? bestPrefix : "";
  const missing = specs.filter((s) => !tensors.has(prefix + s.path)).map((s) => s.path);
  if (missing.length > 0) {
    const shown = missing.slice(0, 4).join(", ") + (missing.length > 4 ? ", …" : "");
    throw new DataError(
      `${missing.length} of ${specs.length} tensors of the model are not in this file: ${shown}`,
      { file },
    );
  }
  const wanted = new Set(specs.map((s) => prefix + s.path));
  const ours = (name: string): boolean =>
    name.startsWith(optimizerPrefix) || name.startsWith(bestPrefix) !== (prefix !== "");
  return {
    tensors: pick(tensors, specs, prefix, file),
    unused: [...tensors.keys()].filter((name) => !wanted.has(name) && !ours(name)),
  };
}
