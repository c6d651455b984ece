/** What is looked for in a `train` block, each once for every part: gradients, fitted modules, the last batch, the optimizer's rule. */
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import * as dim from "../../ir/dim.ts";
import { cannotReach } from "../diagnostics/dlm0505-cannot-reach.ts";
import { rootCall } from "../frame.ts";
import type { Frame, StateRequest, WeightRequest } from "../frame.ts";
import { requestKey } from "../instance.ts";
import { isUserSpan } from "../origin.ts";
import type { Session } from "../session.ts";
import { checkType, elementsOf, graphType, showType } from "../type.ts";
import type { OptimizerValue, TensorValue } from "../values.ts";
import { refuseRowsOfApp } from "./app-rows.ts";
import { lineText } from "./block.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { nothingToTrain } from "./diagnostics/dlm0702-nothing-to-train.ts";
import { noGradient } from "./diagnostics/dlm0704-no-gradient.ts";
import { movingStates } from "./diagnostics/dlm0705-frozen-weights-moving-states.ts";
import { fittedLate } from "./diagnostics/dlm0602-fitted-late.ts";
import { lastBatch } from "./diagnostics/dlm0604-last-batch.ts";
import { covers, isFrozen } from "./freeze.ts";
import { fits, taskOf } from "./evaluate.ts";
import type { Facts } from "./facts.ts";
import { namesIn } from "./names-in.ts";
import type { DataPlan, SplitName } from "./plans.ts";
import { cutBetween, differentiableSources, flooredAtZero } from "./reach.ts";
import { valuesBehind } from "../../ir/reach.ts";
import { bindNames, runForward, runUpdate } from "./train.ts";
import type { Forward, PartLoss, TrainBlock, TrainPart } from "./train.ts";
import { trial } from "./trial.ts";
import type { Trial } from "./trial.ts";
import { unnamed } from "./settings.ts";

/** Rows of the split that is trained on, as far as they are known. */
export function trainRows(block: TrainBlock, data: DataPlan, facts: Facts): number | undefined {
  const part = data.split?.parts[splitOf(block)];
  return (
    facts.data.get(data.key)?.splits?.[splitOf(block)] ?? (part?.kind === "count" ? part.value : undefined)
  );
}

export function splitOf({ data }: TrainBlock): SplitName {
  return data.split === "valid" || data.split === "test" ? data.split : "train";
}

