/** Opens a program for a command: reads its files, checks it with what is known of its data, builds its graphs. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { checkProgram, type CheckedProgram } from "../compiler/check/check-program.ts";
import type { CheckedTrain } from "../compiler/check/flow/check-train.ts";
import type { DataFacts, DataNeed, Facts } from "../compiler/check/flow/facts.ts";
import { needs } from "../compiler/check/flow/facts.ts";
import { resolveUse } from "../compiler/check/session.ts";
import type { DataPlan, DeployPlan, EvaluatePlan } from "../compiler/check/flow/plans.ts";
import { nearest } from "../compiler/check/names.ts";
import type { CallableValue } from "../compiler/check/values.ts";
import { modelGraphs, unknownSizes, type EntryName } from "../compiler/entries/model-graphs.ts";
import type { Generate, ModelGraphs } from "../compiler/ir/model.ts";
import { parse } from "../grammar/parse.ts";
import type { Source, Span } from "../grammar/source.ts";
import { Failure, ProgramFailure } from "./failure.ts";
import { openDataset, specOf, type Dataset } from "./data/dataset.ts";
import { DataError } from "./data/error.ts";
import { datasetFacts, tableFacts } from "./data/facts.ts";
import { dataFingerprint, sameSettings } from "./data/fingerprint.ts";
import { readSource, type ReadSource } from "./data/read.ts";
import { readText, shownPath } from "./files.ts";
import { packageFile } from "./packages.ts";
import { openLock, type Lock } from "./lock.ts";

export interface Program {
  readonly path: string;
  readonly checked: CheckedProgram;
  readonly lock: Lock;
  /** names of data blocks that were changed since the lock was written */
  readonly outdated: readonly string[];
}

/**
 * Checks a program with the given facts; without them with what the lock says of its data, and of small files that it
 * does not speak of, with what they say themselves. Errors: FileError where the program cannot be read, DataError where
 * its lock or such a file is damaged.
 */
export function openProgram(path: string, facts?: Facts): Program {
  const lock = openLock(path);
  if (facts) return { path, lock, checked: checkFile(path, facts), outdated: [] };
  const needed = needsOf(path);
  const known = lockedFacts(needed, lock);
  const outdated: string[] = [];
  if (known.size > 0) {
    const checked = checkFile(path, { data: known });
    for (const plan of checked.flow.plans.data)
      if (known.has(plan.key) && !sameSettings(lock.fingerprint(plan.key), plan)) {
        known.delete(plan.key);
        outdated.push(plan.name);
      }
    if (outdated.length === 0) return { path, lock, checked, outdated };
  }
  const own = needed.filter(({ span }) => span.source.path === shownPath(path));
  for (const [key, missing] of missingSources(path, own, known)) known.set(key, { missing });
  const sources = smallSources(path, own, known);
  for (const [key, source] of sources) known.set(key, tableFacts(source.table));
  const checked = checkFile(path, { data: known });
  if (sources.size === 0) return { path, lock, checked, outdated };
  for (const plan of checked.flow.plans.data) {
    const source = sources.get(plan.key);
    if (source) known.set(plan.key, factsUnlessErrors(plan, source, checked) ?? tableFacts(source.table));
  }
  return { path, lock, checked: checkFile(path, { data: known }), outdated };
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
  return checkProgram({ path: shown, read, packageFile, facts });
}

/** Sources up to this size are looked at while checking, where no lock speaks of them. */
const quickBytes = 1_000_000;

function lockedFacts(needed: readonly DataNeed[], lock: Lock): Map<string, DataFacts> {
  const known = new Map<string, DataFacts>();
  for (const { key } of needed) {
    const facts = lock.facts(key);
    if (facts) known.set(key, facts);
  }
  return known;
}

/** The data that a program's file declares, and all files that it uses by a path, each read once. */
function needsOf(path: string): readonly DataNeed[] {
  const found: DataNeed[] = [];
  const seen = new Set<string>();
  const walk = [shownPath(path)];
  for (let each = walk.pop(); each !== undefined; each = walk.pop()) {
    if (seen.has(each) || !existsSync(each)) continue;
    seen.add(each);
    const { file } = parse({ path: each, text: readText(each) });
    found.push(...needs(file));
    for (const declaration of file.declarations)
      if (declaration.kind === "use" && declaration.from.quoted && declaration.from.text.startsWith("."))
        walk.push(resolveUse(each, declaration));
  }
  return found;
}

function isQuick(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file?.isFile() === true && file.size <= quickBytes;
}

