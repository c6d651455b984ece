/** Makes free dims constant: `--dim B=1`. The graph is built again, so that every type is inferred with the sizes known. */
import { isDim, isGraph, isList, isRecord } from "../ir/attribute.ts";
import { graphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { Attribute, Attributes } from "../ir/op.ts";

/** Sizes of dims that the graph does not have are ignored. */
export function pinDims(graph: Graph, sizes: ReadonlyMap<string, number>): Graph {
  if (!graph.dims.some(({ name }) => sizes.has(name))) return graph;
  const known = new Map<string, Dim>([...sizes].map(([name, size]) => [name, dim.constant(size)]));
  const builder = graphBuilder();
  const values = new Map<Value, Value>();

  const pinned = (value: Attribute): Attribute => {
    if (typeof value !== "object") return value;
    if (isDim(value)) return dim.substitute(value, known);
    if (isGraph(value)) return pinDims(value, sizes);
    if (isList(value)) return value.map(pinned);
    return isRecord(value) ? pinnedAll(value) : value;
  };
  const pinnedAll = (attributes: Attributes): Attributes =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, pinned(value)]));

  for (const input of graph.inputs) {
    if (isNode(input.source)) continue;
    const { name, role, type } = input.source;
    const shape = type.shape.map((size) => dim.substitute(size, known));
    values.set(input, builder.input(name, role, { dtype: type.dtype, shape }));
  }
  for (const node of graph.nodes) {
    builder.origin = node.origin;
    const operands = node.operands.map((operand) => values.get(operand)!);
    const results = builder.node(node.op, operands, pinnedAll(node.attributes));
    node.results.forEach((result, i) => values.set(result, results[i]!));
  }
  return builder.finish({
    name: graph.name,
    dims: graph.dims.filter(({ name }) => !sizes.has(name)),
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: values.get(value)! })),
    writes: graph.writes.map(({ input, value }) => ({
      input: values.get(input)!,
      value: values.get(value)!,
    })),
  });
}
