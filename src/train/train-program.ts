/** One run of a `train` block: data, fitting, compiling, the loop, and its folder. The command line's part with I/O. */
import type { CheckedTrain } from "../../compiler/check/flow/check-train.ts";
import type { PartPlan, StagePlan, TrainPlan, WatchPlan } from "../../compiler/check/flow/plans.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";
import { openModel } from "../compile-program.ts";
import type { Dataset } from "../data/dataset.ts";
import { readBytes, shownPath } from "../files.ts";
import { fed, measureSplit, metricValue, predictionsOf } from "../evaluate/measure.ts";
import { Failure } from "../failure.ts";
import { feedsOf, fitTrain, inputNames } from "../fit.ts";
import { graphsOf, type ProgramGraphs, type ProgramWithData } from "../program.ts";
import { version } from "../version.ts";
import { decodeWeights, type CheckpointFacts, type TensorSpec } from "./checkpoint.ts";
import { start, type Watch } from "./counters.ts";
import {
  train as runLoop,
  type Checkpoint,
  type DataSource,
  type EndReason,
  type LoopPlan,
  type Outcome,
  type Stage,
  type TrainEvent,
  type Turn,
} from "./loop.ts";
import { ruleText } from "../../compiler/check/flow/freeze.ts";
import { sampler } from "./sample.ts";
import { averageOf } from "./average.ts";
import { modelDevice } from "./model-device.ts";
import { firstNotFinite } from "./not-finite.ts";
import { rateOf } from "./rate.ts";
import { referenceDevice } from "./reference-device.ts";
import { openRunFolder, readCheckpoint } from "./run-folder.ts";
import { programHash } from "./program-hash.ts";

export interface TrainRequest {
  readonly program: ProgramWithData;
  readonly train: CheckedTrain;
  /** the run folder */
  readonly output: string;
  readonly target: "wasm" | "reference";
  /** undefined: the program's; of a run that is resumed, its own */
  readonly seed: number | undefined;
  readonly weights: string | undefined;
  readonly resume: string | undefined;
  /** instead of the program's, of each stage */
  readonly epochs: number | undefined;
  readonly steps: number | undefined;
  readonly onNotFinite: "stop" | "skip";
  /** that run the steps; results have the same bits for every number */
  readonly threads: number;
  interrupted(): boolean;
  event(event: TrainEvent): void;
  /** a line about the work itself */
  note(text: string): void;
  /** what takes its time now */
  status(text: string): void;
}

export interface TrainResult {
  readonly reason: EndReason;
  readonly last: string;
  /** the weights that training ends with: the best, the average, or the last */
  readonly kept: string;
  readonly best: number | null;
  readonly ms: number;
  readonly steps: number;
  /** steps that were not finite and changed nothing */
  readonly skipped: number;
  readonly failure: Failure | undefined;
}

/** Milliseconds between checkpoints inside an epoch. */
const checkpointEvery = 30_000;

