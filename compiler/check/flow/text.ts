/** The lines of a `data` block that reads text: tokens, windows, and the columns they make. */
import type { DataDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { missingSetting } from "./diagnostics/dlm0122-missing-setting.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { DataFacts } from "./facts.ts";
import type { ColumnPlan, RowTextPlan, TextPlan } from "./plans.ts";
import { named, number, unnamed, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";

/** The column of the windows, and that of the tokens one place further on. */
const textColumn = "text";
const nextColumn = "next";

const tokenizers = "`chars`, or `bpe(4096)` with the number of tokens";
const rowTokenizers = "`words(20_000)` or `bpe(4096)` with the number of tokens, or `chars`";
const signature = "tokenize chars as Chars";
export const rowSignature = "tokenize words(20_000) as Words";

/** The two lines that make tokens of texts; where one is missing, a diagnostic shows its example. */
export function textLines(
  declaration: DataDeclaration,
  calls: ReadSettings["calls"],
  examples: readonly [tokenize: string, window: string],
  context: FlowContext,
): { readonly tokenize: CallSetting | undefined; readonly window: CallSetting | undefined } {
  const lines = { tokenize: calls.get("tokenize")?.[0], window: calls.get("window")?.[0] };
  (["tokenize", "window"] as const).forEach((name, i) => {
    if (!lines[name])
      context.diagnose(
        report(missingSetting, {
          block: "data",
          name,
          span: declaration.name.span,
          examples: [examples[i]!],
        }),
      );
  });
  return lines;
}

/** Undefined where a line is missing or makes no sense, after a diagnostic. */
export function textOfBlock(
  declaration: DataDeclaration,
  calls: ReadSettings["calls"],
  facts: DataFacts | undefined,
  context: FlowContext,
): { readonly plan: TextPlan; readonly columns: readonly ColumnPlan[] } | undefined {
  refuseRowSettings(calls, context);
  const { tokenize, window } = textLines(declaration, calls, [signature, windowSignature], context);
  for (const name of ["keep", "pad"]) {
    const argument = window && named(window, name);
    if (argument)
      refuse(
        window,
        "a column of texts for that",
        "windows of one long text are full",
        context,
        argument.span,
      );
  }
  const tokenizer = tokenize && tokenizerOf(tokenize, "text", context);
  const length = window && windowOf(window, windowSignature, context);
  if (!tokenize || !window || !tokenizer || length === undefined) return undefined;
  const target = targetOf(window, context);
  const alias = unnamed(tokenize)[0]?.alias;
  const names = facts?.columns?.get(textColumn)?.categories;
  const column = (name: string, role: ColumnPlan["role"], span: Span): ColumnPlan => ({
    name,
    span,
    role,
    kind: "array",
    dtype: "i32",
    shape: [length],
    labels: ["T"],
    classes: {
      names,
      size: names?.length,
      dim: `${declaration.name.text}.${alias?.text ?? textColumn}`,
      given: false,
    },
  });
  return {
    plan: { tokenizer, window: length, target: target && nextColumn },
    columns: [
      column(textColumn, "input", alias?.span ?? tokenize.name.span),
      ...(target ? [column(nextColumn, "target", target)] : []),
    ],
  };
}

/** How tokens are made of one long text, or of the texts of rows. Undefined after a diagnostic. */
export function tokenizerOf(
  setting: CallSetting,
  of: "text",
  context: FlowContext,
): TextPlan["tokenizer"] | undefined;
export function tokenizerOf(
  setting: CallSetting,
  of: "rows",
  context: FlowContext,
): RowTextPlan["tokenizer"] | undefined;
export function tokenizerOf(
  setting: CallSetting,
  of: "text" | "rows",
  context: FlowContext,
): RowTextPlan["tokenizer"] | undefined {
  const [argument, further] = unnamed(setting);
  const known = of === "text" ? tokenizers : rowTokenizers;
  const wrong = (span: Span, needs: string, found: string): undefined => {
    const written = of === "text" ? signature : rowSignature;
    context.diagnose(report(settingValue, { setting: "tokenize", needs, span, found, signature: written }));
    return undefined;
  };
  if (further) return wrong(further.span, "one way to make tokens", "this is a second one");
  if (!argument) return wrong(setting.span, known, "how are tokens made?");
  const { value } = argument;
  if (value.kind === "hole") return undefined;
  if (wordOf(value) === "chars") return { kind: "chars" };
  if (value.kind === "call" && value.callee.kind === "name") {
    const { callee, arguments: given } = value;
    const kind = callee.text;
    if (kind === "words" && of === "text")
      return wrong(value.span, known, "words do not give a text back, with its signs and spaces");
    if ((kind === "bpe" || kind === "words") && given.length === 1 && given[0]!.name === undefined) {
      // two tokens of rows are none of the text: what fills up, and what is not known
      const least = of === "rows" ? 3 : 2;
      const size = number("tokenize", given[0]!.value, { whole: true, least }, value.span, context);
      return size === undefined ? undefined : { kind, size };
    }
  }
  return wrong(value.span, known, `this is \`${textOf(value.span)}\``);
}

const windowSignature = "window 128, target = next";

/** The number of tokens in a row. Undefined after a diagnostic. */
export function windowOf(setting: CallSetting, written: string, context: FlowContext): number | undefined {
  const [argument] = unnamed(setting);
  if (argument) return number("window", argument.value, { whole: true, least: 1 }, argument.span, context);
  context.diagnose(
    report(settingValue, {
      setting: "window",
      needs: "the number of tokens in a row",
      span: setting.span,
      found: "how many are in a row?",
      signature: written,
    }),
  );
  return undefined;
}

/** The place of `target = next`; undefined where there is none. */
function targetOf(setting: CallSetting, context: FlowContext): Span | undefined {
  const target = named(setting, "target");
  if (!target) return undefined;
  if (wordOf(target.value) === nextColumn) return target.value.span;
  context.diagnose(
    report(settingValue, {
      setting: "window",
      needs: "`target = next`, the token that follows each",
      span: target.value.span,
      found: `this is \`${textOf(target.value.span)}\``,
    }),
  );
  return undefined;
}

// ---------------------------------------------------------------- what does not go together

function refuse(
  setting: CallSetting | undefined,
  needs: string,
  found: string,
  context: FlowContext,
  span = setting?.name.span,
): void {
  if (setting && span)
    context.diagnose(report(settingValue, { setting: setting.name.text, needs, span, found }));
}

/** A text has no rows but its windows, and they are split in their order. */
function refuseRowSettings(calls: ReadSettings["calls"], context: FlowContext): void {
  for (const name of ["input", "target", "drop", "fill", "shuffle", "augment"])
    refuse(
      calls.get(name)?.[0],
      "a source with columns",
      "a text has none: `tokenize` and `window` make them",
      context,
    );
  const split = calls.get("split")?.[0];
  for (const argument of split?.arguments ?? []) {
    const isCount = argument.value.kind === "number" && argument.value.integer;
    if (argument.name?.text === "seed" || isCount || wordOf(argument.value) === "given")
      context.diagnose(
        report(settingValue, {
          setting: "split",
          needs: "parts of the text",
          span: argument.span,
          found: "they are taken in the order of the text",
          signature: "split train = 90%, valid = 10%",
        }),
      );
  }
}
