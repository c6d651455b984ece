/** dead-code: nodes that no output and no write needs go away. */
import { neededNodes } from "../ir/reach.ts";
import type { Pass } from "./pass.ts";

export const deadCode: Pass = {
  name: "dead-code",
  summary: "Removes nodes that no output and no write needs.",
  run(graph) {
    const wanted = [...graph.outputs, ...graph.writes].map(({ value }) => value);
    return { ...graph, nodes: neededNodes(graph.nodes, wanted) };
  },
};
