/** `dlmc grad`: gradients of a train block's loss for one batch, and whether differences agree with them. */
import { gradName } from "../../../compiler/entries/train.ts";
import { Command } from "commander";
import type { CheckedTrain } from "../../../compiler/check/flow/check-train.ts";
import type { PartPlan } from "../../../compiler/check/flow/plans.ts";
import type { ModelGraphs } from "../../../compiler/ir/model.ts";
import type { Model } from "../../../runtime/index.ts";
import { openModel } from "../../compile-program.ts";
import { inputColumns, readInputs } from "../../data/inputs.ts";
import type { HostArray } from "../../data/table.ts";
import { fed } from "../../evaluate/measure.ts";
import { Failure } from "../../failure.ts";
import { readBytes, shownPath, writeFileAtomic } from "../../files.ts";
import { feedsOf, fitTrain, inputNames } from "../../fit.ts";
import type { WeightCheck } from "../../gradient-check.ts";
import {
  checkReferenceGradient,
  lossFlops,
  referenceGradient,
  weightsOf,
  type GradientProblem,
} from "../../gradients.ts";
import {
  chooseTrain,
  fittedKey,
  graphsOf,
  mustBeSound,
  openProgram,
  openWithData,
  type Program,
  type ProgramWithData,
} from "../../program.ts";
import { normal } from "../../random-inputs.ts";
import { number } from "../../text.ts";
import { decodeWeights } from "../../train/checkpoint.ts";
import { writeSafetensors } from "../../weights/safetensors.ts";
import { printJson, progress, table, terminal, type Terminal } from "../terminal.ts";
import { wholeNumber } from "./train.ts";

interface Options {
  readonly train?: string;
  readonly model?: string;
  readonly input?: string;
  readonly weights?: string;
  readonly seed?: number;
  readonly rows?: number;
  readonly check?: boolean;
  readonly output?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function gradCommand(): Command {
  return new Command("grad")
    .argument("<file>", "program")
    .option("--train <name>", "the train block, where there are several")
    .option("--model <name>", "the model whose train block it is")
    .option("--input <file>", "the batch, by column; the first rows of the train split where absent")
    .option("--weights <file>", "weights or a checkpoint (.safetensors); drawn from the seed where absent")
    .option("--seed <n>", "of weights and dropout", wholeNumber(0))
    .option("--rows <n>", "rows of the batch", wholeNumber(1))
    .option("--check", "compare with central differences in f64; exit 1 where they disagree")
    .option("--output <file>", "where the gradients go (.safetensors)")
    .option("--json", "one JSON line a weight")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const name = options.train ?? options.model;
      const program =
        options.input === undefined
          ? openWithData(file, { only: (p) => dataOf(p, name) })
          : openProgram(file);
      mustBeSound(program);
      const train = chooseTrain(program, name);
      const seed = options.seed ?? train.plan.seed;
      const part = partOf(train, options.model);
      const graphs = graphsOf(program, train.block.model, train, ["init", "grad"]);
      const { model } = await openModel(graphs);
      const { batch, rows } = batchOf(program, train, part, graphs, model, options);
      await model.init(seed);
      setWeights(program, train, model, options.weights);
      if (options.check === true) model.setWeights(besides(model, seed));

      const { loss, gradient } = await model.call(gradName(part), batch, { dims: { B: rows } });
      const problem: GradientProblem = { graphs, part, batch, rows, seed, tensors: model.weights() };
      model.destroy();
      if (options.output !== undefined) {
        writeFileAtomic(options.output, encodeGradients(problem, gradient as Float32Array));
        if (options.json !== true) t.print(`wrote ${shownPath(options.output)}`);
      }
      if (options.check === true) check(t, problem, gradient as Float32Array, options.json === true);
      else list(t, problem, loss![0]!, gradient as Float32Array, options.json === true);
    });
}

/** Where steps take turns, the one of the model that is named. */
function partOf({ plan }: CheckedTrain, model: string | undefined): PartPlan {
  const { parts } = plan;
  const found = parts[0]?.name === undefined ? parts[0] : parts.find(({ name }) => name === model);
  if (found) return found;
  const names = parts.map(({ name }) => name).join(", ");
  throw new Failure(`the steps of ${plan.name} take turns, and each has a loss of its own`, {
    help: `choose one with --model: ${names}`,
    status: 2,
  });
}

function dataOf(program: Program, name: string | undefined): string[] {
  return [chooseTrain(program, name).plan.data];
}

/** The reference evaluates a batch of so many operations in about a fifth of a second. */
const referenceFlops = 3e6;

/** Checks take fewer rows, at least two: a batch of one has no variance. */
function rowsFor(train: CheckedTrain, part: PartPlan, graphs: ModelGraphs, options: Options): number {
  if (options.rows !== undefined) return options.rows;
  if (options.check !== true) return train.plan.batch;
  return Math.max(2, Math.min(train.plan.batch, Math.floor(referenceFlops / (1 + lossFlops(graphs, part)))));
}

