/** The lines of a `data` block that reads text: tokens, windows, and the columns they make. */
import type { DataDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { missingSetting } from "./diagnostics/dlm0122-missing-setting.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { DataFacts } from "./facts.ts";
import type { ColumnPlan, TextPlan, TokenizerPlan } from "./plans.ts";
import { named, number, unnamed, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";

/** The column of the windows, and that of the tokens one place further on. */
const textColumn = "text";
const nextColumn = "next";

const tokenizers = "`chars`, or `bpe(4096)` with the number of tokens";

/** Undefined where a line is missing or makes no sense, after a diagnostic. */
export function textOfBlock(
  declaration: DataDeclaration,
  calls: ReadSettings["calls"],
  facts: DataFacts | undefined,
  context: FlowContext,
): { readonly plan: TextPlan; readonly columns: readonly ColumnPlan[] } | undefined {
  refuseRowSettings(calls, context);
  const tokenize = calls.get("tokenize")?.[0];
  const window = calls.get("window")?.[0];
  for (const [found, name, example] of [
    [tokenize, "tokenize", "tokenize chars as Chars"],
    [window, "window", "window 128, target = next"],
  ] as const)
    if (!found)
      context.diagnose(
        report(missingSetting, { block: "data", name, span: declaration.name.span, examples: [example] }),
      );
  const tokenizer = tokenize && tokenizerOf(tokenize, context);
  const length = window && windowOf(window, context);
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

function tokenizerOf(setting: CallSetting, context: FlowContext): TokenizerPlan | undefined {
  const [argument, further] = unnamed(setting);
  const wrong = (span: Span, needs: string, found: string): undefined => {
    const signature = "tokenize chars as Chars";
    context.diagnose(report(settingValue, { setting: "tokenize", needs, span, found, signature }));
    return undefined;
  };
  if (further) return wrong(further.span, "one way to make tokens", "this is a second one");
  if (!argument) return wrong(setting.span, tokenizers, "how are tokens made?");
  const { value } = argument;
  if (value.kind === "hole") return undefined;
  if (wordOf(value) === "chars") return { kind: "chars" };
  if (value.kind === "call" && value.callee.kind === "name") {
    const { callee, arguments: given } = value;
    if (callee.text === "words") {
      context.diagnose(report(notBuilt, { what: "`words` in `tokenize`", span: value.span }));
      return undefined;
    }
    if (callee.text === "bpe" && given.length === 1 && given[0]!.name === undefined) {
      const size = number("tokenize", given[0]!.value, { whole: true, least: 2 }, value.span, context);
      return size === undefined ? undefined : { kind: "bpe", size };
    }
  }
  return wrong(value.span, tokenizers, `this is \`${textOf(value.span)}\``);
}

function windowOf(setting: CallSetting, context: FlowContext): number | undefined {
  const [argument] = unnamed(setting);
  if (argument) return number("window", argument.value, { whole: true, least: 1 }, argument.span, context);
  context.diagnose(
    report(settingValue, {
      setting: "window",
      needs: "the number of tokens in a row",
      span: setting.span,
      found: "how many are in a row?",
      signature: "window 128, target = next",
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

function refuse(setting: CallSetting | undefined, needs: string, found: string, context: FlowContext): void {
  if (setting)
    context.diagnose(
      report(settingValue, { setting: setting.name.text, needs, span: setting.name.span, found }),
    );
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

/** `tokenize` and `window` where the source is no text. */
export function refuseTextSettings(calls: ReadSettings["calls"], context: FlowContext): void {
  for (const name of ["tokenize", "window"])
    refuse(calls.get(name)?.[0], "a source of text", 'only `text("book.txt")` is cut into tokens', context);
}
