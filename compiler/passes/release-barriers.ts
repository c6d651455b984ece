/** release-barriers: what had to be computed again is so by now, and the kernels read the numbers themselves. */
import { rewrite } from "../ir/rewrite.ts";
import type { Pass } from "./pass.ts";

export const releaseBarriers: Pass = {
  name: "release-barriers",
  summary: "Puts the operand in the place of each barrier.",
  run: (graph) =>
    rewrite(graph, (node, operands) => (node.op.name === "barrier" ? [operands[0]!] : undefined)),
};
