/** Runs a split through the measure entry: the mean loss, and what the model said of every row. */
import type { Model, TypedArray } from "../../runtime/index.ts";
import type { SplitName } from "../../compiler/check/flow/plans.ts";
import { rowsOf, type Dataset } from "../data/dataset.ts";
import { metrics, type MetricArguments, type Predictions } from "./metrics.ts";

export interface Measured {
  readonly rows: number;
  /** means over the rows, without penalties: `loss`, its terms as `loss.TERM`, or `loss.MODEL` of steps by turns */
  readonly losses: Readonly<Record<string, number>>;
  /** every output of the model, all rows behind each other: `out`, or `out.NAME` */
  readonly outputs: ReadonlyMap<string, Float32Array>;
}

/** Rows of at most `chunk` go through at a time; the loss is summed in f64 in row order. */
export async function measureSplit(
  model: Model,
  dataset: Dataset,
  split: SplitName,
  feeds: ReadonlyMap<string, string>,
  chunk: number,
): Promise<Measured> {
  const ids = dataset.splits[split];
  const outputs = new Map<string, Float32Array>();
  const sums: Record<string, number> = {};
  for (let first = 0; first < ids.length; first += chunk) {
    const rows = ids.subarray(first, first + chunk);
    const result = await model.measure(fed(dataset, rows, feeds), { dims: { B: rows.length } });
    for (const [name, values] of Object.entries(result)) {
      if (/^loss(\.|$)/.test(name)) sums[name] = (sums[name] ?? 0) + values[0]! * rows.length;
      else collect(outputs, name, values, first, rows.length, ids.length);
    }
  }
  const losses = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / ids.length]));
  return { rows: ids.length, losses, outputs };
}

/** Inputs of the entry by name, from the columns that feed them. */
export function fed(
  dataset: Dataset,
  rows: Int32Array,
  feeds: ReadonlyMap<string, string>,
  random?: Parameters<typeof rowsOf>[3],
): Record<string, Float32Array | Int32Array | Uint8Array> {
  const columns = rowsOf(dataset, rows, new Set(feeds.values()), random);
  return Object.fromEntries([...feeds].map(([input, column]) => [input, columns[column]!]));
}

function collect(
  outputs: Map<string, Float32Array>,
  name: string,
  values: TypedArray,
  first: number,
  rows: number,
  total: number,
): void {
  const width = values.length / rows;
  let all = outputs.get(name);
  if (!all) outputs.set(name, (all = new Float32Array(total * width)));
  all.set(values, first * width);
}

/** What the metrics compare: one output with one target column. */
export function predictionsOf(
  measured: Measured,
  dataset: Dataset,
  split: SplitName,
  target: string,
  output = "out",
): Predictions {
  const column = dataset.columns.get(target)!;
  const out = measured.outputs.get(output)!;
  const ids = dataset.splits[split];
  const truth = new Float64Array(ids.length * column.size);
  ids.forEach((row, i) => {
    for (let k = 0; k < column.size; k++) truth[i * column.size + k] = column.data[row * column.size + k]!;
  });
  const classes = column.plan.classes !== undefined;
  const rows = classes ? truth.length : measured.rows;
  return { rows, width: rows === 0 ? 1 : out.length / rows, out, target: truth, classes };
}

export function metricValue(
  name: string,
  options: MetricArguments,
  measured: Measured,
  predictions: Predictions | undefined,
): number {
  const loss = measured.losses[name];
  if (loss !== undefined) return loss;
  const compute = metrics[name];
  if (!compute || !predictions) throw new Error(`no metric ${name}`);
  return compute(predictions, options);
}
