/** Evaluates the `evaluate` blocks of a program: metrics, requirements, reports, in f64 on the host. */
import type { EvaluatePlan, MetricPlan, ReportPlan, RequirePlan } from "../../compiler/check/flow/plans.ts";
import { openModel } from "../compile-program.ts";
import { decodeWeights } from "../train/checkpoint.ts";
import { weightsHelp } from "../train/known-runs.ts";
import type { Dataset } from "../data/dataset.ts";
import { readBytes, shownPath } from "../files.ts";
import { Failure } from "../failure.ts";
import { feedsOf, inputNames } from "../fit.ts";
import { chooseTrain, graphsOf, type ProgramWithData } from "../program.ts";
import { measureSplit, metricValue, predictionsOf, type Measured } from "./measure.ts";
import { confusion, type Predictions } from "./metrics.ts";

export interface Requirement {
  readonly text: string;
  readonly value: number;
  readonly ok: boolean;
  readonly plan: RequirePlan;
}

export interface GroupLine {
  readonly name: string;
  readonly rows: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface EvaluationReport {
  readonly confusion?: {
    readonly classes: readonly string[];
    readonly counts: readonly (readonly number[])[];
  };
  readonly by?: { readonly column: string; readonly groups: readonly GroupLine[] };
}

export interface Evaluated {
  readonly plan: EvaluatePlan;
  readonly rows: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly require: readonly Requirement[];
  readonly report: EvaluationReport;
}

export async function evaluateBlock(
  program: ProgramWithData,
  plan: EvaluatePlan,
  weightsFile: string | undefined,
): Promise<Evaluated> {
  const train = chooseTrain(program, plan.model);
  const dataset = program.datasets.get(plan.data)!;
  if (dataset.splits[plan.split].length === 0)
    throw new Failure(`the ${plan.split} split of ${dataset.plan.name} has no rows`);
  const graphs = graphsOf(program, train.block.model, train, ["init", "measure"]);
  const { model } = await openModel(graphs);
  if (weightsFile === undefined)
    throw new Failure("which weights are to be evaluated?", {
      help: weightsHelp(
        `dlmc evaluate ${shownPath(program.path)}`,
        program.path,
        model.manifest.hashes.weights,
      ),
      status: 2,
    });
  const specs = [...model.manifest.weights, ...model.manifest.states];
  model.setWeights(decodeWeights(readBytes(weightsFile), shownPath(weightsFile), specs, plan.model).tensors);

  const feeds = feedsOf(inputNames(graphs, "measure"), dataset.plan);
  const measured = await measureSplit(model, dataset, plan.split, feeds, train.plan.batch);
  model.destroy();
  const predictions =
    plan.target !== undefined && measured.outputs.has("out")
      ? predictionsOf(measured, dataset, plan.split, plan.target)
      : undefined;
  const valueOf = (metric: MetricPlan): number => metricOf(metric, measured, predictions);
  return {
    plan,
    rows: measured.rows,
    metrics: Object.fromEntries(plan.metrics.map((metric) => [metric.text, valueOf(metric)])),
    require: plan.requires.map((each) => {
      const value = valueOf(each.metric);
      return { text: each.text, value, ok: holds(value, each.operator, each.value), plan: each };
    }),
    report: Object.assign(
      {},
      ...plan.reports.map((report) => reportOf(report, plan, dataset, measured, predictions)),
    ),
  };
}

function metricOf(metric: MetricPlan, measured: Measured, predictions: Predictions | undefined): number {
  const { average, k } = metric;
  return metricValue(
    metric.name,
    { ...(average === undefined ? {} : { average }), ...(k === undefined ? {} : { k }) },
    measured,
    predictions,
  );
}

function holds(a: number, operator: EvaluatePlan["requires"][number]["operator"], b: number): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

function reportOf(
  report: ReportPlan,
  plan: EvaluatePlan,
  dataset: Dataset,
  measured: Measured,
  predictions: Predictions | undefined,
): EvaluationReport {
  if (!predictions) return {};
  if (report.kind === "confusion") {
    const counts = confusion(predictions);
    const names = dataset.columns.get(plan.target!)?.classes;
    return { confusion: { classes: names ?? counts.map((_, i) => String(i)), counts } };
  }
  const column = dataset.columns.get(report.column)!;
  const ids = dataset.splits[plan.split];
  const groups = new Map<string, number[]>();
  ids.forEach((row, i) => {
    const value = column.data[row]!;
    const name = column.classes?.[value] ?? String(value);
    groups.set(name, [...(groups.get(name) ?? []), i]);
  });
  return {
    by: {
      column: report.column,
      groups: [...groups].map(([name, rows]) => ({
        name,
        rows: rows.length,
        values: Object.fromEntries(
          plan.metrics
            .filter((m) => m.name !== "loss")
            .map((m) => [m.text, metricOf(m, measured, only(predictions, rows, ids.length))]),
        ),
      })),
    },
  };
}

/** The predictions of some rows of `all` of the data. */
function only(p: Predictions, rows: readonly number[], all: number): Predictions {
  const pick = (from: ArrayLike<number>): Float64Array => {
    const width = from.length / all;
    const picked = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      for (let k = 0; k < width; k++) picked[i * width + k] = from[row * width + k]!;
    });
    return picked;
  };
  return { ...p, rows: (p.rows / all) * rows.length, out: pick(p.out), target: pick(p.target) };
}