/** Runs the optimizer's body once, so that its mistakes are found. */
export function checkUpdate(
  { builder, frame, weights }: Trial,
  { model, frozen }: TrainPart,
  optimizer: Parameters<typeof runUpdate>[1],
): void {
  const { text: owner, span } = model.declaration.name;
  const own = [...weights.values()].filter(
    ({ request }) => request.model === owner && !isFrozen(frozen, request.path, "weights"),
  );
  const size = own.map(({ request }) => elementsOf(request.type)).reduce(dim.add, dim.zero);
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
export function checkRate(session: Session, span: Span, { declaration }: OptimizerValue): void {
  if (declaration.configuration.some(({ name }) => name.text === "rate")) return;
  const found = `\`${declaration.name.text}\` has none`;
  session.add(report(settingValue, { setting: "plateau", needs: "an optimizer with a `rate`", span, found }));
}

/** DLM0902: what training watches must say something of the output. */
export function checkWatches(
  { frame }: Trial,
  { out }: Forward,
  block: TrainBlock,
  compared: string | undefined,
): void {
  const { session, solver } = frame.elaboration;
  const targets = block.data.columns.filter(({ role }) => role === "target");
  const target =
    targets.find(({ name }) => name === compared) ?? (targets.length === 1 ? targets[0] : undefined);
  if (out?.kind !== "tensor" || !target) return;
  const subject = { task: taskOf(out, target), out: showType(out.type, solver.show) };
  const { stop, keep, plateau } = block.settings.plan;
  for (const watch of [
    stop?.watch,
    keep,
    plateau?.watch,
    ...block.parts.map(({ stage }) => stage?.stop?.watch),
  ])
    if (watch)
      fits(
        { name: watch.metric, span: watch.span },
        subject,
        { diagnose: (d) => session.add(d) },
        `${watch.split}.`,
      );
}

/** DLM0702 where the loss depends on no weight of the model; else DLM0704, once for all weights with the same fate. */
export function checkGradients(
  { builder, weights, frame }: Trial,
  { part, loss }: PartLoss,
  block: TrainBlock,
): void {
  if (!loss?.value || part.settings.loss.length === 0) return;
  const target = loss.value;
  const sources = differentiableSources(target);
  const owner = part.model.declaration.name.text;
  const own = [...weights.values()].filter(
    ({ request }) => request.model === owner && !isFrozen(part.frozen, request.path, "weights"),
  );
  const lost = own.filter(({ value }) => !sources.has(value));
  const { session } = frame.elaboration;
  const [{ expression } = { expression: undefined }] = part.settings.loss;
  if (part.settings.step && lost.length === own.length) {
    session.add(report(nothingToTrain, nothingReached(frame, block, part, owner)));
    return;
  }
  const [first, ...others] = lost;
  if (!first || !expression) return;
  const cut = cutBetween(builder.nodes, first.value, target);
  const cutSpan = cut && spanOf(session, cut.node.origin.at);
  const made = placeOf(frame, first.request);
  session.add(
    report(noGradient, {
      path: first.request.path,
      loss: expression.span,
      lossText: lineText(expression),
      made,
      cut: cut && cutSpan ? { span: cutSpan, why: cut.why } : undefined,
      others: others.map(({ request }) => request.path),
    }),
  );
}

/** DLM0705 where weights are kept and states below them are not; and something must be left to train. */
export function checkFrozen({ weights, updates, frame }: Trial, { model, frozen }: TrainPart): void {
  const { session } = frame.elaboration;
  const owner = model.declaration.name.text;
  const last = frozen.at(-1);
  if (!last) return;
  const own = [...weights.values()].flatMap(({ request }) => (request.model === owner ? [request.path] : []));
  if (own.length > 0 && own.every((path) => isFrozen(frozen, path, "weights"))) {
    const found = `every weight of ${owner} is frozen`;
    const needs = "to leave something to train";
    session.add(report(settingValue, { setting: last.kind, needs, span: last.span, found }));
  }
  for (const rule of frozen) {
    const moving = updates.filter(
      ({ request }) => request.model === owner && rule.weightsOnly && covers(rule, request.path),
    );
    const [first] = moving;
    if (!first || rule.kind === "thaw") continue;
    const layerSpan = placeOf(frame, first.request);
    session.add(
      report(movingStates, {
        span: rule.span,
        part: rule.path,
        layer: moduleAt(layerSpan, first.request.path),
        layerSpan,
        states: [...new Set(moving.map(({ request }) => request.path))],
      }),
    );
  }
}

/** Which names of the block the model makes, and what the loss would be with one of them. */
function nothingReached(
  frame: Frame,
  block: TrainBlock,
  part: TrainPart,
  model: string,
): Parameters<typeof nothingToTrain.build>[0] {
  const spoken = new Set(part.settings.loss.flatMap(({ expression }) => [...namesIn(expression)]));
  const { session } = frame.elaboration;
  const trying = trial(session, block.scope, "training");
  runForward(trying.frame, block, []);
  bindNames(trying.frame, block, "all");
  const made: string[] = [];
  const others: string[] = [];
  const columns = block.data.columns.map(({ name }) => ({ name: { text: name } }));
  for (const { name } of [...block.settings.bindings, ...columns]) {
    const value = trying.frame.locals.values.get(name.text);
    if (value?.kind !== "tensor" || !value.value) continue;
    const behind = valuesBehind([value.value]);
    const by = [...trying.weights.values()].some((w) => w.request.model === model && behind.has(w.value));
    if (by) made.push(name.text);
    else if (spoken.has(name.text)) others.push(name.text);
  }
  const { expression } = part.settings.loss[0]!;
  return { model, loss: expression.span, step: part.settings.step!.model.span, made, others };
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
/** The call or word that stands at a place in a user's file. */
export function spanOf(
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
export function checkFitted({ updates, frame }: Trial, data: DataPlan): void {
  const { session } = frame.elaboration;
  const seen = new Set<string>();
  for (const { request, from } of updates) {
    const learned = from.kind === "tensor" ? from.learned : undefined;
    const module = request.path.split(".").slice(0, -1).join(".");
    const isApp = data.reader.kind === "app";
    if (!request.fitted || !(learned || isApp) || seen.has(module)) continue;
    seen.add(module);
    const at = placeOf(frame, request);
    if (!learned || isApp) {
      const help = "`LayerNorm` or `BatchNorm` here, or numbers that the program says";
      refuseRowsOfApp(data, `\`${moduleAt(at, request.path)}\``, at ?? request.span, help, {
        diagnose: (diagnostic) => session.add(diagnostic),
      });
      continue;
    }
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
export function checkLastBatch(
  { updates, frame }: Trial,
  block: TrainBlock,
  data: DataPlan,
  facts: Facts,
): void {
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
export function checkReach(
  { frame }: Trial,
  { out }: Pick<Forward, "out">,
  { data }: TrainBlock,
  plan: DataPlan,
  facts: Facts,
): void {
  const node = out?.kind === "tensor" && out.value ? flooredAtZero(out.value) : undefined;
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
