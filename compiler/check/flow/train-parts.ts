/** What one kind of training step says: its loss, its optimizer, penalty and clip; of the block itself, or of each `step` in it. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { missingSetting } from "./diagnostics/dlm0122-missing-setting.ts";
import { noOptimizer } from "./diagnostics/dlm0703-no-optimizer.ts";
import type { DataPlan, PartPlan, StagePlan } from "./plans.ts";
import { stepSettings } from "./setting-tables.ts";
import { number, readSettings, unnamed } from "./settings.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";

export interface LossTerm {
  /** undefined: the loss is this one term */
  readonly name: string | undefined;
  readonly expression: Expression;
}

export interface PartSettings extends Pick<PartPlan, "penalty" | "clip"> {
  /** of a `step`: its line, and what names its model */
  readonly step: { readonly setting: CallSetting; readonly model: Expression } | undefined;
  /** empty after a diagnostic */
  readonly loss: readonly LossTerm[];
  readonly lossSpan: Span;
  readonly optimizer: Expression | undefined;
  /** of a `stage` */
  readonly stage: (StagePlan & { readonly span: Span }) | undefined;
  /** the lines `freeze` and `thaw` that hold, in their order */
  readonly freeze: readonly CallSetting[];
}

/** The one part of a block without steps. */
export function readPart(
  read: ReadSettings,
  { name }: WorkflowDeclaration,
  data: DataPlan | undefined,
  context: FlowContext,
): PartSettings {
  const examples = lossesFor(data);
  return partOf(read, { block: "train", span: name.span, step: undefined, examples }, context);
}

/** Losses that fit the target. */
export function lossesFor(data: DataPlan | undefined): readonly string[] {
  const targets = data?.columns.filter(({ role }) => role === "target") ?? [];
  const [target] = targets;
  if (!target || targets.length > 1) return ["loss cross_entropy(out, label)", "loss mse(out, target)"];
  return target.classes
    ? [`loss cross_entropy(out, ${target.name})`]
    : [`loss mse(out, ${target.name})`, `loss huber(out, ${target.name})`];
}

/** A part for each step. What is said beside the steps would belong to none of them. */
export function readSteps(
  steps: readonly CallSetting[],
  calls: ReadSettings["calls"],
  context: FlowContext,
): PartSettings[] {
  for (const name of [...stepSettings.settings.map((each) => each.name), "stage", "freeze", "thaw"]) {
    const setting = calls.get(name)?.[0];
    if (setting)
      context.diagnose(
        report(settingValue, {
          setting: name,
          ...(stepSettings.settings.some((each) => each.name === name)
            ? { needs: "to stand in a `step` of this block", found: "which of the steps is meant?" }
            : { needs: "a block that trains one model", found: "the steps of this block train several" }),
          span: setting.name.span,
        }),
      );
  }
  return steps.flatMap((setting) => {
    const [model, second] = setting.arguments;
    if (!model || second || !setting.settings) {
      context.diagnose(
        report(settingValue, {
          setting: "step",
          needs: "the name of one model, and a block",
          span: second?.span ?? setting.span,
          found: second ? "this is one too many" : model ? "no block follows" : "which model is trained?",
          signature: "step Critic { loss bce(Critic(real), 1), optimizer adam(2e-4) }",
        }),
      );
      return [];
    }
    const read = readSettings(stepSettings, setting.settings, context, { bindings: false });
    const step = { setting, model: model.value };
    const examples = ["loss bce(Critic(real), 1)"];
    return [partOf(read, { block: "step", span: model.value.span, step, examples }, context)];
  });
}

export function partOf(
  read: ReadSettings,
  {
    block,
    span,
    step,
    examples,
  }: { readonly block: string; readonly span: Span; readonly examples: readonly string[] } & Pick<
    PartSettings,
    "step"
  >,
  context: FlowContext,
): PartSettings {
  const { calls, broken } = read;
  const loss = calls.get("loss")?.[0];
  const optimizer = calls.get("optimizer")?.[0];
  if (!loss && !broken) context.diagnose(report(missingSetting, { block, name: "loss", span, examples }));
  const rule = optimizer && unnamed(optimizer)[0]?.value;
  if (rule === undefined && !broken) context.diagnose(report(noOptimizer, { span: optimizer?.span ?? span }));
  const clip = calls.get("clip")?.[0];
  return {
    step,
    loss: lossOf(loss, context),
    lossSpan: loss?.span ?? span,
    optimizer: rule,
    penalty: penaltyOf(calls.get("penalty")?.[0], context),
    clip: clip && number("clip", clip.arguments[0]?.value, { above: 0 }, clip.span, context),
    stage: undefined,
    freeze: freezeLines(read),
  };
}

export function freezeLines({ calls }: ReadSettings): readonly CallSetting[] {
  const lines = [...(calls.get("freeze") ?? []), ...(calls.get("thaw") ?? [])];
  return lines.sort((a, b) => a.span.start - b.span.start);
}

function lossOf(setting: CallSetting | undefined, context: FlowContext): readonly LossTerm[] {
  if (setting === undefined) return [];
  const terms = setting.arguments.filter(({ value }) => value.kind !== "hole");
  if (setting.arguments.length === 0 || (terms.length > 1 && terms.some((t) => t.name === undefined))) {
    context.diagnose(
      report(settingValue, {
        setting: "loss",
        needs: "one expression, or several with names",
        span: setting.span,
        found: setting.arguments.length === 0 ? "nothing follows" : "these are several",
        signature: "loss fit = mse(out, price), small = mean(out ^ 2) over B",
      }),
    );
    return [];
  }
  return terms.map(({ name, value }) => ({ name: name?.text, expression: value }));
}

function penaltyOf(setting: CallSetting | undefined, context: FlowContext): PartPlan["penalty"] {
  const penalty = { l1: 0, l2: 0 };
  for (const { value, span } of setting?.arguments ?? []) {
    const kind = value.kind === "call" && value.callee.kind === "name" ? value.callee.text : undefined;
    if ((kind === "l1" || kind === "l2") && value.kind === "call")
      penalty[kind] += number(kind, value.arguments[0]?.value, { least: 0 }, span, context) ?? 0;
    else if (value.kind !== "hole")
      context.diagnose(
        report(settingValue, {
          setting: "penalty",
          needs: "`l1(r)` or `l2(r)`",
          span,
          found: `this is \`${textOf(span)}\``,
        }),
      );
  }
  return penalty;
}
