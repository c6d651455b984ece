// Slips that many people make in the same way, each told with the line as it is meant.
import type { IToken } from "chevrotain";
import type { Help } from "./diagnostic.ts";
import type { UnexpectedText } from "./errors/unexpected-text.ts";
import type { Source, Span } from "./source.ts";
import * as t from "./tokens.ts";

type Slip = Pick<UnexpectedText, "span" | "expected" | "found" | "helps">;

/** What to say of the token where the parser stopped; undefined where it is no slip known here. */
export function knownSlip(
  source: Source,
  tokens: readonly IToken[],
  actual: IToken,
  before: IToken | undefined,
  expected: string,
  stack: readonly string[],
): Slip | undefined {
  const at = tokens.indexOf(actual);
  const rule = stack.at(-1);
  const found = actual.image;
  const span = between(source, actual, actual);
  const sign = stack.includes("settings") ? colonOf(tokens, at, before) : undefined;
  if (sign) return colon(source, tokens, sign);
  if (before?.tokenType === t.Repeat && actual.tokenType === t.OpenCurly)
    return {
      span,
      expected: "how often to repeat",
      found,
      helps: [{ text: "`repeat 3 { … }`, for instance" }],
    };
  if (tokens[0]?.tokenType === t.Op && actual.tokenType === t.Assign && before?.tokenType === t.CloseSquare)
    return {
      span,
      expected: "`+=`",
      found,
      helps: [{ text: "an `op` adds up: `+=`", edits: [{ span, text: "+=" }] }],
    };
  if (actual.tokenType === t.On && before?.image === "shuffle" && stack.includes("settings")) {
    const line = between(source, before, actual);
    const start = /\n[ \t]*$/.exec(source.text.slice(0, line.start))?.index;
    const edits = start === undefined ? [] : [{ span: { ...line, start }, text: "" }];
    const text = "rows are shuffled unless a line says `shuffle off`: remove this one";
    return { span, expected: undefined, found, helps: [{ text, ...(edits.length > 0 ? { edits } : {}) }] };
  }
  if (rule === "for" && expected === t.In.name && actual.tokenType === t.Assign)
    return { span, expected: "`in`", found, helps: [{ text: "`in`", edits: [{ span, text: "in" }] }] };
  if (rule === "for" && expected === "Identifier")
    return {
      span,
      expected: "a name for the value of each turn",
      found,
      helps: [{ text: "`for n in [16, 32] { … }`, for instance" }],
    };
  if (rule === "body" && actual.tokenType === t.Comma && stack.at(-2) === "for") {
    const start = tokens.slice(0, at).findLast(({ tokenType }) => tokenType === t.In);
    const first = start && tokens[tokens.indexOf(start) + 1];
    const open = tokens.findIndex(({ tokenType }, i) => i > at && tokenType === t.OpenCurly);
    const last = open > 0 ? tokens[open - 1] : undefined;
    const list = first && last ? between(source, first, last) : undefined;
    return { span, expected: "`{`", found, helps: list ? [bracketed(list)] : [] };
  }
  return undefined;
}

/** `16, 24` is a list in brackets. */
function bracketed(list: Span): Help {
  const text = `[${list.source.text.slice(list.start, list.end)}]`;
  return { text: `values are listed in brackets: \`${text}\``, edits: [{ span: list, text }] };
}

/**
 * The colon of a setting that may not have one: behind its name, or where the parser expected a type and found none.
 * Undefined in `input` and `target`, which have a type there.
 */
function colonOf(tokens: readonly IToken[], at: number, before: IToken | undefined): IToken | undefined {
  const line = tokens.slice(0, at).findLastIndex(({ tokenType }) => lineStarts.has(tokenType.name)) + 1;
  const [word, second] = [tokens[line], tokens[line + 1]];
  if (!word || word.image === "input" || word.image === "target") return undefined;
  if (second?.tokenType === t.Colon) return second;
  return before?.tokenType === t.Colon ? before : undefined;
}

/** `batch: 32` where `batch 32` is meant; behind an argument, `watch: valid.loss`, `=` is. */
function colon(source: Source, tokens: readonly IToken[], sign: IToken): Slip | undefined {
  const at = tokens.indexOf(sign);
  const [name, value] = [tokens[at - 1], tokens[at + 1]];
  if (!name || !value) return undefined;
  const first = lineStarts.has(tokens[at - 2]?.tokenType.name ?? "");
  const by = first ? " " : " = ";
  const gap: Span = { source, start: (name.endOffset ?? 0) + 1, end: value.startOffset };
  const rest = /^[^\n]*?(?=\s*(\/\/|\n|$))/.exec(source.text.slice(value.startOffset))?.[0] ?? value.image;
  const help = first ? "a setting has no colon" : "an argument is named by `=`";
  return {
    span: between(source, sign, sign),
    expected: undefined,
    found: sign.image,
    helps: [{ text: `${help}: \`${name.image}${by}${rest}\``, edits: [{ span: gap, text: by }] }],
  };
}

const lineStarts: ReadonlySet<string> = new Set([t.Newline.name, t.OpenCurly.name]);

function between(source: Source, first: IToken, last: IToken): Span {
  return { source, start: first.startOffset, end: (last.endOffset ?? last.startOffset) + 1 };
}
