/**
 * split-loops: work that need not wait for a loop's steps is done for all steps at once. Before the loop: sums that read no
 * carry. After it: sums that no carry needs, and weight gradients, whose terms are then summed over all steps in one go.
 * What is between is read and kept step by step. A contraction over a concat of which one part reads no carry is first
 * taken apart, so that this part can go.
 */
import { loopOf } from "../ir/loop.ts";
import { rewrite, rewriteBodies } from "../ir/rewrite.ts";
import { deadCode } from "./dead-code.ts";
import { takeConcatsApart } from "./loops/concats.ts";
import { hoist } from "./loops/hoist.ts";
import { sink } from "./loops/sink.ts";
import type { Pass } from "./pass.ts";

export const splitLoops: Pass = {
  name: "split-loops",
  summary: "Does for all steps at once what need not wait for the steps of a loop.",
  loops: true,
  reorders: true,
  run(graph) {
    if (!graph.nodes.some(loopOf)) return graph;
    const inner = rewriteBodies(graph, (body) => deadCode.run(splitLoops.run(body)));
    return rewrite(inner, (node, operands, builder) => {
      const loop = loopOf(node);
      if (!loop) return undefined;
      const apart = { ...loop, body: takeConcatsApart(loop) };
      const early = hoist(builder, apart, operands, node);
      return sink(builder, early.loop, early.operands, node);
    });
  },
};