function smallSources(
  path: string,
  needed: readonly DataNeed[],
  known: ReadonlyMap<string, DataFacts>,
): Map<string, ReadSource> {
  const sources = new Map<string, ReadSource>();
  const quick = needed.filter(
    ({ key, reader, paths }) =>
      !known.has(key) &&
      (reader === "csv" || reader === "json") &&
      paths.every((each) => isQuick(join(dirname(path), each.path))),
  );
  if (quick.length === 0) return sources;
  // what the block says of its columns decides how they are read
  for (const plan of checkFile(path, { data: known }).flow.plans.data)
    if (plan.reader.path !== "" && quick.some(({ key }) => key === plan.key))
      sources.set(plan.key, readSource(specOf(plan), folderOf(plan)));
  return sources;
}

/** Sources that the lock does not speak of and that are not there. */
function missingSources(
  path: string,
  needed: readonly DataNeed[],
  known: ReadonlyMap<string, DataFacts>,
): Map<string, NonNullable<DataFacts["missing"]>> {
  const missing = new Map<string, NonNullable<DataFacts["missing"]>>();
  for (const { key, paths } of needed)
    for (const { path: written } of paths) {
      const place = resolve(dirname(path), written);
      if (known.has(key) || missing.has(key) || written === "" || existsSync(place)) continue;
      const [near] = existsSync(dirname(place)) ? nearest(basename(place), readdirSync(dirname(place))) : [];
      const folder = written.slice(0, written.lastIndexOf(basename(place)));
      missing.set(key, {
        path: written,
        place: shownPath(place),
        ...(near === undefined ? {} : { near: `${folder}${near}` }),
      });
    }
  return missing;
}

/** Undefined where the data does not fit a program that has errors, which are to be mended first. */
function factsUnlessErrors(
  plan: DataPlan,
  source: ReadSource,
  checked: CheckedProgram,
): DataFacts | undefined {
  try {
    return datasetFacts(openDataset(plan, folderOf(plan), source));
  } catch (error) {
    if (error instanceof DataError && checked.diagnostics.some((d) => d.severity === "error"))
      return undefined;
    throw error;
  }
}

/** Throws ProgramFailure where there are errors, Failure where the lock speaks of other data blocks. */
export function mustBeSound(program: Program): void {
  if (program.checked.diagnostics.some((d) => d.severity === "error"))
    throw new ProgramFailure(program.checked.diagnostics);
  const [name] = program.outdated;
  if (name !== undefined) throw outdatedLock(program, `\`data ${name}\` was changed`);
}

function outdatedLock({ path, lock }: Program, change: string): Failure {
  return new Failure(`${shownPath(lock.path)} is out of date: ${change} since it was written`, {
    help: `dlmc fit ${shownPath(path)} writes it anew`,
  });
}

