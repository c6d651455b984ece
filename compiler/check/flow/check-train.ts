/** Checks a `train` block: resolves its names, elaborates each part once in each phase it has, and makes its plan. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { evaluate } from "../evaluate.ts";
import type { Frame } from "../frame.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import type { CallableValue } from "../values.ts";
import { blockFrame, dataOf, flowContext, lineText, modelOf } from "./block.ts";
import { dataKey } from "./facts.ts";
import type { Facts } from "./facts.ts";
import { freezeRules, phasesOf } from "./freeze.ts";
import type { DataPlan, PartPlan, StagePlan, TrainPlan } from "./plans.ts";
import { checkPrecision } from "./precision.ts";
import { stepsPerEpoch } from "./steps-per-epoch.ts";
import { valuesBehind } from "../../ir/reach.ts";
import { bindNames, optimizerOf, refuseKind, runForward, runSample } from "./train.ts";
import type { Forward, PartLoss, TrainBlock, TrainPart } from "./train.ts";
import {
  checkFitted,
  checkFrozen,
  checkGradients,
  checkLastBatch,
  checkRate,
  checkReach,
  checkUpdate,
  checkWatches,
  splitOf,
  trainRows,
} from "./train-checks.ts";
import type { PartSettings } from "./train-parts.ts";
import { readTrainSettings } from "./train-settings.ts";
import type { TrainSettings } from "./train-settings.ts";
import { trial } from "./trial.ts";

export interface CheckedTrain {
  readonly block: TrainBlock;
  readonly plan: TrainPlan;
}

/** Undefined where the block speaks of no model or no data; what else is wrong has been reported. */
export function checkTrain(
  session: Session,
  scope: FileScope,
  declaration: WorkflowDeclaration,
  facts: Facts,
  plans: (key: string) => DataPlan | undefined,
): CheckedTrain | undefined {
  const names = blockFrame(session, scope, "training", undefined);
  const alternating = hasSteps(declaration);
  const model = alternating ? undefined : modelOf(names, declaration);
  const data = dataOf(names, declaration);
  const dataPlan = data && plans(dataKey(data.declaration));
  const settings = readTrainSettings(declaration, dataPlan, flowContext(session, scope, facts));
  const given = settings.parts.flatMap((each) => partOf(names, each, model) ?? []);
  if (given.length === 0 || given.length < settings.parts.length || !data || !dataPlan) return undefined;
  const block = withFrozen(session, { declaration, scope, model, data, settings, parts: given });
  const { parts } = block;
  const checked = parts.map((part) => {
    const phases = phasesOf(part.frozen, part.model.declaration.name.text);
    const training = trial(session, scope, "training", phases);
    const forward = runForward(training.frame, block, [part]);
    const optimizer = optimizerOf(training.frame, part);
    const [loss] = forward?.losses ?? [];
    if (settings.plateauSetting && optimizer) checkRate(session, settings.plateauSetting.span, optimizer);
    if (forward && optimizer) checkUpdate(training, part, optimizer);
    if (forward && loss?.loss) {
      checkWatches(training, forward, block, targetsOf(block, [{ forward, loss }])[0]);
      checkGradients(training, loss, block);
      checkFrozen(training, part);
      checkLastBatch(training, block, dataPlan, facts);
      if (!part.name) checkReach(training, forward, block, dataPlan, facts);
    }
    return { part, training, forward, loss, optimizer: optimizer?.declaration.name.text };
  });
  checkNames(session, block);
  runSample(trial(session, scope, "inference").frame, block);
  checkPrecision(session, settings.precisionSetting, settings.plan.precision, checked[0]?.forward?.out);
  if (checked.some(({ training }) => [...training.states.values()].some((state) => state.fitted))) {
    const fitting = trial(session, scope, "fitting");
    runForward(fitting.frame, block);
    checkFitted(fitting, dataPlan);
  }
  return { block, plan: planOf(block, checked, dataPlan, facts) };
}

export function hasSteps({ settings }: WorkflowDeclaration): boolean {
  return settings.settings.some((setting) => setting.kind === "call" && setting.name.text === "step");
}

