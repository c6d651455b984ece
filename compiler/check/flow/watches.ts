/** Lines that look at a measured value: `stop`, `keep`, `plateau`. */
import type { Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { readWatch } from "./metrics.ts";
import type { DataPlan, TrainPlan, WatchPlan } from "./plans.ts";
import { named, namedNumber, unnamed, word } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";

/** A watched value must be one that is measured: its split needs rows. */
function watchOf(
  setting: string,
  expression: Expression | undefined,
  span: Span,
  data: DataPlan | undefined,
  steps: readonly string[],
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
  const watch = readWatch(expression, setting, steps, context);
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

export function stopOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  steps: readonly string[],
  context: FlowContext,
): TrainPlan["stop"] {
  if (setting === undefined) return undefined;
  if (word("stop", unnamed(setting)[0]?.value, ["early"], setting.span, context) === undefined)
    return undefined;
  const watch = watchOf("stop", named(setting, "watch")?.value, setting.span, data, steps, context);
  if (watch === undefined) return undefined;
  return {
    watch,
    patience: namedNumber(setting, "patience", { whole: true, least: 1 }, 5, context),
  };
}

export function keepOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  steps: readonly string[],
  context: FlowContext,
): WatchPlan | undefined {
  if (setting === undefined) return undefined;
  const which = word("keep", unnamed(setting)[0]?.value, ["best", "last"], setting.span, context);
  return which === "best"
    ? watchOf("keep", named(setting, "by")?.value, setting.span, data, steps, context)
    : undefined;
}

export function plateauOf(
  setting: CallSetting | undefined,
  data: DataPlan | undefined,
  steps: readonly string[],
  context: FlowContext,
): TrainPlan["plateau"] {
  if (setting === undefined) return undefined;
  const watch = watchOf("plateau", named(setting, "watch")?.value, setting.span, data, steps, context);
  if (watch === undefined) return undefined;
  return {
    watch,
    factor: namedNumber(setting, "factor", { above: 0, most: 1 }, 0.1, context),
    patience: namedNumber(setting, "patience", { whole: true, least: 1 }, 5, context),
    least: namedNumber(setting, "least", { least: 0 }, 0, context),
  };
}
