/** Checks a `train` block: resolves its names, elaborates it once in each phase it has, and makes its plan. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { graphBuilder } from "../../ir/builder.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import * as dim from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { isNode } from "../../ir/graph.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { cannotReach } from "../diagnostics/dlm0505-cannot-reach.ts";
import { rootCall } from "../frame.ts";
import type { Frame, StateRequest, WeightRequest } from "../frame.ts";
import { requestKey } from "../instance.ts";
import type { FileScope } from "../names.ts";
import { isUserSpan } from "../origin.ts";
import type { Session } from "../session.ts";
import { checkType, elementsOf, graphType, showType } from "../type.ts";
import type { CheckValue, OptimizerValue, TensorValue } from "../values.ts";
import { blockFrame, dataOf, flowContext, lineText, modelOf } from "./block.ts";
import type { Stores } from "./block.ts";
import { noGradient } from "./diagnostics/dlm0704-no-gradient.ts";
import { fittedLate } from "./diagnostics/dlm0602-fitted-late.ts";
import { lastBatch } from "./diagnostics/dlm0604-last-batch.ts";
import { fits, taskOf } from "./evaluate.ts";
import { dataKey } from "./facts.ts";
import type { Facts } from "./facts.ts";
import type { DataPlan, SplitName, TrainPlan } from "./plans.ts";
import { cutBetween, differentiableSources, flooredAtZero } from "./reach.ts";
import { optimizerOf, optimizerText, runForward, runUpdate } from "./train.ts";
import type { Forward, TrainBlock } from "./train.ts";
import { readTrainSettings } from "./train-settings.ts";
import type { TrainSettings } from "./train-settings.ts";
import { unnamed } from "./settings.ts";

export interface CheckedTrain {
  readonly block: TrainBlock;
  readonly plan: TrainPlan;
}

/** Weights and states of an elaboration that is only checked: inputs of their own, and what was done with them. */
interface Trial {
  readonly builder: GraphBuilder;
  readonly frame: Frame;
  readonly weights: Map<string, { readonly request: WeightRequest; readonly value: Value }>;
  readonly states: Map<string, StateRequest>;
  readonly updates: { readonly request: StateRequest; readonly span: Span; readonly from: CheckValue }[];
}

function trial(session: Session, scope: FileScope, phase: Frame["phase"]): Trial {
  const builder = graphBuilder();
  const weights: Trial["weights"] = new Map();
  const states: Trial["states"] = new Map();
  const updates: Trial["updates"] = [];
  const stores: Stores = {
    weights: {
      get(request) {
        const value = builder.input(request.path, "weight", graphType(request.type));
        weights.set(request.path, { request, value });
        return value;
      },
    },
    states: {
      get(request) {
        states.set(request.path, request);
        return builder.input(request.path, "state", graphType(request.type));
      },
      set: (request, _value, span, from) => updates.push({ request, span, from }),
    },
  };
  return { builder, frame: blockFrame(session, scope, phase, builder, stores), weights, states, updates };
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
  const alternating = declaration.settings.settings.some((s) => s.kind === "call" && s.name.text === "step");
  const model = alternating ? undefined : modelOf(names, declaration);
  const data = dataOf(names, declaration);
  const dataPlan = data && plans(dataKey(data.declaration));
  const settings = readTrainSettings(declaration, dataPlan, flowContext(session, scope, facts));
  if (!model || !data || !dataPlan) return undefined;
  const block: TrainBlock = { declaration, scope, model, data, settings };
  const training = trial(session, scope, "training");
  const forward = runForward(training.frame, block);
  const optimizer = optimizerOf(training.frame, block);
  if (settings.plateauSetting && optimizer) checkRate(session, settings.plateauSetting.span, optimizer);
  if (forward && optimizer) checkUpdate(training, optimizer, declaration.name.span);
  if (forward?.loss) {
    checkWatches(training, forward, block);
    checkGradients(training, forward, block);
    checkLastBatch(training, block, dataPlan, facts);
    checkReach(training, forward, block, dataPlan, facts);
  }
  if ([...training.states.values()].some((state) => state.fitted)) {
    const fitting = trial(session, scope, "fitting");
    runForward(fitting.frame, block);
    checkFitted(fitting);
  }
  return { block, plan: planOf(block, forward, optimizer?.declaration.name.text, dataPlan, facts) };
}

