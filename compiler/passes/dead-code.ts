/** dead-code: nodes that no output and no write needs go away. */
import { isNode } from "../ir/graph.ts";
import type { Node } from "../ir/graph.ts";
import type { Pass } from "./pass.ts";

export const deadCode: Pass = {
  name: "dead-code",
  summary: "Removes nodes that no output and no write needs.",
  run(graph) {
    const needed = new Set<Node>();
    for (const { value } of [...graph.outputs, ...graph.writes])
      if (isNode(value.source)) needed.add(value.source);
    for (const node of graph.nodes.toReversed()) {
      if (!needed.has(node)) continue;
      for (const { source } of node.operands) if (isNode(source)) needed.add(source);
    }
    return { ...graph, nodes: graph.nodes.filter((node) => needed.has(node)) };
  },
};