export async function trainProgram(request: TrainRequest): Promise<TrainResult> {
  const { program, train, output } = request;
  const { plan, block } = train;
  const began = performance.now();
  const dataset = program.datasets.get(plan.data)!;
  if (dataset.splits[plan.split].length === 0)
    throw new Failure(`the ${plan.split} split of ${dataset.plan.name} has no rows`);
  if (plan.last === "drop" && dataset.splits[plan.split].length < plan.batch)
    throw new Failure(
      `the ${plan.split} split of ${dataset.plan.name} has ${dataset.splits[plan.split].length} rows, fewer than one batch of ${plan.batch}`,
      { help: "`last = keep` trains on batches that are not full; or a smaller batch" },
    );
  request.status("fitting");
  const { states } = fitTrain(program, train);
  if (program.lock.save())
    request.note(`wrote ${shownPath(program.lock.path)}: what the data says of its columns`);

  request.status("compiling");
  const graphs = graphsOf(program, block.model, train, ["init", "measure", "train", "sample"]);
  const { device, model, target, specs } = await openTarget(request, graphs);
  const before = request.resume === undefined ? undefined : readCheckpoint(request.resume, specs.all);
  const seed = request.seed ?? before?.facts.seed ?? plan.seed;
  const facts = {
    program: programHash(graphs),
    weights: model.manifest.hashes.weights,
    data: dataset.fingerprint,
    seed,
    target,
    version,
  };
  await model.init(seed);
  model.setWeights(states);
  if (request.weights !== undefined) {
    const file = request.weights;
    const { tensors, unused } = decodeWeights(readBytes(file), shownPath(file), specs.weights, graphs.name);
    model.setWeights(tensors);
    if (unused.length > 0)
      request.note(
        `${shownPath(file)}: ${unused.length} tensors are not used: ${unused.slice(0, 4).join(", ")}`,
      );
  }
  if (before) compareRuns(request, before.facts, facts);
  const from: Checkpoint = before?.checkpoint ?? {
    counters: start,
    tensors: model.weights({ optimizer: true }),
    best: undefined,
  };

  const folder = openRunFolder(
    output,
    { ...specs, facts },
    request.resume === undefined ? undefined : { folder: request.resume, checkpoint: from },
  );
  if (request.resume === undefined) folder.begin(from);
  folder.config({
    ...facts,
    model: plan.model,
    settings: settingsOf(request, seed),
    rows: dataset.splits[plan.split].length,
  });
  let saved = performance.now();
  const outcome = await runLoop(
    loopPlan(request, seed, graphs),
    from,
    device,
    dataSource(request, seed, dataset, graphs, model),
    {
      event(event) {
        if (event.event === "epoch" || event.event === "step") folder.log(event);
        request.event(event);
      },
      checkpoint(checkpoint) {
        folder.save(checkpoint);
        saved = performance.now();
        return Promise.resolve();
      },
      interrupted: () => request.interrupted(),
      due: (now) => now - saved > checkpointEvery,
    },
    { now: () => performance.now(), pause: () => new Promise((resolve) => setImmediate(resolve)) },
  );
  model.destroy();
  return {
    reason: outcome.reason,
    last: folder.last,
    kept: outcome.checkpoint.best === undefined ? folder.last : folder.best,
    best: outcome.checkpoint.counters.bestValue,
    ms: performance.now() - began,
    steps: outcome.checkpoint.counters.iteration,
    skipped: outcome.checkpoint.counters.skipped,
    failure:
      outcome.reason === "not-finite" ? await notFiniteFailure(outcome, graphs, folder.last) : undefined,
  };
}

async function openTarget(request: TrainRequest, graphs: ProgramGraphs) {
  const { model, target } = await openModel(graphs, { threads: request.threads });
  const weights: TensorSpec[] = [...model.manifest.weights, ...model.manifest.states];
  const specs = { weights, all: [...weights, ...model.manifest.optimizer] };
  const device = request.target === "reference" ? referenceDevice(graphs) : modelDevice(model);
  return { device, model, specs, target: request.target === "reference" ? "reference" : target };
}

/** What keeps a resumed run from ending with the bits of one that was never interrupted. */
function compareRuns(request: TrainRequest, before: CheckpointFacts, now: CheckpointFacts): void {
  if (before.seed !== now.seed)
    throw new Failure(`the run began with seed ${before.seed}, not ${now.seed}`, {
      help: `leave --seed out, or give --seed ${before.seed}`,
    });
  const changes = [
    before.data === now.data ? [] : ["the data is not what the run began with"],
    before.program === now.program ? [] : ["the program is not what the run began with"],
    before.target === now.target ? [] : [`the run began on ${before.target}, this is ${now.target}`],
    before.version === now.version
      ? []
      : [`the run began with dlmc ${before.version}, this is ${now.version}`],
  ].flat();
  for (const change of changes) request.note(`${change}: it will not end with the same bits`);
}

function watch(plan: WatchPlan): Watch {
  return { metric: plan.metric, larger: plan.larger };
}

function loopPlan(
  { train: { plan }, epochs, steps, onNotFinite }: TrainRequest,
  seed: number,
  graphs: ModelGraphs,
): LoopPlan {
  return {
    stages: stagesOf(plan, epochs, graphs),
    batch: plan.batch,
    last: plan.last,
    accumulate: plan.accumulate,
    steps,
    seed,
    shuffle: plan.shuffle,
    keep: plan.keep && watch(plan.keep),
    plateau: plan.plateau && {
      ...watch(plan.plateau.watch),
      factor: plan.plateau.factor,
      patience: plan.plateau.patience,
    },
    onNotFinite,
  };
}

/** The stages, or the one that a block without them is. */
function stagesOf(plan: TrainPlan, epochs: number | undefined, graphs: ModelGraphs): Stage[] {
  const turn = ({ name, entry }: PartPlan): Turn => ({
    name,
    entry,
    update: graphs.entries.find(({ graph }) => graph.name === entry)?.update?.entry,
    rate: rateOf(graphs.rates?.get(entry)),
  });
  const stage = (
    parts: readonly PartPlan[],
    own: Pick<StagePlan, "epochs" | "stop">,
  ): Omit<Stage, "name"> => ({
    turns: parts.map(turn),
    epochs: epochs ?? own.epochs,
    stop: own.stop && { ...watch(own.stop.watch), patience: own.stop.patience },
    average: averageOf(graphs, plan.average, parts),
  });
  const stages = plan.parts.flatMap((part) =>
    part.stage ? [{ name: part.stage.name, ...stage([part], part.stage) }] : [],
  );
  return stages.length > 0 ? stages : [{ name: undefined, ...stage(plan.parts, plan) }];
}