function planOf(
  block: TrainBlock,
  forward: Forward | undefined,
  optimizer: string | undefined,
  data: DataPlan,
  facts: Facts,
): TrainPlan {
  const { declaration, settings, model } = block;
  const { epochs, ...plan } = settings.plan;
  return {
    name: declaration.name.text,
    model: model.declaration.name.text,
    span: declaration.name.span,
    data: data.key,
    split: splitOf(block),
    targets: targetsOf(block, forward),
    loss: {
      text: settings.loss.map(({ expression }) => lineText(expression)).join(" + "),
      span: settings.lossSpan,
      terms: (forward?.terms ?? []).map((term) => term.name),
    },
    optimizer: {
      name: optimizer ?? "",
      text: optimizerText(block),
      span: settings.optimizer?.span ?? declaration.name.span,
    },
    ...plan,
    epochs: epochs ?? epochsFor(plan, trainRows(block, data, facts)),
  };
}

/** Rows of the split that is trained on, as far as they are known. */
function trainRows(block: TrainBlock, data: DataPlan, facts: Facts): number | undefined {
  const part = data.split?.parts[splitOf(block)];
  return (
    facts.data.get(data.key)?.splits?.[splitOf(block)] ?? (part?.kind === "count" ? part.value : undefined)
  );
}

/** As many epochs as the steps need. */
function epochsFor(
  { steps, batch, last }: Omit<TrainSettings["plan"], "epochs">,
  rows: number | undefined,
): number {
  if (rows === undefined || steps === undefined) return Number.MAX_SAFE_INTEGER;
  const perEpoch = Math.max(1, last === "drop" ? Math.floor(rows / batch) : Math.ceil(rows / batch));
  return Math.ceil(steps / perEpoch);
}

function splitOf({ data }: TrainBlock): SplitName {
  return data.split === "valid" || data.split === "test" ? data.split : "train";
}

/** Target columns that the loss depends on. */
function targetsOf({ data }: TrainBlock, forward: Forward | undefined): string[] {
  const loss = forward?.loss?.value;
  if (!forward || !loss) return [];
  const seen = new Set<Value>();
  const walk = [loss];
  for (let value = walk.pop(); value; value = walk.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (isNode(value.source)) walk.push(...value.source.operands);
  }
  return data.columns.flatMap(({ name, role }) => {
    const value = forward.columns.get(name)?.value;
    return role === "target" && value && seen.has(value) ? [name] : [];
  });
}

// ---------------------------------------------------------------- checks

/** Runs the optimizer's body once, so that its mistakes are found. */
function checkUpdate(
  { builder, frame, weights }: Trial,
  optimizer: Parameters<typeof runUpdate>[1],
  span: Span,
): void {
  const size = [...weights.values()].map(({ request }) => elementsOf(request.type)).reduce(dim.add, dim.zero);
  const origin = { kind: "written", span, name: undefined } as const;
  const type = checkType("f32", [{ label: undefined, size: { dim: size, origin } }]);
  const vector = (name: string): TensorValue => ({
    kind: "tensor",
    type,
    value: builder.input(name, "state", graphType(type)),
    span,
  });
  const step = frame.locals.values.get("step");
  if (step?.kind !== "tensor") return;
  runUpdate(frame, optimizer, {
    w: vector("w"),
    g: vector("g"),
    step,
    state: (name) => vector(`optimizer.${name}`),
    // only the shape counts here
    norms: (_, x) => x,
    changeRate: undefined,
  });
}

/** A measured value can change the rate only where there is one. */
function checkRate(session: Session, span: Span, { declaration }: OptimizerValue): void {
  if (declaration.configuration.some(({ name }) => name.text === "rate")) return;
  const found = `\`${declaration.name.text}\` has none`;
  session.add(report(settingValue, { setting: "plateau", needs: "an optimizer with a `rate`", span, found }));
}

/** DLM0902: what training watches must say something of the output. */
function checkWatches({ frame }: Trial, forward: Forward, block: TrainBlock): void {
  const { session, solver } = frame.elaboration;
  const { out } = forward;
  const targets = block.data.columns.filter(({ role }) => role === "target");
  const [first] = targetsOf(block, forward);
  const target =
    targets.find(({ name }) => name === first) ?? (targets.length === 1 ? targets[0] : undefined);
  if (out.kind !== "tensor" || !target) return;
  const subject = { task: taskOf(out, target), out: showType(out.type, solver.show) };
  const { stop, keep, plateau } = block.settings.plan;
  for (const watch of [stop?.watch, keep, plateau?.watch])
    if (watch)
      fits(
        { name: watch.metric, span: watch.span },
        subject,
        { diagnose: (d) => session.add(d) },
        `${watch.split}.`,
      );
}