/** Throws Failure where rows are wanted that an app gives. */
function mustBeRead({ checked, path }: Program, keys: readonly string[]): void {
  const given = checked.flow.plans.data.find(
    ({ key, reader }) => keys.includes(key) && reader.kind === "app",
  );
  if (given)
    throw new Failure(`the rows of ${given.name} are given by an app: there are none to read`, {
      place: shownPath(path),
      help: `dlmc compile ${shownPath(path)} --entry infer,train writes what an app trains`,
    });
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
 * needed. `refit`: the lock will be written anew, so it may be out of date. Errors: DataError; ProgramFailure; Failure.
 */
export function openWithData(
  path: string,
  options: { readonly only?: (program: Program) => readonly string[]; readonly refit?: boolean } = {},
): ProgramWithData {
  const lock = openLock(path);
  const known = lockedFacts(needsOf(path), lock);
  const first = openProgram(path, { data: known });
  mustBeRead(first, options.only?.(first) ?? []);
  const wanted = options.only?.(first) ?? first.checked.flow.plans.data.map((plan) => plan.key);
  const plansOf = (program: Program): DataPlan[] =>
    program.checked.flow.plans.data.filter((plan) => wanted.includes(plan.key) && plan.reader.path !== "");
  const sources = new Map<string, ReadSource>();
  for (const plan of plansOf(first)) {
    const source = readSource(specOf(plan), folderOf(plan));
    sources.set(plan.key, source);
    known.set(plan.key, tableFacts(source.table));
  }
  // what the columns are decides what the block makes of them, and that decides the sizes of the models
  const second = openProgram(path, { data: known });
  for (const plan of plansOf(second)) {
    const source = sources.get(plan.key);
    if (!source) continue;
    const isLocked = lock.fingerprint(plan.key) === dataFingerprint(plan, source.fingerprint);
    const locked = isLocked ? lock.facts(plan.key) : undefined;
    const facts = locked ?? factsUnlessErrors(plan, source, second.checked);
    if (!facts) throw new ProgramFailure(second.checked.diagnostics);
    known.set(plan.key, facts);
  }
  const program = openProgram(path, { data: known });
  mustBeSound(program);
  const datasets = new Map<string, Dataset>();
  for (const plan of plansOf(program)) {
    const source = sources.get(plan.key);
    if (!source) continue;
    const fingerprint = dataFingerprint(plan, source.fingerprint);
    const written = lock.fingerprint(plan.key) ?? fingerprint;
    if (options.refit !== true && written !== fingerprint)
      throw outdatedLock(
        program,
        sameSettings(written, plan) ? "the data was changed" : `\`data ${plan.name}\` was changed`,
      );
    datasets.set(plan.key, openDataset(plan, folderOf(plan), source));
    program.lock.setData(plan.key, fingerprint, known.get(plan.key)!);
  }
  return { ...program, datasets };
}

// ---------------------------------------------------------------- models and blocks

/** The model that a command is about: named, or the only one with a block of this kind, or the only one. */
export function chooseModel(program: Program, name: string | undefined): CallableValue {
  const { models } = program.checked;
  const names = models.map((m) => m.declaration.name.text);
  if (models.length === 0) throw new Failure(`${shownPath(program.path)} declares no model`);
  if (name !== undefined) {
    const found = models.find((m) => m.declaration.name.text === name);
    if (!found)
      throw new Failure(`${shownPath(program.path)} has no model ${name}`, {
        help: `it has ${names.join(", ")}`,
      });
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
    name === undefined ? trains : trains.filter((t) => t.plan.name === name || t.plan.models.includes(name));
  if (found.length === 0)
    throw new Failure(`${shownPath(program.path)} has no train block ${name}`, {
      help: `it has ${trains.map((t) => t.plan.name).join(", ")}`,
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
  if (found.length === 0)
    throw new Failure(`${shownPath(program.path)} has no evaluate block ${name}`, {
      help: `it has ${all.map((e) => e.name).join(", ")}`,
    });
  return found;
}

/** The `train` block of a model by itself, if it has one: of several that are trained by turns, none has. */
export function trainOf(program: Program, model: CallableValue): CheckedTrain | undefined {
  return program.checked.flow.trains.find(({ block }) => block.model?.declaration === model.declaration);
}

/** Entry graphs, and the place in the program that a message about all of them points at. */
export interface ProgramGraphs extends ModelGraphs {
  readonly span: Span;
}

/** The entry graphs of a model, or of all that a block trains by turns; refuses sizes that only data can tell. */
export function graphsOf(
  program: Program,
  model: CallableValue | undefined,
  train: CheckedTrain | undefined,
  entries: readonly EntryName[],
): ProgramGraphs {
  const { session, scope, flow } = program.checked;
  if (!scope) throw new Failure(`${shownPath(program.path)} cannot be read`);
  const request = { session, scope, model, train };
  const unknown = unknownSizes(request);
  if (unknown.length > 0)
    throw new Failure(`the size ${unknown.join(", ")} is not known yet: it comes from the data`, {
      help: `dlmc fit ${shownPath(program.path)} reads the data and pins it in dlm.lock`,
    });
  return {
    ...modelGraphs({
      ...request,
      data: flow.plans.data,
      generate: model && generateOf(program, model),
      ...(model && deployed(program, model)),
      entries,
    }),
    span: (model ?? train?.block)!.declaration.name.span,
  };
}

/** The deploy blocks of a model. */
function deploysOf({ checked }: Program, model: CallableValue): readonly DeployPlan[] {
  return checked.flow.plans.deploy.filter((plan) => plan.model === model.declaration.name.text);
}

/** How the model generates, where a deploy block says that it does. */
export function generateOf(program: Program, model: CallableValue): Generate | undefined {
  return deploysOf(program, model).find(({ generate }) => generate)?.generate;
}

/** What deploy blocks put in the place of a model's inputs and outputs. */
function deployed(program: Program, model: CallableValue): Pick<DeployPlan, "inputs" | "outputs"> {
  const deploys = deploysOf(program, model);
  return {
    inputs: deploys.flatMap(({ inputs }) => inputs),
    outputs: deploys.flatMap(({ outputs }) => outputs),
  };
}

/** How the weights of a model are stored, as a deploy block says. */
export function storedWeights(program: Program, model: CallableValue): "f32" | "f16" {
  return deploysOf(program, model)[0]?.weights ?? "f32";
}

/** What a deploy block says that the model is compiled to. */
export function targetOf(program: Program, model: CallableValue): "wasm" | "webgpu" | "both" {
  const targets = new Set(deploysOf(program, model).flatMap((plan) => plan.targets));
  if (!targets.has("webgpu")) return "wasm";
  return targets.size === 1 ? "webgpu" : "both";
}

/** Key in the lock of the numbers fitted for a model, or for a block of several. */
export function fittedKey(program: Program, name: string): string {
  return `${basename(program.path)}#${name}`;
}

/** A path as the user would write it from the current folder. */
export function fromHere(path: string): string {
  return relative(process.cwd(), path) || ".";
}
