/** How many updates an epoch has. */
import type { TrainPlan } from "./plans.ts";

/** Of `accumulate` batches each; those that are left at the end of an epoch make one of their own. */
export function stepsPerEpoch(
  { batch, last, accumulate }: Pick<TrainPlan, "batch" | "last" | "accumulate">,
  rows: number,
): number {
  const batches = last === "drop" ? Math.floor(rows / batch) : Math.ceil(rows / batch);
  return Math.ceil(batches / accumulate);
}
