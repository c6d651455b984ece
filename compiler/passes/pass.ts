/** What a pass is: a graph into a graph that means the same. */
import type { Graph } from "../ir/graph.ts";

export interface Pass {
  /** named by its verb or by what it removes; also the word of --print-ir-after */
  readonly name: string;
  /** one English sentence */
  readonly summary: string;
  run(graph: Graph): Graph;
}
