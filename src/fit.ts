/** Fits preprocessing: runs the fitting phase on all rows of the train split, in f64, before the first step. */
import { constantOf } from "../compiler/ir/dim.ts";
import type { GraphInput } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import type { CheckedTrain } from "../compiler/check/flow/check-train.ts";
import type { DataPlan } from "../compiler/check/flow/plans.ts";
import { rowsOf, type Dataset } from "./data/dataset.ts";
import { Failure } from "./failure.ts";
import { fittedKey, graphsOf, type ProgramWithData } from "./program.ts";

/** Input of a graph -> column: by name, else in the order of the input columns. */
export function feedsOf(inputs: readonly string[], plan: DataPlan): Map<string, string> {
  const names = new Set(plan.columns.map((column) => column.name));
  const ordered = plan.columns.filter((column) => column.role === "input").map((column) => column.name);
  return new Map(inputs.map((input, i) => [input, names.has(input) ? input : (ordered[i] ?? input)]));
}

export function inputNames(model: ModelGraphs, entry: string): string[] {
  const graph = model.entries.find((e) => e.graph.name === entry)?.graph;
  return (graph?.inputs ?? []).flatMap(({ source }) =>
    "role" in source && source.role === "input" ? [source.name] : [],
  );
}

/** New values of the model's fitted states by path; empty where it fits nothing. */
export function fittedStates(graphs: ModelGraphs, dataset: Dataset): Map<string, Float32Array> {
  const graph = graphs.entries.find((entry) => entry.graph.name === "fit")?.graph;
  const fitted = new Map<string, Float32Array>();
  if (!graph) return fitted;
  const rows = dataset.splits.train;
  const feeds = feedsOf(inputNames(graphs, "fit"), dataset.plan);
  const columns = rowsOf(dataset, rows, new Set(feeds.values()));
  const size = graphs.weights.reduce(
    (end, w) => Math.max(end, w.offset + w.shape.reduce((a, b) => a * b, 1)),
    0,
  );
  const inputs = new Map<string, Tensor>();
  for (const value of graph.inputs) {
    const { name, role, type } = value.source as GraphInput;
    const shape = type.shape.map((d) => constantOf(d) ?? rows.length);
    if (role === "input") inputs.set(name, tensor(type.dtype, shape, columns[feeds.get(name)!] ?? []));
    else if (role === "weight") inputs.set(name, tensor("f32", [size]));
    else {
      const state = graphs.states.find((s) => s.path === name);
      inputs.set(name, state?.initial ?? tensor(type.dtype, shape));
    }
  }
  const sizes = new Map(graph.dims.map((d) => [d.name, rows.length]));
  for (const [path, value] of evaluate(graph, inputs, sizes).writes)
    fitted.set(path, Float32Array.from(value.data));
  return fitted;
}

export interface Fitted {
  /** of the model, or of the block that trains several */
  readonly name: string;
  readonly states: ReadonlyMap<string, Float32Array>;
}

/** Fits the model of a train block and puts what was found into the lock (not yet saved). */
export function fitTrain(program: ProgramWithData, train: CheckedTrain): Fitted {
  const { model } = train.block;
  const name = train.plan.model;
  const dataset = program.datasets.get(train.plan.data)!;
  const states = fittedStates(graphsOf(program, model, train, ["fit"]), dataset);
  for (const [path, values] of states) {
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong !== undefined)
      throw new Failure(`fitting ${path} on the train split of ${dataset.plan.name} gives ${wrong}`, {
        help: "its columns hold numbers that are too large for 32-bit arithmetic",
      });
  }
  program.lock.setFitted(fittedKey(program, name), states);
  return { name, states };
}
