/** The meaning of a graph, run slowly in f64: every node by its op's `evaluate`. */
import { evaluate as evaluateDim } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, GraphInput, Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { TensorType } from "../ir/type.ts";

export interface Evaluation {
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** by the name of the input that is written */
  readonly writes: ReadonlyMap<string, Tensor>;
  /** every value of the graph, where they were to be kept */
  readonly values?: ReadonlyMap<Value, Tensor>;
}

/** `f32[2, 3]` */
function show(dtype: string, shape: readonly number[]): string {
  return `${dtype}[${shape.join(", ")}]`;
}

function checkShape(what: string, found: Tensor, type: TensorType, sizes: ReadonlyMap<string, number>): void {
  const expected = show(
    type.dtype,
    type.shape.map((size) => evaluateDim(size, sizes)),
  );
  const actual = show(found.dtype, found.shape);
  if (actual !== expected)
    throw new InternalError("evaluate", `${what} is ${actual}, not ${expected}`, undefined);
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
  graph.nodes.forEach((node, at) => {
    const operands = node.operands.map((operand) => {
      const found = values.get(operand);
      if (!found)
        throw new InternalError("evaluate", `an operand of ${node.op.name} has no value`, undefined);
      return found;
    });
    const results = node.op.evaluate(operands, node.attributes, {
      sizes,
      results: node.results.map(({ type }) => ({
        dtype: type.dtype,
        shape: type.shape.map((size) => evaluateDim(size, sizes)),
      })),
    });
    node.results.forEach((value, i) => {
      checkShape(`result ${i} of ${node.op.name}`, results[i]!, value.type, sizes);
      values.set(value, results[i]!);
    });
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
