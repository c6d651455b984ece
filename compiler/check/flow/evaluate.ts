/** An `evaluate` block becomes its plan: metrics that fit the model, reports, and what is required. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import * as dim from "../../ir/dim.ts";
import { isFloat } from "../type.ts";
import type { CheckValue, DataColumn } from "../values.ts";
import { columnMissing } from "./data.ts";
import { metricUnfit } from "./diagnostics/dlm0902-metric-unfit.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { definitionOf, isWatchable, metricTable, readMetric } from "./metrics.ts";
import type { DataPlan, EvaluatePlan, MetricPlan, ReportPlan, RequirePlan } from "./plans.ts";
import type { DataDeclaration } from "../../../grammar/ast.ts";
import { evaluateSettings } from "./setting-tables.ts";
import { named, number, readSettings, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";

/** What an evaluation is about, as far as the checker found out. */
export interface EvaluateSubject {
  readonly declaration: DataDeclaration | undefined;
  readonly data: DataPlan | undefined;
  readonly task: EvaluatePlan["task"] | undefined;
  /** `[B, Class=10]` */
  readonly out: string;
}

export function readEvaluateSettings(
  declaration: WorkflowDeclaration,
  subject: EvaluateSubject,
  context: FlowContext,
): Pick<EvaluatePlan, "metrics" | "reports" | "requires"> {
  const { calls } = readSettings(evaluateSettings, declaration.settings, context, { bindings: false });
  const metric = (expression: Expression, setting: string): MetricPlan | undefined => {
    const plan = readMetric(expression, setting, context);
    return plan && fits(plan, subject, context) ? plan : undefined;
  };
  const metrics = (calls.get("metrics") ?? []).flatMap((line) =>
    line.arguments.flatMap(({ value }) => metric(value, "metrics") ?? []),
  );
  const reports = (calls.get("report") ?? []).flatMap((line) => reportOf(line, subject, context));
  const requires = (calls.get("require") ?? []).flatMap((line) =>
    line.arguments.flatMap(({ value }) => requireOf(value, metric, context) ?? []),
  );
  return { metrics, reports, requires };
}

/** The metrics that say something about such a model. */
export function metricsFor(task: EvaluatePlan["task"]): readonly string[] {
  const needs = task === "classification" ? "classes" : "values";
  return metricTable
    .filter((m) => m.needs === "anything" || (task !== "other" && m.needs === needs))
    .map((m) => m.name);
}

/** Whether a metric says something of such an output; a diagnostic where it does not. `prefix`: what stands before its name. */
export function fits(
  plan: Pick<MetricPlan, "name" | "span">,
  { task, out }: Pick<EvaluateSubject, "task" | "out">,
  context: Pick<FlowContext, "diagnose">,
  prefix = "",
): boolean {
  if (task === undefined) return true;
  const { needs } = definitionOf(plan);
  if (needs === "anything" || (needs === "classes" ? task === "classification" : task === "regression"))
    return true;
  const all = metricsFor(task).filter((name) => prefix === "" || isWatchable(name));
  const fitting = all.map((name) => `${prefix}${name}`);
  context.diagnose(
    report(metricUnfit, { metric: `${prefix}${plan.name}`, span: plan.span, needs, out, fitting }),
  );
  return false;
}

/**
 * Classification: scores of each class, or one score of two classes, against a category. Regression: numbers of the
 * target's own shape.
 */
export function taskOf(out: CheckValue, target: DataColumn | undefined): EvaluatePlan["task"] {
  if (out.kind !== "tensor" || !target || !isFloat(out.type)) return "other";
  const rank = out.type.axes.length - 1;
  const own = target.type.axes.length;
  if (target.type.element === "int") {
    const classes = target.type.bound?.dim;
    const last = out.type.axes.at(-1)!.size.dim;
    const fits = classes && (dim.constantOf(classes) === undefined || dim.equal(classes, last));
    if (rank === own + 1 && fits) return "classification";
    return rank === own ? "classification" : "other";
  }
  return rank === own ? "regression" : "other";
}

function reportOf(
  line: CallSetting,
  { data, declaration }: EvaluateSubject,
  context: FlowContext,
): ReportPlan[] {
  const by = named(line, "by");
  if (by) {
    const column = wordOf(by.value);
    if (column === undefined) {
      if (by.value.kind !== "hole")
        context.diagnose(
          report(settingValue, {
            setting: "report",
            needs: "the name of a column",
            span: by.value.span,
            found: `this is \`${textOf(by.value.span)}\``,
          }),
        );
      return [];
    }
    if (data && declaration && !data.columns.some((c) => c.name === column)) {
      context.diagnose(columnMissing(column, by.value.span, data.columns, declaration));
      return [];
    }
    return [{ kind: "by", column, span: by.value.span }];
  }
  return line.arguments.flatMap(({ value }): ReportPlan[] => {
    if (wordOf(value) === "confusion") return [{ kind: "confusion" }];
    if (value.kind !== "hole")
      context.diagnose(
        report(settingValue, {
          setting: "report",
          needs: "`confusion` or `by = column`",
          span: value.span,
          found: `this is \`${textOf(value.span)}\``,
        }),
      );
    return [];
  });
}

const comparisons = ["<", "<=", "==", "!=", ">", ">="] as const;

function requireOf(
  value: Expression,
  metric: (expression: Expression, setting: string) => MetricPlan | undefined,
  context: FlowContext,
): RequirePlan | undefined {
  if (value.kind === "hole") return undefined;
  const operator = value.kind === "binary" ? comparisons.find((c) => c === value.operator) : undefined;
  if (value.kind !== "binary" || operator === undefined) {
    context.diagnose(
      report(settingValue, {
        setting: "require",
        needs: "a comparison such as `accuracy >= 91%`",
        span: value.span,
        found: `this is \`${textOf(value.span)}\``,
      }),
    );
    return undefined;
  }
  const plan = metric(value.left, "require");
  const bound = number("require", value.right, {}, value.right.span, context);
  return plan === undefined || bound === undefined
    ? undefined
    : {
        text: textOf(value.span).replace(/\s+/g, " "),
        span: value.span,
        metric: plan,
        operator,
        value: bound,
      };
}
