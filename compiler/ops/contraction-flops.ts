/** Floating point operations of nodes: those of their contractions, of loops at every step. */
import type { Dim } from "../ir/dim.ts";
import type { Node } from "../ir/graph.ts";
import { loopOf } from "../ir/loop.ts";
import { mapsOf } from "./index-maps.ts";

/**
 * A contraction multiplies and adds once for each position of all its loops, those outside of an operand included.
 * `sizeOf` says what a size with free dims counts as.
 */
export function contractionFlops(nodes: readonly Node[], sizeOf: (size: Dim) => number): number {
  return nodes.reduce((sum, node) => {
    const loop = loopOf(node);
    if (loop) return sum + sizeOf(loop.length) * contractionFlops(loop.body.nodes, sizeOf);
    if (node.op.name !== "index") return sum;
    return sum + 2 * mapsOf(node.attributes).axes.reduce((product, size) => product * sizeOf(size), 1);
  }, 0);
}
