/** The lines of a `train` block that are numbers and words; loss, optimizer and bindings are left as expressions. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { missingSetting } from "./diagnostics/dlm0122-missing-setting.ts";
import { noOptimizer } from "./diagnostics/dlm0703-no-optimizer.ts";
import { readWatch } from "./metrics.ts";
import type { DataPlan, TrainPlan, WatchPlan } from "./plans.ts";
import { trainSettings } from "./setting-tables.ts";
import { named, number, readSettings, switchedOn, unnamed, word } from "./settings.ts";
import type { BindingSetting, CallSetting, FlowContext, NumberRange, ReadSettings } from "./settings.ts";

export interface LossTerm {
  /** undefined: the loss is this one term */
  readonly name: string | undefined;
  readonly expression: Expression;
}

export interface TrainSettings {
  readonly bindings: readonly BindingSetting[];
  /** empty after a diagnostic */
  readonly loss: readonly LossTerm[];
  readonly lossSpan: Span;
  readonly optimizer: Expression | undefined;
  /** the `batch` line */
  readonly batchSetting: CallSetting | undefined;
  /** the `plateau` line */
  readonly plateauSetting: CallSetting | undefined;
  readonly plan: Pick<
    TrainPlan,
    "penalty" | "clip" | "batch" | "last" | "steps" | "seed" | "shuffle" | "stop" | "keep" | "plateau"
  > & { readonly epochs: number | undefined };
}

const defaultEpochs = 10;

export function readTrainSettings(
  declaration: WorkflowDeclaration,
  data: DataPlan | undefined,
  context: FlowContext,
): TrainSettings {
  const { calls, bindings, broken } = readSettings(trainSettings, declaration.settings, context, {
    bindings: true,
  });
  const loss = lossOf(calls.get("loss")?.[0], context);
  const optimizer = calls.get("optimizer")?.[0];
  const later = declaration.settings.settings.some(
    (s) => s.kind === "call" && (s.name.text === "step" || s.name.text === "stage"),
  );
  if (!calls.has("loss") && !broken && !later)
    context.diagnose(
      report(missingSetting, {
        block: "train",
        name: "loss",
        span: declaration.name.span,
        examples: lossesFor(data),
      }),
    );
  if (optimizer === undefined && !broken && !later)
    context.diagnose(report(noOptimizer, { span: declaration.name.span }));
  const rule = optimizer && unnamed(optimizer)[0]?.value;
  if (optimizer && rule === undefined) context.diagnose(report(noOptimizer, { span: optimizer.span }));
  const steps = amount(calls, "steps", context);
  const epochs = amount(calls, "epochs", context);
  const batchSetting = calls.get("batch")?.[0];
  const last = batchSetting && named(batchSetting, "last");
  const seed = calls.get("seed")?.[0];
  const clip = calls.get("clip")?.[0];
  return {
    bindings,
    loss,
    lossSpan: calls.get("loss")?.[0]?.span ?? declaration.name.span,
    optimizer: rule,
    batchSetting,
    plateauSetting: calls.get("plateau")?.[0],
    plan: {
      penalty: penaltyOf(calls.get("penalty")?.[0], context),
      clip: clip && number("clip", clip.arguments[0]?.value, { above: 0 }, clip.span, context),
      batch:
        (batchSetting &&
          number(
            "batch",
            unnamed(batchSetting)[0]?.value,
            { whole: true, least: 1 },
            batchSetting.span,
            context,
          )) ??
        32,
      last: (last && word("last", last.value, ["keep", "drop"], last.span, context)) ?? "keep",
      epochs: epochs ?? (steps === undefined ? defaultEpochs : undefined),
      steps,
      seed:
        (seed &&
          number(
            "seed",
            seed.arguments[0]?.value,
            { whole: true, least: 0, most: 2 ** 31 - 1 },
            seed.span,
            context,
          )) ??
        0,
      shuffle: switchedOn(calls, "shuffle", context),
      stop: stopOf(calls.get("stop")?.[0], data, context),
      keep: keepOf(calls.get("keep")?.[0], data, context),
      plateau: plateauOf(calls.get("plateau")?.[0], data, context),
    },
  };
}

