/** What `dlmc show` tells of a model: its stages with sizes, weights and costs, and the memory that its entries need. */
import { summarise } from "../compiler/check/check.ts";
import type { Requested, StageRow } from "../compiler/check/frame.ts";
import { dtypeOf, showType, type CheckType, type ShowDim } from "../compiler/check/type.ts";
import type { CallableValue, CheckValue } from "../compiler/check/values.ts";
import { compileModel } from "../compiler/compile.ts";
import { modelGraphs, unknownSizes, type EntryName } from "../compiler/entries/model-graphs.ts";
import * as dim from "../compiler/ir/dim.ts";
import { nameOf, namedSize } from "../compiler/ir/named-dims.ts";
import type { CheckedTrain } from "../compiler/check/flow/check-train.ts";
import type { Program } from "./program.ts";
import { version } from "./version.ts";

export interface TensorDescription {
  readonly name: string;
  readonly dtype: string;
  /** a number, or a dim's name where it is free */
  readonly shape: readonly (number | string)[];
  /** `u8[B, H=28, W=28, C=1]` */
  readonly text: string;
}

export interface Layer {
  readonly row: StageRow;
  /** the longest path that all weights first used here begin with; empty where there are none */
  readonly path: string;
}

export interface EntryMemory {
  readonly bytes: number;
  /** of its free dims */
  readonly sizes: ReadonlyMap<string, number>;
}

export interface Architecture {
  readonly name: string;
  readonly parameters: number;
  /** of the contractions of inference, for one row */
  readonly flops: number;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  readonly layers: readonly Layer[];
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[] }[];
  /** sizes that only the data can tell; then no memory is known */
  readonly unknown: readonly string[];
  /** text of a size, in the names of the program */
  readonly show: ShowDim;
  readonly memory: { readonly infer?: EntryMemory; readonly train?: EntryMemory };
}

/** The program must have no errors. */
export async function architectureOf(
  program: Program,
  model: CallableValue,
  train: CheckedTrain | undefined,
): Promise<Architecture> {
  const { session } = program.checked;
  const summary = summarise(session, model.scope, model.declaration);
  const { elaboration, inputs, result } = summary.elaborated;
  const unknown = unknownSizes({ session, scope: model.scope, model, train });
  const show = elaboration.solver.show;
  return {
    name: summary.name,
    parameters: summary.parameters,
    flops: summary.flops,
    inputs: [...inputs].flatMap(([name, value]) => described(name, value, show)),
    outputs: described("out", result, show),
    layers: layersOf(summary.rows, [...elaboration.requested.values()]),
    weights: summary.weights,
    unknown,
    show,
    memory: unknown.length > 0 ? {} : await memoryOf(program, model, train),
  };
}

function described(name: string, value: CheckValue, show: ShowDim): TensorDescription[] {
  if (value.kind === "tensor")
    return [{ name, ...shapeOf(value.type, show), text: showType(value.type, show) }];
  if (value.kind !== "record") return [];
  return [...value.fields].flatMap(([field, each]) => described(`${name}.${field}`, each, show));
}

/** dtype and sizes for programs to read */
export function shapeOf(type: CheckType, show: ShowDim): Pick<TensorDescription, "dtype" | "shape"> {
  return {
    dtype: dtypeOf(type),
    shape: type.axes.map(({ size }) => dim.constantOf(size.dim) ?? show(size.dim)),
  };
}

/** Weights are asked for in the order of the stages that first use them. */
function layersOf(rows: readonly StageRow[], requested: readonly Requested[]): Layer[] {
  const paths = requested.flatMap(({ request, state }) =>
    state
      ? []
      : [
          {
            path: request.path,
            count: dim.constantOf(dim.product(request.type.axes.map((a) => a.size.dim))) ?? 0,
          },
        ],
  );
  let at = 0;
  return rows.map((row) => {
    const own: string[] = [];
    for (let left = row.parameters; left > 0 && at < paths.length; at++) {
      own.push(paths[at]!.path);
      left -= paths[at]!.count;
    }
    return { row, path: commonPath(own) };
  });
}

function commonPath(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => path.split(".").slice(0, -1));
  if (!first) return "";
  const end = first.findIndex((part, i) => others.some((other) => other[i] !== part));
  return (end < 0 ? first : first.slice(0, end)).join(".");
}

/** Each entry alone, as an artifact of its own has it, at the default maxima. */
async function memoryOf(
  program: Program,
  model: CallableValue,
  train: CheckedTrain | undefined,
): Promise<Architecture["memory"]> {
  const { session, flow } = program.checked;
  const of = async (name: EntryName, block: CheckedTrain | undefined): Promise<EntryMemory | undefined> => {
    const graphs = modelGraphs({
      session,
      scope: model.scope,
      model,
      train: block,
      data: flow.plans.data,
      entries: [name],
    });
    const { memory } = await compileModel(graphs, { version, stopAfter: "lower" });
    // of steps and stages the one that needs most
    const use = [...(memory ?? [])].sort((a, b) => b.bytes - a.bytes)[0];
    const entry = graphs.entries.find(({ graph }) => graph.name === use?.entry);
    if (!use || !entry) return undefined;
    const sizes = entry.graph.dims.map(
      (d) => [nameOf(d), namedSize(d, d.max ?? entry.defaults.get(d.name) ?? 1)] as const,
    );
    return { bytes: use.bytes, sizes: new Map(sizes) };
  };
  const infer = await of("infer", undefined);
  const training = train && (await of("train", train));
  return { ...(infer ? { infer } : {}), ...(training ? { train: training } : {}) };
}
