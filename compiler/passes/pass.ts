/** What a pass is: a graph into a graph that means the same. */
import type { Graph } from "../ir/graph.ts";

export interface Pass {
  /** named by its verb or by what it removes; also the word of --print-ir-after */
  readonly name: string;
  /** one English sentence */
  readonly summary: string;
  /** adds the same terms in another order, so that sums may differ by their rounding */
  readonly reorders?: true;
  /** it goes into the bodies of loops by itself */
  readonly loops?: true;
  run(graph: Graph): Graph;
}
