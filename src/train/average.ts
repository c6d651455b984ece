/** The moving average of weights and states that a run keeps beside them: what is validated, kept best and deployed. */
import { isFrozen } from "../../compiler/check/flow/freeze.ts";
import type { PartPlan } from "../../compiler/check/flow/plans.ts";
import { averageName, averageOfState } from "../../compiler/entries/update.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";

/**
 * Averages begin at 0, so that after n updates they hold 1 - decay^n of the whole (as the moments of adam do, Kingma and Ba
 * 2015): divided by that they are a mean of the weights after each update. `parts` are those that take turns; each stage begins its
 * average anew. Undefined where the program keeps none.
 */
export function averageOf(
  { weights, states }: ModelGraphs,
  decay: number | undefined,
  parts: readonly PartPlan[],
):
  | ((tensors: ReadonlyMap<string, Float32Array>, updates: readonly number[]) => Map<string, Float32Array>)
  | undefined {
  if (decay === undefined) return undefined;
  return (tensors, updates) => {
    const shown = new Map(tensors);
    parts.forEach((part, turn) => {
      const made = updates[turn] ?? 0;
      if (made === 0) return;
      const whole = 1 - decay ** made;
      const own = (path: string): boolean => part.name === undefined || path.startsWith(`${part.name}.`);
      const sums = tensors.get(averageName(part))!;
      let from = 0;
      for (const { path } of weights) {
        if (!own(path) || isFrozen(part.frozen, path, "weights")) continue;
        const { length } = tensors.get(path)!;
        shown.set(
          path,
          sums.subarray(from, from + length).map((sum) => sum / whole),
        );
        from += length;
      }
      for (const { path } of states) {
        const sum = own(path) ? tensors.get(averageOfState(part, path)) : undefined;
        if (sum)
          shown.set(
            path,
            sum.map((each) => each / whole),
          );
      }
    });
    return shown;
  };
}
