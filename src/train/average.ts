/** The moving average of weights and states that a run keeps beside them: what is validated, kept best and deployed. */
import type { TrainPlan } from "../../compiler/check/flow/plans.ts";
import { averageName, averageOfState } from "../../compiler/entries/train.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";

/**
 * Averages begin at 0, so that after n updates they hold 1 - decay^n of the whole (as the moments of adam do, Kingma and Ba
 * 2015): divided by that they are a mean of the weights after each update. Undefined where the program keeps none.
 */
export function averageOf(
  { weights, states }: ModelGraphs,
  { average: decay, parts }: TrainPlan,
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
      const range = weights.filter(({ path }) => own(path));
      const start = range[0]?.offset ?? 0;
      for (const { path, offset } of range) {
        const { length } = tensors.get(path)!;
        const from = offset - start;
        shown.set(
          path,
          sums.subarray(from, from + length).map((sum) => sum / whole),
        );
      }
      for (const { path } of states) {
        const sum = own(path) ? tensors.get(averageOfState(path)) : undefined;
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
