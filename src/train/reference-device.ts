/** The loop's device in f64: the train entry's graph by the reference evaluator. Slow; what wasm is compared with. */
import type { Graph, GraphInput } from "../../compiler/ir/graph.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { evaluate, type Evaluation } from "../../compiler/reference/evaluate.ts";
import { constantOf } from "../../compiler/ir/dim.ts";
import type { Batch, Control, Device } from "./loop.ts";

export interface ReferenceDevice extends Device {
  /** any entry of the model, with the weights as they are */
  run(entry: string, batch: Batch, rows: number, control?: Control): Evaluation;
}

/** Weights start as they are given by `restore`; until then parameters are 0 and states have their initial values. */
export function referenceDevice(model: ModelGraphs): ReferenceDevice {
  const size = model.weights.reduce((end, w) => Math.max(end, w.offset + count(w.shape)), 0);
  const kept = new Map<string, Tensor>([["parameters", tensor("f32", [size])]]);
  for (const state of [...model.states, ...model.optimizer]) kept.set(state.path, state.initial);

  function run(name: string, batch: Batch, rows: number, control?: Control): Evaluation {
    const graph = model.entries.find((entry) => entry.graph.name === name)?.graph;
    if (!graph) throw new Error(`${model.name} has no entry ${name}`);
    return evaluate(graph, inputsOf(graph, batch, rows, control), sizesOf(graph, rows));
  }

  function inputsOf(
    graph: Graph,
    batch: Batch,
    rows: number,
    control: Control | undefined,
  ): Map<string, Tensor> {
    const inputs = new Map<string, Tensor>();
    for (const value of graph.inputs) {
      const { name, role, type } = value.source as GraphInput;
      if (role === "input") {
        const shape = type.shape.map((d) => constantOf(d) ?? rows);
        inputs.set(name, tensor(type.dtype, shape, batch[name] ?? []));
      } else if (role === "control") {
        inputs.set(name, tensor(type.dtype, [], [control?.[name as keyof Control] ?? 0]));
      } else inputs.set(name, kept.get(name)!);
    }
    return inputs;
  }

  return {
    run,
    step(batch, rows, control, entry) {
      const { outputs, writes } = run(entry, batch, rows, control);
      for (const [name, value] of writes) kept.set(name, value);
      const of = (name: string): number => outputs.get(name)!.data[0]!;
      return Promise.resolve({
        loss: of("loss"),
        gradientNorm: of("gradient_norm"),
        finite: of("status") === 1,
      });
    },
    update(control, entry) {
      const { update } = model.entries.find(({ graph }) => graph.name === entry)!;
      const { outputs, writes } = run(update!.entry, {}, 0, control);
      for (const [name, value] of writes) kept.set(name, value);
      return Promise.resolve({
        gradientNorm: outputs.get("gradient_norm")!.data[0]!,
        finite: outputs.get("status")!.data[0] === 1,
      });
    },
    snapshot() {
      const tensors = new Map<string, Float32Array>();
      const parameters = kept.get("parameters")!.data;
      for (const { path, shape, offset } of model.weights)
        tensors.set(path, Float32Array.from(parameters.subarray(offset, offset + count(shape))));
      for (const { path } of [...model.states, ...model.optimizer])
        tensors.set(path, Float32Array.from(kept.get(path)!.data));
      return tensors;
    },
    restore(tensors) {
      const parameters = kept.get("parameters")!.data.slice();
      for (const { path, offset } of model.weights) {
        const given = tensors.get(path);
        if (given) parameters.set(given, offset);
      }
      kept.set("parameters", tensor("f32", [size], parameters));
      for (const { path, shape } of [...model.states, ...model.optimizer]) {
        const given = tensors.get(path);
        if (given) kept.set(path, tensor("f32", shape, given));
      }
    },
  };
}

function sizesOf(graph: Graph, rows: number): Map<string, number> {
  return new Map(graph.dims.map(({ name }) => [name, rows]));
}

function count(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
