// From what the parser expected and found to a diagnostic in words: keyed by rule stack and expected token.
import type { IRecognitionException, IToken } from "chevrotain";
import { EOF } from "chevrotain";
import { report } from "./diagnostic.ts";
import type { Diagnostic, Help } from "./diagnostic.ts";
import { missingOperator } from "./errors/missing-operator.ts";
import { missingStage } from "./errors/missing-stage.ts";
import { unexpectedText } from "./errors/unexpected-text.ts";
import { knownSlip } from "./slips.ts";
import type { Source, Span } from "./source.ts";
import * as t from "./tokens.ts";

const reserved: ReadonlySet<string> = new Set(t.reservedWords.map((type) => type.name));
const names: ReadonlySet<string> = new Set([t.Name, t.Dlm, ...t.declarationWords].map((type) => type.name));

/** Tokens an expression may begin with and never go on with. */
const begins: ReadonlySet<string> = new Set([
  ...names,
  ...[t.Number, t.Percent, t.Quantity, t.String, t.OpenString, t.True, t.False].map((type) => type.name),
  ...[t.If, t.Repeat, t.For, t.Recompute, t.Residual, t.Branch, t.Scan].map((type) => type.name),
]);
const ends: ReadonlySet<string> = new Set([
  ...names,
  ...[t.Number, t.Percent, t.Quantity, t.String, t.True, t.False].map((type) => type.name),
  ...[t.CloseRound, t.CloseSquare, t.CloseCurly].map((type) => type.name),
]);

/** What a rule begins with, where none of its alternatives fits. */
const ruleWords: { readonly [rule: string]: string } = {
  use: "a file in quotes or a library",
  path: "a name",
  type: "a type, such as `[B, T, D]`",
  recordType: "a name and its type",
  item: "an axis",
  weight: "`~` for random or `=` for constant values",
  statement: "a statement",
  bind: "a name",
  setting: "a setting",
  suffix: "an axis",
  scan: "a carry, such as `h = zeros[B, H]`",
  edition: "the number of the edition",
};

/** Rules with a list separated by commas in them, up to the next `body`. */
const listRules: ReadonlySet<string> = new Set([
  "settings",
  "callArguments",
  "bracket",
  "settingCall",
  "parameters",
  "recordType",
  "use",
  "scan",
  "round",
]);

const tokenWords: { readonly [token: string]: string } = {
  Identifier: "a name",
  String: "a file name in quotes",
  Number: "a number",
  Newline: "the end of the line",
};

function tokenWord(name: string): string {
  const known = tokenWords[name];
  if (known) return known;
  const pattern = t.tokenTypes.find((type) => type.name === name)?.PATTERN;
  return `\`${typeof pattern === "string" ? pattern : name}\``;
}

/** Closers and line ends: when they are expected, the text before was complete and something is too much. */
const completions: ReadonlySet<string> = new Set([
  "CloseRound",
  "CloseSquare",
  "CloseCurly",
  "Newline",
  "EOF",
  "end",
]);