function settingsOf(
  { train: { plan }, epochs, steps, target, onNotFinite }: TrainRequest,
  seed: number,
): unknown {
  const { accumulate, average, batch, last, precision, shuffle } = plan;
  const parts = plan.parts.map(({ name, loss, optimizer, penalty, clip, stage, frozen }) => ({
    ...(name === undefined ? {} : { step: name }),
    ...(stage === undefined
      ? {}
      : { stage: stage.name, epochs: epochs ?? stage.epochs, stop: stopSettings(stage.stop) }),
    frozen: frozen.map(ruleText),
    loss: loss.text,
    optimizer: optimizer.text,
    penalty,
    clip: clip ?? null,
  }));
  return {
    ...(parts.length === 1 && !plan.parts[0]!.stage && plan.parts[0]!.name === undefined
      ? parts[0]
      : { parts }),
    accumulate,
    precision,
    average: average ?? null,
    batch,
    last,
    shuffle,
    epochs: plan.parts[0]!.stage ? null : (epochs ?? plan.epochs),
    steps: steps ?? null,
    seed,
    target,
    onNotFinite,
    stop: stopSettings(plan.stop),
    keep: plan.keep?.text ?? null,
    plateau: plan.plateau ? { ...plan.plateau, watch: plan.plateau.watch.text } : null,
  };
}

function stopSettings(stop: TrainPlan["stop"]): unknown {
  return stop ? { watch: stop.watch.text, patience: stop.patience } : null;
}

function dataSource(
  request: TrainRequest,
  seed: number,
  dataset: Dataset,
  graphs: ModelGraphs,
  model: Awaited<ReturnType<typeof openModel>>["model"],
): DataSource {
  const { plan } = request.train;
  const rows = dataset.splits[plan.split];
  const wanted = new Set(plan.parts.flatMap(({ entry }) => inputNames(graphs, entry)));
  const feeds = feedsOf([...wanted], dataset.plan);
  const measures = feedsOf(inputNames(graphs, "measure"), dataset.plan);
  const { augment } = dataset.plan;
  const [target] = plan.targets;
  return {
    trainRows: rows.length,
    batch: (ids, epoch) =>
      fed(
        dataset,
        ids.map((i) => rows[i]!),
        feeds,
        augment.length > 0 ? { plans: augment, seed, epoch } : undefined,
      ),
    ...(plan.sample ? { sample: sampler(request, seed, dataset, graphs, model) } : {}),
    async validate(weights) {
      if (dataset.splits.valid.length === 0) return undefined;
      model.setWeights(weights);
      const measured = await measureSplit(model, dataset, "valid", measures, plan.batch);
      const column = target === undefined ? undefined : dataset.columns.get(target);
      const values: Record<string, number> = { ...measured.losses };
      if (target === undefined || !column || !measured.outputs.has("out")) return values;
      const predictions = predictionsOf(measured, dataset, "valid", target);
      const usual = predictions.classes ? ["accuracy"] : ["mae", "rmse", "r2"];
      const watched = [
        plan.keep,
        plan.stop?.watch,
        plan.plateau?.watch,
        ...plan.parts.map(({ stage }) => stage?.stop?.watch),
      ]
        .map((each) => each?.metric)
        .filter((m) => m !== undefined);
      for (const name of new Set([...usual, ...watched]))
        values[name] = metricValue(name, {}, measured, predictions);
      return values;
    },
  };
}

async function notFiniteFailure(outcome: Outcome, graphs: ModelGraphs, last: string): Promise<Failure> {
  const { checkpoint, notFinite } = outcome;
  const { epoch, iteration } = checkpoint.counters;
  const { batch, rows, control, loss, entry } = notFinite!;
  const found = await firstNotFinite(graphs, checkpoint.tensors, batch, rows, control, entry, { version });
  const what = Number.isFinite(loss) ? "the gradient" : `the loss (${loss})`;
  const where = found
    ? `; the first value that is not: ${found.value} in ${found.origin?.path || found.kernel.replace(/_\d+$/, "")}`
    : "; every stored value is finite, their sum is not";
  const at = found?.origin?.at;
  return new Failure(`${what} is not finite in epoch ${epoch + 1}, step ${iteration + 1}${where}`, {
    ...(at ? { place: `${at.file}:${at.line}:${at.column}` } : {}),
    help: `no weight was changed, and ${shownPath(last)} holds them as they were; a lower rate, clip 1.0, or --on-nan skip`,
  });
}
