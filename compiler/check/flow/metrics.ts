/** The metrics of the language: what they are called, what they need, which way is better. Computed in src/evaluate. */
import type { Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { MetricPlan, WatchPlan } from "./plans.ts";
import { number } from "./settings.ts";
import type { FlowContext } from "./settings.ts";

export interface MetricDefinition {
  readonly name: string;
  /** what `out` and the target must be */
  readonly needs: "classes" | "values" | "anything";
  readonly larger: boolean;
  /** the words or number that it takes */
  readonly takes: "nothing" | "average" | "one_vs_rest" | "count";
  readonly doc: string;
  readonly later?: true;
}

const metric = (
  name: string,
  needs: MetricDefinition["needs"],
  larger: boolean,
  takes: MetricDefinition["takes"],
  doc: string,
): MetricDefinition => ({ name, needs, larger, takes, doc });

export const metricTable: readonly MetricDefinition[] = [
  metric("loss", "anything", false, "nothing", "The loss of the `train` block, without penalties."),
  metric("accuracy", "classes", true, "nothing", "The part of rows whose class is predicted."),
  metric("top", "classes", true, "count", "The part of rows whose class is among the k most likely ones."),
  metric(
    "precision",
    "classes",
    true,
    "average",
    "Of the rows predicted as a class, the part that belongs to it.",
  ),
  metric("recall", "classes", true, "average", "Of the rows of a class, the part that is predicted so."),
  metric("f1", "classes", true, "average", "The harmonic mean of precision and recall."),
  metric(
    "roc_auc",
    "classes",
    true,
    "one_vs_rest",
    "The chance that a row of a class scores above a row of another.",
  ),
  metric("mae", "values", false, "nothing", "The mean absolute error."),
  metric("rmse", "values", false, "nothing", "The root of the mean squared error."),
  metric("r2", "values", true, "nothing", "The part of the target's variance that is explained."),
  { ...metric("perplexity", "classes", false, "nothing", "exp(loss) of a language model."), later: true },
];

const averages = ["macro", "micro", "weighted"] as const;

/** `accuracy`, `f1(macro)`, `top(5)`; undefined after a diagnostic. */
export function readMetric(
  expression: Expression,
  setting: string,
  context: FlowContext,
): MetricPlan | undefined {
  const wrong = (span: Expression["span"], needs: string, found: string): undefined => {
    context.diagnose(report(settingValue, { setting, needs, span, found }));
    return undefined;
  };
  if (expression.kind === "hole") return undefined;
  const called = expression.kind === "call" ? expression.callee : expression;
  const name = called.kind === "name" ? called.text : undefined;
  const definition = metricTable.find((m) => m.name === name);
  if (definition === undefined)
    return wrong(
      expression.span,
      `one of the metrics ${metricTable
        .filter((m) => !m.later)
        .map((m) => m.name)
        .join(", ")}`,
      `this is \`${textOf(expression.span)}\``,
    );
  if (definition.later) {
    context.diagnose(report(notBuilt, { what: `the metric \`${definition.name}\``, span: expression.span }));
    return undefined;
  }
  const given = expression.kind === "call" ? expression.arguments : [];
  const [first, second] = given;
  const text = first?.value.kind === "name" ? first.value.text : undefined;
  const base = {
    text: textOf(expression.span).replace(/\s+/g, " "),
    name: definition.name,
    span: expression.span,
  };
  if (second) return wrong(second.span, `one argument for \`${definition.name}\``, "this is one too many");
  switch (definition.takes) {
    case "nothing":
      return first
        ? wrong(first.span, `\`${definition.name}\` without arguments`, "it takes none")
        : { ...base, average: undefined, k: undefined };
    case "average": {
      const average = averages.find((a) => a === (first ? text : "macro"));
      return average === undefined
        ? wrong(
            first!.span,
            `\`${definition.name}\` with macro, micro or weighted`,
            `this is \`${textOf(first!.span)}\``,
          )
        : { ...base, average, k: undefined };
    }
    case "one_vs_rest":
      return first && text !== "one_vs_rest"
        ? wrong(first.span, "`roc_auc(one_vs_rest)`", `this is \`${textOf(first.span)}\``)
        : { ...base, average: "macro", k: undefined };
    case "count": {
      const k = number(setting, first?.value, { whole: true, least: 1 }, expression.span, context);
      return k === undefined ? undefined : { ...base, average: undefined, k };
    }
  }
}

export function definitionOf(plan: Pick<MetricPlan, "name">): MetricDefinition {
  return metricTable.find((m) => m.name === plan.name)!;
}

/** `valid.loss`, `valid.accuracy`: a measured value; undefined after a diagnostic. */
export function readWatch(
  expression: Expression,
  setting: string,
  context: FlowContext,
): WatchPlan | undefined {
  const splits = ["train", "valid", "test"] as const;
  const wrong = (): undefined => {
    if (expression.kind !== "hole")
      context.diagnose(
        report(settingValue, {
          setting,
          needs: "a measured value such as `valid.loss`",
          span: expression.span,
          found: `this is \`${textOf(expression.span)}\``,
        }),
      );
    return undefined;
  };
  if (expression.kind !== "member" || expression.base.kind !== "name") return wrong();
  const { base, name } = expression;
  const split = splits.find((s) => s === base.text);
  const definition = metricTable.find((m) => m.name === name.text && m.takes !== "count");
  if (split === undefined || definition === undefined || definition.later) return wrong();
  if (split === "train" && definition.name !== "loss") return wrong();
  return {
    split,
    metric: definition.name,
    larger: definition.larger,
    text: textOf(expression.span),
    span: expression.span,
  };
}