/** DLM0704, once for all weights with the same fate. */
function checkGradients(
  { builder, weights, frame }: Trial,
  { loss }: Forward,
  { settings }: TrainBlock,
): void {
  if (!loss?.value || settings.loss.length === 0) return;
  const target = loss.value;
  const sources = differentiableSources(target);
  const lost = [...weights.values()].filter(({ value }) => !sources.has(value));
  const [first, ...others] = lost;
  if (!first) return;
  const { session } = frame.elaboration;
  const cut = cutBetween(builder.nodes, first.value, target);
  const cutSpan = cut && spanOf(session, cut.node.origin.at);
  const made = placeOf(frame, first.request);
  session.add(
    report(noGradient, {
      path: first.request.path,
      loss: settings.loss[0]!.expression.span,
      lossText: lineText(settings.loss[0]!.expression),
      made,
      cut: cut && cutSpan ? { span: cutSpan, why: cut.why } : undefined,
      others: others.map(({ request }) => request.path),
    }),
  );
}

/** Where a weight or state came into the user's model: the statement itself, or the stage that led to it. */
function placeOf(frame: Frame, request: WeightRequest | StateRequest): Span | undefined {
  const entry = frame.elaboration.requested.get(requestKey(request.model, request.path));
  const stage = entry && rootCall(entry.frame);
  if (isUserSpan(request.span)) return request.span;
  return stage && isUserSpan(stage) ? stage : undefined;
}

/** The module that a stage applies, as written: `Dense` of `Dense(8)`. */
function moduleAt(span: Span | undefined, path: string): string {
  return (span && /^\w+/.exec(textOf(span))?.[0]) ?? path.split(".").slice(0, -1).join(".");
}

/** The word at a place of a user's file. */
function spanOf(
  session: Session,
  at: { file: string; line: number; column: number } | undefined,
): Span | undefined {
  const source = at && session.files.get(at.file)?.file.span.source;
  if (!at || !source) return undefined;
  const lines = source.text.split("\n");
  const start = lines.slice(0, at.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + at.column - 1;
  const word = /^[\w.]+(\([^()\n]*\))?|^./.exec(source.text.slice(start))?.[0] ?? "";
  return { source, start, end: start + Math.max(1, word.length) };
}

/** DLM0602: what is fitted reads weights. */
function checkFitted({ updates, frame }: Trial): void {
  const { session } = frame.elaboration;
  const seen = new Set<string>();
  for (const { request, from } of updates) {
    const learned = from.kind === "tensor" ? from.learned : undefined;
    const module = request.path.split(".").slice(0, -1).join(".");
    if (!request.fitted || !learned || seen.has(module)) continue;
    seen.add(module);
    const at = placeOf(frame, request);
    const after = isUserSpan(learned) ? learned : undefined;
    session.add(
      report(fittedLate, {
        module: moduleAt(at, request.path),
        span: at ?? request.span,
        after: after ? textOf(after) : "a layer with weights",
        afterSpan: after,
      }),
    );
  }
}

/** DLM0604: a last batch of one row and a layer that changes its state by the batch. */
function checkLastBatch({ updates, frame }: Trial, block: TrainBlock, data: DataPlan, facts: Facts): void {
  const { plan, batchSetting } = block.settings;
  const [update] = updates;
  const rows = trainRows(block, data, facts);
  if (!update || rows === undefined) return;
  const left = rows % plan.batch || plan.batch;
  if (left !== 1 || (plan.last === "drop" && plan.batch > 1)) return;
  const user = placeOf(frame, update.request);
  const written = batchSetting && unnamed(batchSetting)[0]?.value.span;
  frame.elaboration.session.add(
    report(lastBatch, {
      rows,
      batch: plan.batch,
      span: batchSetting?.span ?? block.declaration.name.span,
      written,
      layer: moduleAt(user, update.request.path),
      layerSpan: user,
    }),
  );
}

/** DLM0505: the output is never negative, and a target is. */
function checkReach(
  { frame }: Trial,
  { out }: Forward,
  { data }: TrainBlock,
  plan: DataPlan,
  facts: Facts,
): void {
  const node = out.kind === "tensor" && out.value ? flooredAtZero(out.value) : undefined;
  const at = node && spanOf(frame.elaboration.session, node.origin.at);
  const targets = data.columns.filter((column) => column.role === "target");
  const [target] = targets;
  if (!node || !at || !target || targets.length > 1 || target.kind !== "number") return;
  const least = facts.data.get(plan.key)?.columns?.get(target.name)?.trainLeast;
  if (least === undefined || least >= 0) return;
  const activation = textOf(at);
  frame.elaboration.session.add(
    report(cannotReach, { span: at, activation, target: target.name, declared: target.span, least }),
  );
}
