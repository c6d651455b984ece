/** `dlmc evaluate`: metrics and requirements of the `evaluate` blocks; exit 1 where a requirement fails. */
import { Command } from "commander";
import { requireFailed } from "../../../compiler/check/flow/diagnostics/dlm0903-require-failed.ts";
import { report, type Diagnostic } from "../../../grammar/diagnostic.ts";
import { render } from "../../../grammar/render.ts";
import {
  evaluateBlock,
  type Evaluated,
  type EvaluationReport,
  type Requirement,
} from "../../evaluate/evaluate-program.ts";
import { evaluatesOf, openWithData } from "../../program.ts";
import { number } from "../../text.ts";
import { printJson, table, terminal, type Terminal } from "../terminal.ts";
import { metricText } from "../training-report.ts";

interface Options {
  readonly model?: string;
  readonly weights?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function evaluateCommand(): Command {
  return new Command("evaluate")
    .argument("<file>", "program")
    .option("--model <name>", "the model whose evaluate block it is")
    .option("--weights <file>", "weights or a checkpoint (.safetensors)")
    .option("--json", "one JSON line a block")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      if (options.json !== true) t.status("evaluating");
      const program = openWithData(file, {
        only: (p) => evaluatesOf(p, options.model).map((plan) => plan.data),
      });
      let failed = 0;
      for (const plan of evaluatesOf(program, options.model)) {
        const result = await evaluateBlock(program, plan, options.weights);
        failed += result.require.filter((r) => !r.ok).length;
        if (options.json === true)
          printJson({
            name: plan.name,
            split: plan.split,
            rows: result.rows,
            metrics: result.metrics,
            require: result.require.map(({ text, value, ok }) => ({ text, value, ok })),
            report: result.report,
          });
        else show(t, result);
      }
      if (failed > 0) process.exitCode = 1;
    });
}

function show(t: Terminal, { plan, rows, metrics, require, report: found }: Evaluated): void {
  t.print(`${t.paint.bold(plan.name)} on ${number(rows)} rows of the ${plan.split} split`);
  t.print();
  for (const line of table(
    Object.entries(metrics).map(([name, value]) => [`  ${name}`, metricText(name, value)]),
    [1],
  ))
    t.print(line);
  if (found.confusion) showConfusion(t, found.confusion);
  if (found.by) showGroups(t, found.by);
  if (require.length > 0) t.print();
  for (const { text, ok } of require)
    t.print(`  ${ok ? t.paint.green("holds") : t.paint.red("fails")}  require ${text}`);
  for (const requirement of require)
    if (!requirement.ok)
      t.say("\n" + render(failure(requirement, found), { color: t.color, width: t.width }));
}

function failure({ plan, value }: Requirement, { confusion }: EvaluationReport): Diagnostic {
  return report(requireFailed, {
    metric: plan.metric.text,
    value,
    operator: plan.operator,
    required: plan.value,
    span: plan.span,
    notes: confusion ? worstClass(confusion) : [],
  });
}

/** Where a classifier loses most. */
function worstClass({ classes, counts }: NonNullable<EvaluationReport["confusion"]>): string[] {
  const recalls = counts.map((line, c) => line[c]! / line.reduce((a, b) => a + b, 0));
  const known = recalls.filter(Number.isFinite);
  if (known.length === 0) return [];
  const worst = Math.min(...known);
  return [`worst class ${classes[recalls.indexOf(worst)]}, recall ${(100 * worst).toFixed(1)} %`];
}

function showConfusion(t: Terminal, { classes, counts }: NonNullable<EvaluationReport["confusion"]>): void {
  t.print();
  t.print("  rows by class (down) and prediction (across)");
  t.print();
  const longest = Math.max(...counts.flat().map((n) => String(n).length));
  const width = Math.max(longest, Math.min(9, Math.floor((t.width - 14) / classes.length) - 1));
  const name = (text: string, size: number): string =>
    text.length > size ? text.slice(0, size - 1) + "…" : text;
  const first = Math.min(12, Math.max(...classes.map((c) => c.length)));
  t.print(`  ${" ".repeat(first)} ${classes.map((c) => name(c, width).padStart(width)).join(" ")}   recall`);
  counts.forEach((line, truth) => {
    const sum = line.reduce((a, b) => a + b, 0);
    const cells = line.map((n, c) => {
      const text = (n === 0 ? "·" : String(n)).padStart(width);
      return c === truth
        ? t.paint.green(text)
        : n === 0
          ? t.paint.dim(text)
          : n > sum / 20
            ? t.paint.red(text)
            : text;
    });
    const recall = sum === 0 ? "" : `${((100 * line[truth]!) / sum).toFixed(1)} %`;
    t.print(`  ${name(classes[truth]!, first).padEnd(first)} ${cells.join(" ")}  ${recall.padStart(7)}`);
  });
}

function showGroups(t: Terminal, { column, groups }: NonNullable<EvaluationReport["by"]>): void {
  t.print();
  const names = Object.keys(groups[0]?.values ?? {});
  const rows = groups.map((g) => [
    `  ${g.name}`,
    number(g.rows),
    ...names.map((n) => metricText(n, g.values[n]!)),
  ]);
  for (const line of table(
    [[`  by ${column}`, "rows", ...names], ...rows],
    [1, ...names.map((_, i) => i + 2)],
  ))
    t.print(line);
}
