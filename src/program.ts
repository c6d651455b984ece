/** Opens a program for a command: reads its files, checks it with what is known of its data, builds its graphs. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { checkProgram, type CheckedProgram } from "../compiler/check/check-program.ts";
import type { CheckedTrain } from "../compiler/check/flow/check-train.ts";
import type { DataFacts, Facts } from "../compiler/check/flow/facts.ts";
import { needs } from "../compiler/check/flow/facts.ts";
import type { DataPlan, EvaluatePlan } from "../compiler/check/flow/plans.ts";
import type { CallableValue } from "../compiler/check/values.ts";
import { modelGraphs, unknownSizes, type EntryName } from "../compiler/entries/model-graphs.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { parse } from "../grammar/parse.ts";
import type { Source } from "../grammar/source.ts";
import { Failure, ProgramFailure } from "./failure.ts";
import { openDataset, specOf, type Dataset } from "./data/dataset.ts";
import { datasetFacts, tableFacts } from "./data/facts.ts";
import { readSource, type ReadSource } from "./data/read.ts";
import { readText, shownPath } from "./files.ts";
import { openLock, type Lock } from "./lock.ts";

export interface Program {
  readonly path: string;
  readonly checked: CheckedProgram;
  readonly lock: Lock;
}

/** Errors: FileError where the program cannot be read, DataError where its lock is damaged. */
export function openProgram(path: string, facts?: Facts): Program {
  const lock = openLock(path);
  return { path, lock, checked: checkFile(path, facts ?? knownFacts(path, lock)) };
}

function sourceReader(): (path: string) => Source | undefined {
  const sources = new Map<string, Source | undefined>();
  return (path) => {
    if (!sources.has(path)) sources.set(path, existsSync(path) ? { path, text: readText(path) } : undefined);
    return sources.get(path);
  };
}

function checkFile(path: string, facts: Facts): CheckedProgram {
  const shown = shownPath(path);
  const read = sourceReader();
  if (!read(shown)) readText(path);
  return checkProgram({ path: shown, read, facts });
}

/** Sources up to this size are looked at while checking, where no lock speaks of them. */
const quickBytes = 1_000_000;

/** From the lock; of small files without one, what the file itself says of its columns. */
function knownFacts(path: string, lock: Lock): Facts {
  const data = new Map<string, DataFacts>();
  const shown = shownPath(path);
  const text = existsSync(path) ? readText(path) : "";
  for (const need of needs(parse({ path: shown, text }).file)) {
    const locked = lock.facts(need.key);
    if (locked) data.set(need.key, locked);
    else if (need.reader === "csv") {
      const file = join(dirname(path), need.path);
      const size = statSync(file, { throwIfNoEntry: false })?.size ?? Infinity;
      if (size <= quickBytes)
        data.set(need.key, tableFacts(readSource({ kind: "csv", path: need.path }, dirname(path)).table));
    }
  }
  return { data };
}

/** Throws ProgramFailure where there are errors. */
export function mustBeSound(program: Program): void {
  if (program.checked.diagnostics.some((d) => d.severity === "error"))
    throw new ProgramFailure(program.checked.diagnostics);
}

export interface ProgramWithData extends Program {
  /** by the key of the data block */
  readonly datasets: ReadonlyMap<string, Dataset>;
}

/** Where the files of a data block are looked for. */
function folderOf(plan: DataPlan): string {
  return dirname(plan.reader.span.source.path);
}

/**
 * Reads the data that the program names and checks it with all that the data tells. `only`: keys of the blocks that are
 * needed. Errors: DataError; ProgramFailure.
 */