/** Undefined after a diagnostic. */
function partOf(frame: Frame, settings: PartSettings, own: CallableValue | undefined): TrainPart | undefined {
  if (!settings.step) {
    const { stage } = settings;
    const entry = stage ? `train.${stage.name}` : "train";
    return own && { entry, name: undefined, model: own, settings, stage, frozen: [] };
  }
  const { model: expression } = settings.step;
  const model = evaluate(frame, expression);
  if (model.kind === "callable" && model.declaration.kind === "model") {
    const name = model.declaration.name.text;
    return { entry: `train.${name}`, name, model, settings, stage: undefined, frozen: [] };
  }
  return refuseKind(frame, "step", "the name of a model", expression.span, model);
}

/** What the lines `freeze` and `thaw` come to needs the paths of the model. */
function withFrozen(session: Session, block: TrainBlock): TrainBlock {
  if (block.parts.every(({ settings }) => settings.freeze.length === 0)) return block;
  const { frame, weights, states } = trial(session, block.scope, "training");
  if (!runForward(frame, block)) return block;
  const requests = [...[...weights.values()].map(({ request }) => request), ...states.values()];
  const parts = block.parts.map((part) => {
    const { text: owner } = part.model.declaration.name;
    const paths = requests.flatMap(({ model, path }) => (model === owner ? [path] : []));
    return { ...part, frozen: freezeRules(part.settings.freeze, owner, paths, session) };
  });
  return { ...block, parts };
}

/** Names that no loss speaks of are looked at too. */
function checkNames(session: Session, block: TrainBlock): void {
  const { frame } = trial(session, block.scope, "training");
  const forward = runForward(frame, block, []);
  if (forward) bindNames(frame, block, "all");
}

interface CheckedPart {
  readonly part: TrainPart;
  readonly forward: Forward | undefined;
  readonly loss: PartLoss | undefined;
  /** its name */
  readonly optimizer: string | undefined;
}

function planOf(block: TrainBlock, checked: readonly CheckedPart[], data: DataPlan, facts: Facts): TrainPlan {
  const { declaration, settings, model } = block;
  const { epochs, ...plan } = settings.plan;
  const { text: name, span } = declaration.name;
  const stages = block.parts.flatMap(({ stage }) => stage ?? []);
  const sum = stages.reduce((all, stage) => all + stage.epochs, 0);
  return {
    name,
    model: model?.declaration.name.text ?? name,
    models: modelsOf(block),
    span,
    data: data.key,
    split: splitOf(block),
    targets: targetsOf(block, checked),
    parts: checked.map(partPlan),
    ...plan,
    epochs: stages.length > 0 ? sum : (epochs ?? epochsFor(plan, trainRows(block, data, facts))),
  };
}

function modelsOf({ parts }: TrainBlock): string[] {
  return [...new Set(parts.map(({ model }) => model.declaration.name.text))];
}

function partPlan({ part, loss, optimizer }: CheckedPart): PartPlan {
  const { entry, name, settings } = part;
  const span = settings.step?.model.span ?? settings.stage?.span ?? settings.lossSpan;
  return {
    entry,
    name,
    span,
    loss: {
      text: settings.loss.map(({ expression }) => lineText(expression)).join(" + "),
      span: settings.lossSpan,
      terms: (loss?.terms ?? []).map((term) => term.name),
    },
    optimizer: {
      name: optimizer ?? "",
      text: settings.optimizer ? lineText(settings.optimizer) : "",
      span: settings.optimizer?.span ?? span,
    },
    penalty: settings.penalty,
    clip: settings.clip,
    stage: stagePlan(part),
    frozen: part.frozen,
  };
}

function stagePlan({ stage }: TrainPart): StagePlan | undefined {
  return stage && { name: stage.name, epochs: stage.epochs, stop: stage.stop };
}

/** As many epochs as the steps need. */
function epochsFor(
  { steps, ...plan }: Omit<TrainSettings["plan"], "epochs">,
  rows: number | undefined,
): number {
  if (rows === undefined || steps === undefined) return Number.MAX_SAFE_INTEGER;
  return Math.ceil(steps / Math.max(1, stepsPerEpoch(plan, rows)));
}

/** Target columns that the losses depend on. */
function targetsOf(
  { data }: TrainBlock,
  checked: readonly Pick<CheckedPart, "forward" | "loss">[],
): string[] {
  const read = new Set<string>();
  for (const { forward, loss } of checked) {
    if (!forward || !loss?.loss?.value) continue;
    const seen = valuesBehind([loss.loss.value]);
    for (const [name, { value }] of forward.columns) if (value && seen.has(value)) read.add(name);
  }
  return data.columns.flatMap(({ name, role }) => (role === "target" && read.has(name) ? [name] : []));
}
