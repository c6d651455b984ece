/** simplify: rewrites nodes by the rules of rules/, until none applies. */
import { isNode } from "../ir/graph.ts";
import { keep, rewrite } from "../ir/rewrite.ts";
import { deadCode } from "./dead-code.ts";
import { arithmeticRules } from "./rules/arithmetic.ts";
import { expandRules } from "./rules/expands.ts";
import { logicRules } from "./rules/logic.ts";
import { viewRules } from "./rules/views.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Pass } from "./pass.ts";
import type { Rule } from "./rules/rule.ts";

/**
 * No rule reassociates; NaN, infinity and the sign of zero stay as they are. Every rule makes the graph smaller or moves
 * an expand or a view one step in a fixed direction, so that rewriting ends.
 */
export const rules: readonly Rule[] = [...arithmeticRules, ...logicRules, ...viewRules, ...expandRules];

const byOp = new Map<string, Rule[]>();
for (const rule of rules) for (const op of rule.ops) byOp.set(op, [...(byOp.get(op) ?? []), rule]);

/** A graph this much rewritten would mean that two rules undo each other. */
const mostRounds = 20;

export const simplify: Pass = {
  name: "simplify",
  summary: "Rewrites nodes by a table of rules that keep every number as it is.",
  run(graph) {
    let now = graph;
    for (let round = 0; round < mostRounds; round++) {
      const { graph: next, changed } = simplifyOnce(now);
      if (!changed) return next;
      now = next;
    }
    return now;
  },
};

function simplifyOnce(graph: Graph): { graph: Graph; changed: boolean } {
  let changed = false;
  const next = rewrite(graph, (node, operands, builder) => {
    const results = keep(node, operands, builder);
    if (results.length > 1) return results;
    const better = improve(results[0]!, builder);
    if (better !== results[0]) changed = true;
    return [better];
  });
  // what was replaced must go, or it would be rewritten again
  return { graph: deadCode.run(next), changed };
}

/** Applies rules to the node of a value, and to what they give, as long as one applies. */
function improve(value: Value, builder: GraphBuilder): Value {
  let now = value;
  for (let step = 0; step < mostRounds; step++) {
    const { source } = now;
    if (!isNode(source) || source.results.length > 1) return now;
    let found: Value | undefined;
    for (const rule of byOp.get(source.op.name) ?? []) {
      found = rule.apply(source, builder);
      if (found) break;
    }
    if (!found) return now;
    now = found;
  }
  return now;
}