/** Losses that fit the target. */
function lossesFor(data: DataPlan | undefined): readonly string[] {
  const targets = data?.columns.filter(({ role }) => role === "target") ?? [];
  const [target] = targets;
  if (!target || targets.length > 1) return ["loss cross_entropy(out, label)", "loss mse(out, target)"];
  return target.classes
    ? [`loss cross_entropy(out, ${target.name})`]
    : [`loss mse(out, ${target.name})`, `loss huber(out, ${target.name})`];
}

function amount(calls: ReadSettings["calls"], name: string, context: FlowContext): number | undefined {
  const setting = calls.get(name)?.[0];
  return (
    setting && number(name, setting.arguments[0]?.value, { whole: true, least: 0 }, setting.span, context)
  );
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

function penaltyOf(setting: CallSetting | undefined, context: FlowContext): TrainPlan["penalty"] {
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

/** A watched value must be one that is measured: its split needs rows. */
function watchOf(
  setting: string,
  expression: Expression | undefined,
  span: Span,
  data: DataPlan | undefined,
  context: FlowContext,
): WatchPlan | undefined {
  if (expression === undefined) {
    context.diagnose(
      report(settingValue, {
        setting,
        needs: "a measured value such as `valid.loss`",
        span,
        found: "which value is watched?",
      }),
    );
    return undefined;
  }
  const watch = readWatch(expression, setting, context);
  if (watch === undefined || data === undefined) return watch;
  if (watch.split === "train") return watch;
  if (watch.split === "test" || data.split?.parts[watch.split] === undefined) {
    context.diagnose(
      report(settingValue, {
        setting,
        needs:
          watch.split === "test"
            ? "a value that may be looked at while training"
            : `rows in the split \`${watch.split}\``,
        span: expression.span,
        found:
          watch.split === "test"
            ? "the test split is for the end: choosing by it makes its result too good"
            : `data \`${data.name}\` has no \`${watch.split}\` split`,
        helps: [
          {
            text:
              watch.split === "test"
                ? `valid.${watch.metric}`
                : `split train = 80%, ${watch.split} = 10%, ...`,
          },
        ],
      }),
    );
    return undefined;
  }
  return watch;
}

function stopOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  context: FlowContext,
): TrainPlan["stop"] {
  if (setting === undefined) return undefined;
  if (word("stop", unnamed(setting)[0]?.value, ["early"], setting.span, context) === undefined)
    return undefined;
  const watch = watchOf("stop", named(setting, "watch")?.value, setting.span, data, context);
  const patience = named(setting, "patience");
  if (watch === undefined) return undefined;
  return {
    watch,
    patience:
      (patience && number("patience", patience.value, { whole: true, least: 1 }, patience.span, context)) ??
      5,
  };
}

function keepOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  context: FlowContext,
): WatchPlan | undefined {
  if (setting === undefined) return undefined;
  const which = word("keep", unnamed(setting)[0]?.value, ["best", "last"], setting.span, context);
  return which === "best"
    ? watchOf("keep", named(setting, "by")?.value, setting.span, data, context)
    : undefined;
}

function plateauOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  context: FlowContext,
): TrainPlan["plateau"] {
  const watch = setting && watchOf("plateau", named(setting, "watch")?.value, setting.span, data, context);
  if (watch === undefined) return undefined;
  if (setting === undefined || watch === undefined) return undefined;
  const value = (name: string, range: NumberRange, otherwise: number): number | undefined => {
    const given = named(setting, name);
    return given ? number(name, given.value, range, given.span, context) : otherwise;
  };
  const factor = value("factor", { above: 0, most: 1 }, 0.1);
  const patience = value("patience", { whole: true, least: 1 }, 5);
  const least = value("least", { least: 0 }, 0);
  return factor === undefined || patience === undefined || least === undefined
    ? undefined
    : { watch, factor, patience, least };
}