function batchOf(
  program: Program | ProgramWithData,
  train: CheckedTrain,
  part: PartPlan,
  graphs: ModelGraphs,
  model: Model,
  options: Options,
): { batch: Record<string, Float32Array | Int32Array | Uint8Array>; rows: number } {
  const wanted = rowsFor(train, part, graphs, options);
  if (options.input !== undefined) {
    const entry = model.manifest.entries.find((each) => each.name === gradName(part))!;
    const read = readInputs(options.input, inputColumns(entry));
    if (read.rows === 0) throw new Failure(`${shownPath(options.input)} has no rows`);
    const rows =
      options.rows === undefined && options.check !== true ? read.rows : Math.min(read.rows, wanted);
    const batch = Object.entries(read.inputs).map(
      ([name, data]) => [name, data.subarray(0, (data.length / read.rows) * rows)] as const,
    );
    return { batch: Object.fromEntries(batch), rows };
  }
  const dataset = "datasets" in program ? program.datasets.get(train.plan.data) : undefined;
  const ids = dataset?.splits[train.plan.split];
  if (!dataset || !ids || ids.length === 0) throw new Failure(`the ${train.plan.split} split has no rows`);
  const rows = Math.min(ids.length, wanted);
  const feeds = feedsOf(inputNames(graphs, gradName(part)), dataset.plan);
  return { batch: fed(dataset, ids.subarray(0, rows), feeds), rows };
}

/** Of a file; else as drawn, with what preprocessing finds in the data, or what the lock has of it. */
function setWeights(
  program: Program | ProgramWithData,
  train: CheckedTrain,
  model: Model,
  file: string | undefined,
): void {
  if (file !== undefined) {
    const specs = [...model.manifest.weights, ...model.manifest.states];
    model.setWeights(decodeWeights(readBytes(file), shownPath(file), specs, model.manifest.name).tensors);
  } else if ("datasets" in program) model.setWeights(fitTrain(program, train).states);
  else {
    const fitted = program.lock.fitted(fittedKey(program, train.plan.model));
    if (fitted) model.setWeights(fitted);
  }
}

/**
 * The weights moved by about a thousandth. Shifts that start at 0 over pixels that are 0 put a relu exactly on its kink,
 * where there is no derivative to compare with.
 */
function besides(model: Model, seed: number): Map<string, Float32Array> {
  const draw = normal(seed, nudgeStream);
  const all = model.weights();
  return new Map(
    model.manifest.weights.map(({ path }) => {
      const values = all.get(path)!;
      const size = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(values.length, 1));
      return [path, values.map((x) => x + 1e-3 * Math.max(size, 0.1) * draw())];
    }),
  );
}

/** Apart from the streams of gradient-check.ts, two for each weight. */
const nudgeStream = -1;

function encodeGradients(problem: GradientProblem, gradient: Float32Array): Uint8Array {
  const tensors = weightsOf(problem).map(({ path, shape, offset }): [string, HostArray] => {
    const count = shape.reduce((a, b) => a * b, 1);
    return [path, { dtype: "f32", shape, data: gradient.slice(offset, offset + count) }];
  });
  return writeSafetensors(new Map(tensors), new Map([["format", "dlmc gradient 1"]]));
}

function list(
  t: Terminal,
  problem: GradientProblem,
  loss: number,
  gradient: Float32Array,
  json: boolean,
): void {
  const { rows } = problem;
  const lines = weightsOf(problem).map(({ path, shape, offset }) => {
    const own = gradient.subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
    return {
      path,
      shape,
      norm: Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)),
      largest: own.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
    };
  });
  if (json) {
    for (const line of lines) printJson(line);
    printJson({ loss, rows });
    return;
  }
  t.print(`loss ${number(loss)} on ${number(rows)} rows`);
  const header = ["  weight", "shape", "norm", "largest"];
  const body = lines.map((l) => [
    `  ${l.path}`,
    `[${l.shape.join(", ")}]`,
    number(l.norm),
    number(l.largest),
  ]);
  for (const line of table([header.map((cell) => t.paint.dim(cell)), ...body], [2, 3])) t.print(line);
}

function check(t: Terminal, problem: GradientProblem, compiled: Float32Array, json: boolean): void {
  const reference = referenceGradient(problem);
  const weights = weightsOf(problem);
  const bar = progress("checking", weights.length, !json);
  const checks = checkReferenceGradient(problem, reference, (done, path) => bar.update(done, path));
  bar.stop();
  const lines = checks.map((each, i) => {
    const { offset } = weights[i]!;
    return { ...each, compiled: deviation(compiled, reference.gradient, offset, offset + each.elements) };
  });
  const wrong = checks.find(({ ok }) => !ok);
  if (json) {
    for (const line of lines) printJson(line);
    printJson({
      loss: reference.loss,
      rows: problem.rows,
      ok: wrong === undefined,
      wrong: wrong?.path ?? null,
    });
  } else {
    t.print(`loss ${number(reference.loss)} on ${number(problem.rows)} rows, differences in f64`);
    const header = ["  weight", "elements", "norm", "off by", "f32 off by", ""];
    const body = lines.map((l) => [
      `  ${l.path}`,
      number(l.elements),
      number(l.norm),
      l.error.toExponential(1),
      l.compiled.toExponential(1),
      l.ok ? t.paint.green("ok") : t.paint.red("off"),
    ]);
    for (const line of table([header.map((cell) => t.paint.dim(cell)), ...body], [1, 2, 3, 4])) t.print(line);
  }
  if (wrong) throw new Failure(describe(wrong));
}

/** The length of the difference over the length of the reference's. */
function deviation(found: ArrayLike<number>, reference: Float64Array, start: number, end: number): number {
  let difference = 0;
  let size = 0;
  for (let i = start; i < end; i++) {
    difference += (found[i]! - reference[i]!) ** 2;
    size += reference[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}

function describe({ path, comparisons }: WeightCheck): string {
  const { along, gradient, difference } = comparisons.find(({ ok }) => !ok)!;
  const where = along === "direction" ? "along a random direction" : `at element ${along}`;
  return `the gradient of ${path} is off: ${where} it is ${gradient.toPrecision(6)}, differences give ${difference.toPrecision(6)}`;
}
