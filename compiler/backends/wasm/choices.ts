/** Which axis the four lanes run along, by counting how memory would be touched. */
import * as dim from "../../ir/dim.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import type { Flat, Reads } from "../access.ts";
import { dependenciesOf } from "../dependencies.ts";

/** Gain of lanes along this axis: neighbours in memory count for it, scattered elements against it. */
export function vectorScore(axis: LoopAxis, reads: Reads, stores: readonly Flat[]): number {
  let score = 0;
  const count = (flat: Flat, weight: number): void => {
    const step = flat.coefficients.get(axis);
    const computed = flat.computed.some((c) => dependenciesOf(c.value).axes.has(axis));
    if (step === undefined && !computed) return;
    score += !computed && step !== undefined && dim.equal(step, dim.one) ? weight : -weight;
  };
  for (const { flat } of reads.loads) count(flat, 1);
  for (const result of reads.results)
    if (result.stage.place.kind === "tile" && result.index.some((a) => a.terms.some((t) => t.axis === axis)))
      score += 1;
  for (const store of stores) count(store, 1.5);
  return score + (reads.transcendentals > 0 ? 2 : 0);
}

export function prefersVector(axis: LoopAxis, reads: Reads, stores: readonly Flat[]): boolean {
  const plain = reads.nodes > 1 ? 0.5 : 0;
  return vectorScore(axis, reads, stores) + plain > 0;
}
