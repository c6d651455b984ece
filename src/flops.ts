/** Floating point operations of a graph: those of its contractions. */
import { evaluate } from "../compiler/ir/dim.ts";
import type { Graph } from "../compiler/ir/graph.ts";
import { mapsOf } from "../compiler/ops/index-maps.ts";

/** A contraction multiplies and adds once for each position of all its loops, those outside of an operand included. */
export function contractionFlops(graph: Graph, sizes: ReadonlyMap<string, number>): number {
  return graph.nodes.reduce((sum, { op, attributes }) => {
    if (op.name !== "index") return sum;
    return sum + 2 * mapsOf(attributes).axes.reduce((product, size) => product * evaluate(size, sizes), 1);
  }, 0);
}