export function openWithData(path: string, only?: (program: Program) => readonly string[]): ProgramWithData {
  const first = openProgram(path);
  const wanted = only?.(first) ?? first.checked.flow.plans.data.map((plan) => plan.key);
  const plansOf = (program: Program): DataPlan[] =>
    program.checked.flow.plans.data.filter((plan) => wanted.includes(plan.key) && plan.reader.path !== "");
  const known = new Map(knownFacts(path, first.lock).data);
  const sources = new Map<string, ReadSource>();
  for (const plan of plansOf(first)) {
    const source = readSource(specOf(plan), folderOf(plan));
    sources.set(plan.key, source);
    known.set(plan.key, tableFacts(source.table));
  }
  const second = openProgram(path, { data: known });
  mustBeSound(second);
  for (const plan of plansOf(second)) {
    const source = sources.get(plan.key);
    if (!source) continue;
    const fingerprint = dataFingerprint(plan, source.fingerprint);
    const locked =
      second.lock.fingerprint(plan.key) === fingerprint ? second.lock.facts(plan.key) : undefined;
    known.set(plan.key, locked ?? datasetFacts(openDataset(plan, folderOf(plan), source)));
  }
  const program = openProgram(path, { data: known });
  mustBeSound(program);
  const datasets = new Map<string, Dataset>();
  for (const plan of plansOf(program)) {
    const source = sources.get(plan.key);
    if (!source) continue;
    datasets.set(plan.key, openDataset(plan, folderOf(plan), source));
    program.lock.setData(plan.key, dataFingerprint(plan, source.fingerprint), known.get(plan.key)!);
  }
  return { ...program, datasets };
}

/** Of the bytes read and of what the block does with them: other rows, other fingerprint. */
function dataFingerprint(plan: DataPlan, bytes: string): string {
  const { drop, fill, split } = plan;
  const columns = plan.columns.map(({ name, kind, role, dtype, shape, classes }) => ({
    name,
    kind,
    role,
    dtype,
    shape,
    given: classes?.given === true ? classes.names : undefined,
  }));
  return `${bytes} ${JSON.stringify({ drop, fill, split, columns })}`;
}

// ---------------------------------------------------------------- models and blocks

/** The model that a command is about: named, or the only one with a block of this kind, or the only one. */
export function chooseModel(program: Program, name: string | undefined): CallableValue {
  const { models } = program.checked;
  const names = models.map((m) => m.declaration.name.text);
  if (models.length === 0) throw new Failure(`${shownPath(program.path)} declares no model`);
  if (name !== undefined) {
    const found = models.find((m) => m.declaration.name.text === name);
    if (!found) throw new Failure(`there is no model ${name}`, { help: `there are ${names.join(", ")}` });
    return found;
  }
  if (models.length > 1)
    throw new Failure(`${shownPath(program.path)} declares several models`, {
      help: `choose one with --model: ${names.join(", ")}`,
    });
  return models[0]!;
}

/** The `train` block that is named (by --train or by its model), or the only one. */
export function chooseTrain(program: Program, name?: string): CheckedTrain {
  const { trains } = program.checked.flow;
  if (trains.length === 0) throw new Failure(`${shownPath(program.path)} has no train block`);
  const found =
    name === undefined ? trains : trains.filter((t) => t.plan.name === name || t.plan.model === name);
  if (found.length === 0)
    throw new Failure(`there is no train block ${name}`, {
      help: `there are ${trains.map((t) => t.plan.name).join(", ")}`,
    });
  if (found.length > 1)
    throw new Failure("there are several train blocks", {
      help: `choose one with --train: ${found.map((t) => t.plan.name).join(", ")}`,
    });
  return found[0]!;
}

export function evaluatesOf(program: Program, name?: string): readonly EvaluatePlan[] {
  const all = program.checked.flow.plans.evaluate;
  if (all.length === 0) throw new Failure(`${shownPath(program.path)} has no evaluate block`);
  const found = name === undefined ? all : all.filter((e) => e.name === name || e.model === name);
  if (found.length === 0) throw new Failure(`there is no evaluate block ${name}`);
  return found;
}

/** The entry graphs; refuses sizes that only data can tell. */
export function graphsOf(
  program: Program,
  model: CallableValue,
  train: CheckedTrain | undefined,
  entries: readonly EntryName[],
): ModelGraphs {
  const { session, scope, flow } = program.checked;
  if (!scope) throw new Failure(`${shownPath(program.path)} cannot be read`);
  const request = { session, scope, model, train };
  const unknown = unknownSizes(request);
  if (unknown.length > 0)
    throw new Failure(`the size ${unknown.join(", ")} is not known yet: it comes from the data`, {
      help: `dlmc fit ${shownPath(program.path)} reads the data and pins it in dlm.lock`,
    });
  return modelGraphs({ ...request, data: flow.plans.data, entries });
}

/** Key of a model's fitted numbers in the lock. */
export function fittedKey(program: Program, model: CallableValue): string {
  return `${basename(program.path)}#${model.declaration.name.text}`;
}

/** A path as the user would write it from the current folder. */
export function fromHere(path: string): string {
  return relative(process.cwd(), path) || ".";
}