function spanOf(source: Source, token: IToken): Span {
  return { source, start: token.startOffset, end: (token.endOffset ?? token.startOffset) + 1 };
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** The diagnostic for one exception of the parser; `tokens` is what it read. */
export function explain(source: Source, tokens: readonly IToken[], error: IRecognitionException): Diagnostic {
  const outside = error.token.tokenType === t.Newline && (error.message === "end" || error.message === "EOF");
  // text goes on behind the end of the declaration: its first token is the one to show
  const actual = (outside ? tokens[tokens.indexOf(error.token) + 1] : undefined) ?? error.token;
  const before = tokenBefore(tokens, actual);
  const startsStatement = tokens[tokens.indexOf(actual) - 1]?.tokenType === t.Newline;
  const stack = error.context.ruleStack;
  const rule = stack[stack.length - 1] ?? "";
  const expected = error.message;
  const atEnd = actual.tokenType === EOF || actual.tokenType === t.Newline;
  // what stands on a later line is not at fault: the place is the end of the text before
  const elsewhere =
    atEnd ||
    (!startsStatement &&
      !completions.has(expected) &&
      before !== undefined &&
      (before.endLine ?? 0) < (actual.startLine ?? 0));
  const span =
    elsewhere && before ? endSpan(source, before) : spanOf(source, atEnd ? (before ?? tokens[0]!) : actual);
  const found = elsewhere ? undefined : shorten(actual.image);

  if (before?.tokenType === t.Arrow && expected === "" && !stack.slice(-1).includes("type")) {
    return report(missingStage, {
      arrow: spanOf(source, before),
      found: found === undefined ? undefined : { span, text: found },
    });
  }
  if (
    before !== undefined &&
    found !== undefined &&
    (expected === "" || completions.has(expected)) &&
    ends.has(before.tokenType.name) &&
    begins.has(actual.tokenType.name) &&
    !startsStatement
  ) {
    return report(missingOperator, {
      first: spanOf(source, before),
      second: span,
      group: undefined,
      listed: listRules.has(stack.findLast((name) => name === "body" || listRules.has(name)) ?? ""),
    });
  }
  const slip = found === undefined ? undefined : knownSlip(source, tokens, actual, before, expected, stack);
  if (slip) return report(unexpectedText, { fileEnds: false, notes: [], ...slip });
  const name = actual.tokenType.name;
  const notes = outside
    ? ["the block above is closed, so this stands outside of every declaration"]
    : found !== undefined &&
        reserved.has(name) &&
        (expected === "Identifier" || expected === "" || completions.has(expected))
      ? [`\`${found}\` is a word of the language and cannot be a name`]
      : [];
  return report(unexpectedText, {
    span,
    expected: wording(expected, rule),
    found,
    fileEnds: actual.tokenType === EOF && isLast(source, before),
    notes,
    helps: [
      ...helpsFor(source, expected, rule, actual, before),
      ...(completions.has(expected) && afterArrow(tokens, actual) ? operatorStage(source, actual) : []),
    ],
  });
}

function wording(expected: string, rule: string): string | undefined {
  if (expected === "" || rule === "edition") return ruleWords[rule] ?? "an expression";
  return completions.has(expected) ? undefined : tokenWord(expected);
}

function helpsFor(
  source: Source,
  expected: string,
  rule: string,
  actual: IToken,
  before: IToken | undefined,
): Help[] {
  if (rule === "body" && expected === "OpenCurly") {
    if (actual.tokenType === t.If) return [{ text: "nest it:  else { if … { … } }" }];
    if (actual.tokenType === t.Assign) {
      return [{ text: "`==` compares", edits: [{ span: spanOf(source, actual), text: "==" }] }];
    }
  }
  const pattern = t.tokenTypes.find((type) => type.name === expected)?.PATTERN;
  if (typeof pattern !== "string" || completions.has(expected) || before === undefined) return [];
  const end = endSpan(source, before);
  return [
    {
      text: `add ${tokenWord(expected)}`,
      edits: [{ span: { ...end, start: end.end }, text: ` ${pattern}` }],
    },
  ];
}

/** Whether an arrow stands before the token in its statement. */
function afterArrow(tokens: readonly IToken[], actual: IToken): boolean {
  const before = tokens.slice(0, tokens.indexOf(actual));
  const last = before.findLast(({ tokenType }) => tokenType === t.Arrow || tokenType === t.Newline);
  return last?.tokenType === t.Arrow;
}

const stageOperators: readonly string[] = ["+", "-", "*", "/", "@", "^"];

/** `x -> f + y` is not `x -> f -> + y`. */
function operatorStage(source: Source, actual: IToken): Help[] {
  if (!stageOperators.includes(actual.image)) return [];
  const { start } = spanOf(source, actual);
  const text = `-> ${actual.image}`;
  return [
    {
      text: `behind an arrow an operator is a stage of its own:  ${text} …`,
      edits: [{ span: { source, start, end: start }, text: "-> " }],
    },
  ];
}

/** The last character of a token: the place to point at when something is missing behind it. */
function endSpan(source: Source, token: IToken): Span {
  const { start, end } = spanOf(source, token);
  return { source, start: Math.max(start, end - 1), end };
}

function tokenBefore(tokens: readonly IToken[], actual: IToken): IToken | undefined {
  const index = actual.tokenType === EOF ? tokens.length : tokens.indexOf(actual);
  for (let i = index - 1; i >= 0; i--) {
    const token = tokens[i]!;
    if (token.image !== "") return token;
  }
  return undefined;
}

function isLast(source: Source, token: IToken | undefined): boolean {
  return token === undefined || source.text.slice((token.endOffset ?? 0) + 1).trim() === "";
}
