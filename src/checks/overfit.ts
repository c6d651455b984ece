/** `overfit`: a model that can learn at all learns one batch by heart. */
import type { CheckedTrain } from "../../compiler/check/flow/check-train.ts";
import { stepsPerEpoch } from "../../compiler/check/flow/steps-per-epoch.ts";
import type { CheckPlan } from "../../compiler/check/flow/plans.ts";
import { openModel } from "../compile-program.ts";
import { fed } from "../evaluate/measure.ts";
import { Failure } from "../failure.ts";
import { feedsOf, fitTrain, inputNames } from "../fit.ts";
import { graphsOf, type ProgramWithData } from "../program.ts";
import { number, percent } from "../text.ts";
import type { CheckResult } from "./result.ts";

/** The first rows of the split, as they are, with the optimizer of the block or its first stage and seed. */
export async function checkOverfit(
  program: ProgramWithData,
  train: CheckedTrain,
  { steps, part }: CheckPlan["overfit"] & {},
): Promise<CheckResult> {
  const { plan, block } = train;
  const dataset = program.datasets.get(plan.data)!;
  const ids = dataset.splits[plan.split].subarray(0, plan.batch);
  if (ids.length === 0) throw new Failure(`the ${plan.split} split of ${dataset.plan.name} has no rows`);
  const graphs = graphsOf(program, block.model, train, ["init", "train"]);
  const { entry } = plan.parts[0]!;
  const { model } = await openModel(graphs);
  await model.init(plan.seed);
  model.setWeights(fitTrain(program, train).states);
  const batch = fed(dataset, ids, feedsOf(inputNames(graphs, entry), dataset.plan));
  let first: number | undefined;
  let least = Infinity;
  let done = 0;
  while (done < steps && !(first !== undefined && least <= part * first)) {
    const { loss, ok } = await model.step(batch, {
      entry,
      dims: { B: ids.length },
      control: { steps_per_epoch: stepsPerEpoch(plan, dataset.splits[plan.split].length) },
      ...(plan.accumulate > 1 ? { update: true } : {}),
    });
    if (!ok) break;
    done++;
    first ??= loss;
    least = Math.min(least, loss);
  }
  model.destroy();
  if (first === undefined) return { ok: false, error: 1, within: part, text: "the first step is not finite" };
  const error = first === 0 ? 0 : least / first;
  const ok = least <= part * first;
  return {
    ok,
    error,
    within: part,
    text: `the loss of ${number(ids.length)} rows fell from ${number(first)} to ${number(least)} in ${number(done)} steps${ok ? "" : `, ${percent(part)} of it was to be reached`}`,
    ...(ok ? {} : { help: "a higher rate, more steps; or the model cannot tell the rows apart" }),
  };
}
