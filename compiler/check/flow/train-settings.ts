/** The lines of a `train` block that are numbers and words; bindings are left as expressions, parts are read in train-parts.ts. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { refuseLoop } from "./app-rows.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { lineText } from "./block.ts";
import type { DataPlan, TrainPlan } from "./plans.ts";
import { precisionOf } from "./precision.ts";
import { trainSettings } from "./setting-tables.ts";
import { named, number, readSettings, switchedOn, unnamed, word } from "./settings.ts";
import { readPart, readSteps } from "./train-parts.ts";
import { readStages } from "./train-stages.ts";
import { keepOf, plateauOf, stopOf } from "./watches.ts";
import type { PartSettings } from "./train-parts.ts";
import type { BindingSetting, CallSetting, FlowContext, ReadSettings } from "./settings.ts";

/** A block with one loss and one optimizer, with steps that take turns, or with stages that follow each other. */
export interface TrainSettings {
  readonly bindings: readonly BindingSetting[];
  /** one, without a model of its own, or one for each `step` or `stage`; empty after a diagnostic */
  readonly parts: readonly PartSettings[];
  /** the value of the `sample` line */
  readonly sample: Expression | undefined;
  /** the `batch` line */
  readonly batchSetting: CallSetting | undefined;
  /** the `plateau` line */
  readonly plateauSetting: CallSetting | undefined;
  /** the `precision` line */
  readonly precisionSetting: CallSetting | undefined;
  readonly plan: Pick<
    TrainPlan,
    | "accumulate"
    | "average"
    | "batch"
    | "sample"
    | "last"
    | "precision"
    | "steps"
    | "seed"
    | "shuffle"
    | "stop"
    | "keep"
    | "plateau"
  > & {
    readonly epochs: number | undefined;
  };
}

const defaultEpochs = 10;

export function readTrainSettings(
  declaration: WorkflowDeclaration,
  data: DataPlan | undefined,
  context: FlowContext,
): TrainSettings {
  const read = readSettings(trainSettings, declaration.settings, context, { bindings: true });
  const { bindings } = read;
  const calls = refuseLoop(data, read.calls, context);
  const steps = calls.get("step") ?? [];
  const parts =
    steps.length > 0
      ? readSteps(steps, calls, context)
      : calls.has("stage")
        ? readStages(read, declaration, data, context)
        : [readPart(read, declaration, data, context)];
  const names = parts.flatMap(({ step }) => (step?.model.kind === "name" ? [step.model.text] : []));
  const most = amount(calls, "steps", context);
  const epochs = amount(calls, "epochs", context);
  const batchSetting = calls.get("batch")?.[0];
  const last = batchSetting && named(batchSetting, "last");
  const seed = calls.get("seed")?.[0];
  return {
    bindings,
    parts,
    sample: calls.get("sample")?.flatMap(unnamed)[0]?.value,
    batchSetting,
    plateauSetting: calls.get("plateau")?.[0],
    precisionSetting: calls.get("precision")?.[0],
    plan: {
      sample: sampleOf(calls.get("sample")?.[0], context),
      precision: precisionOf(calls.get("precision")?.[0], context),
      accumulate: amount(calls, "accumulate", context) ?? 1,
      average: averageOf(calls.get("average")?.[0], context),
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
      epochs: epochs ?? (most === undefined ? defaultEpochs : undefined),
      steps: most,
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
      stop: stopOf(calls.get("stop")?.[0], data, names, context),
      keep: keepOf(calls.get("keep")?.[0], data, names, context),
      plateau: plateauOf(calls.get("plateau")?.[0], data, names, context),
    },
  };
}

function amount(calls: ReadSettings["calls"], name: string, context: FlowContext): number | undefined {
  const setting = calls.get(name)?.[0];
  return (
    setting && number(name, setting.arguments[0]?.value, { whole: true, least: 1 }, setting.span, context)
  );
}

function sampleOf(setting: CallSetting | undefined, context: FlowContext): TrainPlan["sample"] {
  if (setting === undefined) return undefined;
  const [value] = unnamed(setting);
  if (value === undefined) {
    context.diagnose(
      report(settingValue, {
        setting: "sample",
        needs: "a value to write",
        span: setting.span,
        found: "nothing follows",
        signature: "sample Generator(normal[16, Z]), every = 1 * epoch",
      }),
    );
    return undefined;
  }
  const every = named(setting, "every");
  const epochs = every ? epochsIn(every.value, every.span, context) : 1;
  return epochs === undefined ? undefined : { text: lineText(value.value), every: epochs };
}

/** `epoch`, `5 * epoch` */
function epochsIn(expression: Expression, span: Span, context: FlowContext): number | undefined {
  const isEpoch = (side: Expression): boolean => side.kind === "name" && side.text === "epoch";
  if (isEpoch(expression)) return 1;
  if (expression.kind === "binary" && expression.operator === "*" && isEpoch(expression.right))
    return number("every", expression.left, { whole: true, least: 1 }, span, context);
  if (expression.kind !== "hole")
    context.diagnose(
      report(settingValue, {
        setting: "sample",
        needs: "epochs, such as `every = 5 * epoch`",
        span: expression.span,
        found: `this is \`${textOf(expression.span)}\``,
      }),
    );
  return undefined;
}

/** `ema(0.999)` */
function averageOf(setting: CallSetting | undefined, context: FlowContext): number | undefined {
  if (setting === undefined) return undefined;
  const [first] = setting.arguments;
  const { value } = first ?? {};
  if (value?.kind === "call" && value.callee.kind === "name" && value.callee.text === "ema")
    return number("average", value.arguments[0]?.value, { above: 0, below: 1 }, value.span, context);
  if (value?.kind !== "hole")
    context.diagnose(
      report(settingValue, {
        setting: "average",
        needs: "`ema(decay)`",
        span: value?.span ?? setting.span,
        found: value ? `this is \`${textOf(value.span)}\`` : "nothing follows",
        signature: "average ema(0.999)",
      }),
    );
  return undefined;
}
