/** The passes in order, each with the reason why it stands there. */
import { verify } from "../ir/verify.ts";
import { commonSubexpressions } from "./common-subexpressions.ts";
import { deadCode } from "./dead-code.ts";
import { foldConstants } from "./fold-constants.ts";
import { inlineViews } from "./inline-views.ts";
import { pruneLoops } from "./prune-loops.ts";
import { releaseBarriers } from "./release-barriers.ts";
import { simplify } from "./simplify.ts";
import { splitLoops } from "./split-loops.ts";
import { rewriteBodies } from "../ir/rewrite.ts";
import type { Graph } from "../ir/graph.ts";
import type { Pass } from "./pass.ts";

export interface Stage {
  readonly pass: Pass;
  readonly reason: string;
}

export const pipeline: readonly Stage[] = [
  {
    pass: deadCode,
    reason:
      "Gradients and library functions leave nodes that nothing reads; later passes need not look at them.",
  },
  {
    pass: pruneLoops,
    reason: "Loops keep what a gradient might need; what none needed goes before work is moved.",
  },
  { pass: simplify, reason: "Views of views and neutral operands hide that values are equal or constant." },
  {
    pass: foldConstants,
    reason: "Expands have moved outwards, so that arithmetic of constants stands on plain constants.",
  },
  {
    pass: commonSubexpressions,
    reason: "Forward and backward pass, and entries of a library, compute the same values.",
  },
  {
    pass: splitLoops,
    reason: "Equal work is done once in a step, so that what moves out of the steps moves once.",
  },
  { pass: simplify, reason: "Folded and shared values meet rules that did not see them before." },
  { pass: commonSubexpressions, reason: "What the rules wrote anew may be there already." },
  {
    pass: releaseBarriers,
    reason: "No later pass brings together what a `recompute` block computes twice.",
  },
  { pass: deadCode, reason: "Replaced nodes are still in the list." },
  { pass: pruneLoops, reason: "What was moved out of loops leaves carries and yields that nothing reads." },
  {
    pass: inlineViews,
    reason: "Last, since a body that reads all parameters could no longer be told apart by weight.",
  },
];

/** Every pass by its name, for `dlmc opt --pass`. */
export const passes: ReadonlyMap<string, Pass> = new Map(pipeline.map(({ pass }) => [pass.name, pass]));

/** A pass runs on a graph, and on the bodies of its loops; passes over loops look into these themselves. */
export function runPass(pass: Pass, graph: Graph): Graph {
  const next = pass.run(graph);
  return pass.loops ? next : rewriteBodies(next, (body) => runPass(pass, body));
}

/** The whole pipeline. The graph is verified before the first pass and after every one; `after` is then told of it. */
export function optimize(
  graph: Graph,
  options: { readonly after?: (passName: string, graph: Graph) => void } = {},
): Graph {
  verify(graph, "check");
  let now = graph;
  for (const { pass } of pipeline) {
    now = runPass(pass, now);
    verify(now, pass.name);
    options.after?.(pass.name, now);
  }
  return now;
}
