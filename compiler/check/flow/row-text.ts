/** `tokenize` and `window` of a block with columns of texts: how a text becomes the tokens of its row. */
import type { DataDeclaration, Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import type { TextRule } from "../../ir/model.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { RowTextPlan } from "./plans.ts";
import { named, unnamed, word } from "./settings.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";
import { rowSignature, textLines, tokenizerOf, windowOf } from "./text.ts";

/** What a loaded model does with a text, as this plan says. */
export function textRule({ tokenizer, keep, pad }: RowTextPlan): TextRule {
  return { tokens: tokenizer.kind === "words" ? "words" : "pieces", keep, pad };
}

export interface RowText {
  readonly plan: RowTextPlan;
  /** tokens in a row */
  readonly window: number;
  /** the name of the number of tokens, as `Words`; undefined where the block gives none */
  readonly alias: string | undefined;
}

const windowSignature = "window 200, keep = first, pad = after";

/** One vocabulary and one length for all texts of a row. Undefined where no column is a text, and after a diagnostic. */
export function rowTextOf(
  declaration: DataDeclaration,
  calls: ReadSettings["calls"],
  context: FlowContext,
): RowText | undefined {
  const columns = [...(calls.get("input") ?? []), ...(calls.get("target") ?? [])];
  if (!columns.some(isText)) {
    for (const setting of [calls.get("tokenize")?.[0], calls.get("window")?.[0]])
      if (setting)
        refuse(
          setting.name.span,
          setting.name.text,
          "a column of type `text`, or a source of text",
          "no column is a text",
          context,
        );
    return undefined;
  }
  const { tokenize, window } = textLines(declaration, calls, [rowSignature, "window 200"], context);
  const tokenizer = tokenize && tokenizerOf(tokenize, "rows", context);
  const length = window && windowOf(window, windowSignature, context);
  const target = window && named(window, "target");
  if (target)
    refuse(
      target.span,
      "window",
      "no target in a block with columns",
      "they say themselves what the model learns",
      context,
    );
  const keep = window && side(window, "keep", ["first", "last"], context);
  const pad = window && side(window, "pad", ["after", "before"], context);
  if (!tokenize || !tokenizer || !window || length === undefined || !keep || !pad) return undefined;
  return {
    plan: { tokenizer, keep, pad },
    window: length,
    alias: unnamed(tokenize)[0]?.alias?.text,
  };
}

function refuse(span: Span, setting: string, needs: string, found: string, context: FlowContext): void {
  context.diagnose(report(settingValue, { setting, needs, span, found }));
}

function isText({ type }: CallSetting): boolean {
  return type?.kind === "named-type" && type.path.map(({ text }) => text).join(".") === "text";
}

/** The first of the words is what stands for a missing argument. */
function side<W extends string>(
  window: CallSetting,
  name: string,
  words: readonly [W, W],
  context: FlowContext,
): W | undefined {
  const given: Expression | undefined = named(window, name)?.value;
  return given ? word(name, given, words, given.span, context) : words[0];
}
