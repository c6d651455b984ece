/** The metrics of the language: what they are called, what they need, which way is better. Computed in src/evaluate. */
import type { Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import { nearest } from "../names.ts";
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
  metric(
    "accuracy",
    "classes",
    true,
    "nothing",
    "The part of rows, or of their positions, whose class is predicted.",
  ),
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
  metric(
    "perplexity",
    "classes",
    false,
    "nothing",
    "exp of the mean of -log p, p what the model gives the true class: exp(loss) where the loss is `cross_entropy(out, next)`.",
  ),
  metric("mae", "values", false, "nothing", "The mean absolute error."),
  metric("rmse", "values", false, "nothing", "The root of the mean squared error."),
  metric("r2", "values", true, "nothing", "The part of the target's variance that is explained."),
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
  if (definition === undefined) {
    const known = metricTable.map((m) => m.name);
    const [meant] = name === undefined ? [] : nearest(name, known);
    context.diagnose(
      report(settingValue, {
        setting,
        needs: `one of the metrics ${known.join(", ")}`,
        span: called.span,
        found: `this is \`${textOf(called.span)}\``,
        helps:
          meant === undefined
            ? []
            : [{ text: `did you mean \`${meant}\`?`, edits: [{ span: called.span, text: meant }] }],
      }),
    );
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

const splits = ["train", "valid", "test"] as const;

/** Metrics that training can watch: those that take no number. */
const watched = metricTable.filter((m) => m.takes !== "count");

export function isWatchable(metric: string): boolean {
  return watched.some(({ name }) => name === metric);
}

/**
 * `valid.loss`, `valid.accuracy`: a measured value; undefined after a diagnostic. Where steps of these names take turns,
 * each has a loss, `valid.loss.Critic`, and nothing else is measured.
 */
export function readWatch(
  expression: Expression,
  setting: string,
  steps: readonly string[],
  context: FlowContext,
): WatchPlan | undefined {
  if (expression.kind === "hole") return undefined;
  if (steps.length > 0) return readStepWatch(expression, setting, steps, context);
  const member = expression.kind === "member" ? expression : undefined;
  const base = member?.base.kind === "name" ? member.base.text : undefined;
  const split = splits.find((s) => s === base);
  const definition = member && watched.find((m) => m.name === member.name.text);
  if (split === undefined || !definition || (split === "train" && definition.name !== "loss")) {
    const meant = watchMeant(expression);
    const text = textOf(expression.span);
    context.diagnose(
      report(settingValue, {
        setting,
        needs: "a measured value such as `valid.loss`",
        span: expression.span,
        found:
          split === "train" && definition
            ? `of \`train\` only the loss is measured`
            : `this is \`${text}\`${meant === undefined ? "" : ", which is not measured"}`,
        helps:
          meant === undefined
            ? []
            : [{ text: `did you mean \`${meant}\`?`, edits: [{ span: expression.span, text: meant }] }],
      }),
    );
    return undefined;
  }
  return {
    split,
    metric: definition.name,
    larger: definition.larger,
    text: textOf(expression.span),
    span: expression.span,
  };
}

/** `valid.loss.Critic` */
function readStepWatch(
  expression: Expression,
  setting: string,
  steps: readonly string[],
  context: FlowContext,
): WatchPlan | undefined {
  const text = textOf(expression.span);
  const [, split, step] = /^(train|valid|test)\.loss\.(\w+)$/.exec(text.replace(/\s+/g, "")) ?? [];
  const found = splits.find((s) => s === split);
  if (found !== undefined && step !== undefined && steps.includes(step))
    return { split: found, metric: `loss.${step}`, larger: false, text, span: expression.span };
  const known = steps.map((name) => `valid.loss.${name}`);
  context.diagnose(
    report(settingValue, {
      setting,
      needs: `the loss of one of the steps, ${known.map((each) => `\`${each}\``).join(" or ")}`,
      span: expression.span,
      found: `this is \`${text}\``,
      helps: known.map((each) => ({ text: each, edits: [{ span: expression.span, text: each }] })),
    }),
  );
  return undefined;
}

/** The measured value that was probably meant by `val.loss`, `valid.acuracy`, `val_loss` or `accuracy`. */
function watchMeant(expression: Expression): string | undefined {
  const parts = textOf(expression.span).split(/[._]/);
  const known = watched.map((m) => m.name);
  const last = parts.slice(-1)[0]!;
  const metric = known.find((name) => name === last) ?? nearest(last, known)[0];
  return metric && `valid.${metric}`;
}
