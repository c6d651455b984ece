/** Makes a graph out of another node by node: the helper of all passes. Inputs stay the same values. */
import { graphBuilder } from "./builder.ts";
import { InternalError } from "./internal-error.ts";
import { loopAttributes, loopOf } from "./loop.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Graph, Node, Value } from "./graph.ts";

/**
 * What becomes of one node: `operands` are its operands in the new graph. Returns values in the place of its results, of
 * the same types; undefined keeps the node (with the new operands). The builder's origin is the node's.
 */
export type Visit = (
  node: Node,
  operands: readonly Value[],
  builder: GraphBuilder,
) => readonly Value[] | undefined;

export function rewrite(graph: Graph, visit: Visit): Graph {
  const builder = graphBuilder();
  builder.inputs.push(...graph.inputs);
  const now = new Map<Value, Value>(graph.inputs.map((input) => [input, input]));
  const of = (value: Value): Value => {
    const found = now.get(value);
    if (!found) throw new InternalError("rewrite", "a value is used before it is defined", undefined);
    return found;
  };
  for (const node of graph.nodes) {
    const operands = node.operands.map(of);
    builder.origin = node.origin;
    const results = visit(node, operands, builder) ?? keep(node, operands, builder);
    node.results.forEach((result, i) => now.set(result, results[i]!));
  }
  return builder.finish({
    name: graph.name,
    dims: graph.dims,
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: of(value) })),
    writes: graph.writes.map(({ input, value }) => ({ input: of(input), value: of(value) })),
  });
}

/** The node itself where its operands are unchanged, else one like it. */
export function keep(node: Node, operands: readonly Value[], builder: GraphBuilder): readonly Value[] {
  if (operands.every((operand, i) => operand === node.operands[i])) {
    builder.nodes.push(node);
    return node.results;
  }
  return builder.node(node.op, operands, node.attributes);
}

/**
 * Nodes over other operands: `now` says what stands for a value, and is told of the results; those that it has already are
 * not made. `of` may make what stands for a value that `now` does not have.
 */
export function copyNodes(
  builder: GraphBuilder,
  nodes: readonly Node[],
  now: Map<Value, Value>,
  of: (value: Value) => Value = (value) => now.get(value)!,
): void {
  for (const node of nodes) {
    if (node.results.every((result) => now.has(result))) continue;
    builder.origin = node.origin;
    const results = builder.node(node.op, node.operands.map(of), node.attributes);
    node.results.forEach((result, i) => {
      if (!now.has(result)) now.set(result, results[i]!);
    });
  }
}

/** The graph with the bodies of its loops replaced; loops in these are left to `body`. */
export function rewriteBodies(graph: Graph, body: (graph: Graph) => Graph): Graph {
  if (!graph.nodes.some(loopOf)) return graph;
  return rewrite(graph, (node, operands, builder) => {
    const loop = loopOf(node);
    if (!loop) return undefined;
    const next = body(loop.body);
    return next === loop.body && operands.every((operand, i) => operand === node.operands[i])
      ? undefined
      : builder.node(node.op, operands, loopAttributes({ ...loop, body: next }));
  });
}
