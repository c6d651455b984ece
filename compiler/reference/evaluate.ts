/** The meaning of a graph, run slowly in f64: every node by its op's `evaluate`. */
import { checkShape, evaluateNodes } from "../ir/evaluate-nodes.ts";
import { isNode } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, GraphInput, Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";

export interface Evaluation {
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** by the name of the input that is written */
  readonly writes: ReadonlyMap<string, Tensor>;
  /** every value of the graph, where they were to be kept */
  readonly values?: ReadonlyMap<Value, Tensor>;
}

/**
 * Evaluates a graph on inputs by name, with a size for each free dim. Throws where an input or a size is missing or
 * does not have its type. Values are dropped after their last use unless `keep` is set.
 */
export function evaluate(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
  options: { readonly keep?: boolean } = {},
): Evaluation {
  const values = new Map<Value, Tensor>();
  for (const value of graph.inputs) {
    const { name } = value.source as GraphInput;
    const given = inputs.get(name);
    if (!given) throw new InternalError("evaluate", `input ${name} is missing`, undefined);
    checkShape(`input ${name}`, given, value.type, sizes);
    values.set(value, given);
  }
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach((node, at) => {
    for (const operand of node.operands) lastUse.set(operand, at);
  });
  for (const { value } of [...graph.outputs, ...graph.writes]) lastUse.set(value, graph.nodes.length);
  evaluateNodes(graph.nodes, values, sizes, (node, at) => {
    if (options.keep) return;
    for (const value of [...node.operands, ...node.results])
      if (isNode(value.source) && (lastUse.get(value) ?? -1) <= at) values.delete(value);
  });
  const of = (value: Value): Tensor => {
    const found = values.get(value);
    if (!found) throw new InternalError("evaluate", "an output has no value", undefined);
    return found;
  };
  return {
    outputs: new Map(graph.outputs.map(({ name, value }) => [name, of(value)])),
    writes: new Map(graph.writes.map(({ input, value }) => [(input.source as GraphInput).name, of(value)])),
    ...(options.keep ? { values } : {}),
  };
}
