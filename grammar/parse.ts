// Text -> syntax tree and syntax diagnostics. Never throws, whatever the text.
import { createTokenInstance } from "chevrotain";
import type { IToken, TokenType } from "chevrotain";
import type { Declaration, File } from "./ast.ts";
import { buildDeclaration } from "./build-ast.ts";
import { token } from "./cst.ts";
import { report } from "./diagnostic.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { missingOperator } from "./errors/missing-operator.ts";
import { nestedTooDeeply } from "./errors/nested-too-deeply.ts";
import { newerEdition, newestEdition } from "./errors/newer-edition.ts";
import { noDeclaration } from "./errors/no-declaration.ts";
import { openString } from "./errors/open-string.ts";
import { strayBracket } from "./errors/stray-bracket.ts";
import { unclosedBracket } from "./errors/unclosed-bracket.ts";
import { unexpectedText } from "./errors/unexpected-text.ts";
import { unknownCharacter } from "./errors/unknown-character.ts";
import { splitDeclarations } from "./newlines.ts";
import type { BracketProblem, Chunk } from "./newlines.ts";
import { parseChunk } from "./parser.ts";
import type { Source, Span } from "./source.ts";
import { explain } from "./syntax-error.ts";
import * as t from "./tokens.ts";

export interface ParseResult {
  readonly file: File;
  /** in the order of the text, at most one for each declaration: one cause, one message */
  readonly diagnostics: Diagnostic[];
}

/** `within`: this part of the text alone. */
export function parse(source: Source, within?: Pick<Span, "start" | "end">): ParseResult {
  const { tokens, comments, unknown } = t.tokenize(within ? blankOutside(source.text, within) : source.text);
  const docs = docsByLine(comments, tokens);
  const chunks = splitDeclarations(tokens);
  const found: Diagnostic[][] = chunks.map(() => []);
  const before: Diagnostic[] = [];
  // a sign before the first word of a line belongs to that word's declaration
  const regionOf = ({ startOffset, startLine }: IToken): Diagnostic[] => {
    const index = chunks.findLastIndex(
      ({ first }) => first.startOffset <= startOffset || first.startLine === startLine,
    );
    return found[index] ?? before;
  };

  let edition: File["edition"];
  const declarations: Declaration[] = [];
  chunks.forEach((chunk, index) => {
    const diagnostics = found[index]!;
    const { first } = chunk;
    if (first.tokenType === t.Dlm) {
      const line = readEdition(source, chunk, index === 0, diagnostics);
      edition ??= line;
      return;
    }
    const declaration = readDeclaration(source, chunk, docAbove(docs, first), diagnostics);
    if (declaration) declarations.push(declaration);
  });
  for (const character of unknown) {
    const region = regionOf(character);
    const alike = unknown.filter((each) => each.image === character.image && regionOf(each) === region);
    region.push(
      report(unknownCharacter, {
        span: spanOf(source, character),
        character: character.image,
        alike: alike.map((each) => spanOf(source, each)),
      }),
    );
  }

  return {
    file: { span: { source, start: 0, end: source.text.length }, edition, declarations },
    diagnostics: [before, ...found].flatMap(earliest),
  };
}

/** Lines and positions stay what they are. */
function blankOutside(text: string, { start, end }: Pick<Span, "start" | "end">): string {
  return text.slice(0, start).replaceAll(/[^\n]/g, " ") + text.slice(start, end);
}

/** One cause, one message: the first problem of a declaration; the rest may follow from it. */
function earliest(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const [first, ...rest] = diagnostics;
  if (first === undefined) return [];
  return [rest.reduce((a, b) => (b.primary.span.start < a.primary.span.start ? b : a), first)];
}

function spanOf(source: Source, from: IToken): Span {
  return { source, start: from.startOffset, end: (from.endOffset ?? from.startOffset) + 1 };
}

// ---------------------------------------------------------------- edition

function readEdition(
  source: Source,
  chunk: Chunk,
  isFirst: boolean,
  diagnostics: Diagnostic[],
): File["edition"] {
  const { cst, errors } = parseChunk(chunk);
  const first = spanOf(source, chunk.first);
  for (const error of errors) diagnostics.push(explain(source, chunk.tokens, error));
  reportBrackets(source, chunk.tokens, chunk.problems, diagnostics);
  const digits = token(cst, "Number");
  if (digits === undefined) return undefined;
  const span = { ...first, end: spanOf(source, digits).end };
  const value = Number(digits.image.replaceAll("_", ""));
  if (!isFirst) {
    diagnostics.push(
      report(unexpectedText, {
        span,
        expected: undefined,
        found: `dlm ${digits.image}`,
        fileEnds: false,
        notes: ["the edition stands in the first line"],
        helps: [{ text: "remove it", edits: [{ span, text: "" }] }],
      }),
    );
    return undefined;
  }
  if (value > newestEdition || value < 1 || !Number.isInteger(value)) {
    diagnostics.push(report(newerEdition, { span, edition: value }));
  }
  return { value, span };
}

// ---------------------------------------------------------------- declarations

function readDeclaration(
  source: Source,
  original: Chunk,
  doc: string,
  diagnostics: Diagnostic[],
): Declaration | undefined {
  const open = original.tokens.find((each) => each.tokenType === t.OpenString);
  // the string has swallowed the rest of its line, so nothing else that is found can be trusted
  const problems: Diagnostic[] = open ? [] : diagnostics;
  if (open) diagnostics.push(report(openString, { span: spanOf(source, open) }));
  reportBrackets(source, original.tokens, original.problems, problems);
  if (original.tooDeep) {
    diagnostics.push(report(nestedTooDeeply, { span: spanOf(source, original.tooDeep) }));
    return undefined;
  }
  const chunk = withKeyword(source, original, problems);
  if (chunk === undefined) return undefined;
  const { cst, errors } = parseChunk(chunk);
  for (const error of errors) problems.push(explain(source, chunk.tokens, error));
  const last = chunk.tokens[chunk.tokens.length - 1]!;
  return (
    cst &&
    buildDeclaration(
      {
        source,
        fallback: spanOf(source, last).end,
        groupsAllowed: false,
        sideBySide: (first, second, group) => {
          problems.push(report(missingOperator, { first, second, group, listed: false }));
        },
      },
      cst,
      doc,
    )
  );
}

const bracketTexts = { "(": "(", "[": "[", "{": "{" } as const;

/** A call that is left open ends before the arrow behind it: `Dense(8 -> relu`. */
function endOfCall(tokens: readonly IToken[], opener: IToken, last: IToken): number | undefined {
  const at = tokens.indexOf(opener);
  if (opener.image !== "(" || tokens[at - 1]?.tokenType !== t.Name) return undefined;
  const arrow = tokens.findIndex(({ tokenType }, i) => i > at && tokenType === t.Arrow);
  const before = tokens[arrow - 1];
  return arrow > at + 1 && before && before.startOffset < last.startOffset
    ? (before.endOffset ?? before.startOffset) + 1
    : undefined;
}

function reportBrackets(
  source: Source,
  tokens: readonly IToken[],
  problems: readonly BracketProblem[],
  diagnostics: Diagnostic[],
): void {
  for (const problem of problems) {
    if (problem.kind === "stray") {
      const { token: bracket } = problem;
      diagnostics.push(report(strayBracket, { span: spanOf(source, bracket), bracket: bracket.image }));
      continue;
    }
    const { opener, last, stop } = problem;
    const end = endOfCall(tokens, opener, last) ?? spanOf(source, last).end;
    diagnostics.push(
      report(unclosedBracket, {
        opener: spanOf(source, opener),
        bracket: bracketTexts[opener.image as keyof typeof bracketTexts],
        end: { source, start: end, end },
        stop: stop && {
          span: spanOf(source, stop),
          text: t.declarationWords.includes(stop.tokenType) ? headOf(source, stop) : stop.image,
          declaration: t.declarationWords.includes(stop.tokenType),
        },
      }),
    );
  }
}

/** "`model Critic`" */
function headOf(source: Source, word: IToken): string {
  const text = /^\w+[ \t]+("[^"\n]*"|\w+)?/.exec(source.text.slice(word.startOffset, word.startOffset + 80));
  return `\`${(text?.[0] ?? word.image).trim()}\``;
}

/** Where the first word is no declaration word, says so and puts in the one that was probably meant. */
function withKeyword(source: Source, chunk: Chunk, diagnostics: Diagnostic[]): Chunk | undefined {
  const [first, second] = chunk.tokens;
  if (first === undefined) return undefined;
  if (t.declarationWords.includes(first.tokenType)) return chunk;
  const word =
    first.tokenType === t.Name && second?.tokenType === t.Name ? nearestWord(first.image) : undefined;
  diagnostics.push(
    report(noDeclaration, {
      span: spanOf(source, first),
      found: first.image,
      near: word && String(word.PATTERN),
    }),
  );
  if (word) return { ...chunk, tokens: [retyped(first, word, first.image), ...chunk.tokens.slice(1)] };
  if (first.tokenType !== t.Name) return undefined;
  const missing = second && missingWords.get(second.tokenType);
  if (missing === undefined) return undefined;
  return { ...chunk, tokens: [retyped(first, missing, ""), ...chunk.tokens] };
}

/** What a name at the start of a declaration is, by the token behind it. */
const missingWords: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.OpenRound, t.Module],
  [t.Assign, t.Let],
  [t.From, t.Data],
]);

function retyped(token: IToken, type: TokenType, image: string): IToken {
  const { startOffset, startLine = 1, startColumn = 1 } = token;
  const width = image.length - 1;
  return createTokenInstance(
    type,
    image,
    startOffset,
    startOffset + width,
    startLine,
    startLine,
    startColumn,
    startColumn + width,
  );
}

function nearestWord(text: string): TokenType | undefined {
  const near = t.declarationWords.map((type) => {
    const word = String(type.PATTERN);
    return { type, distance: distance(text, word), longer: Math.abs(word.length - text.length) };
  });
  near.sort((a, b) => a.distance - b.distance || a.longer - b.longer);
  const [best] = near;
  return best && best.distance <= (text.length > 3 ? 2 : 1) ? best.type : undefined;
}

/** Edit distance in which two swapped neighbours count once (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const above = rows[i - 1]!;
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, above[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

// ---------------------------------------------------------------- docs

/** The `///` lines by line number, those that stand alone in their line. */
function docsByLine(comments: readonly IToken[], tokens: readonly IToken[]): Map<number, string> {
  const docs = comments.filter((comment) => comment.image.startsWith("///"));
  if (docs.length === 0) return new Map();
  const withTokens = new Set(tokens.map((each) => each.endLine));
  return new Map(
    docs
      .filter((comment) => !withTokens.has(comment.startLine))
      .map((comment) => [comment.startLine ?? 0, comment.image.slice(3).replace(/^ /, "")]),
  );
}

function docAbove(docs: ReadonlyMap<number, string>, first: IToken): string {
  const lines: string[] = [];
  for (let line = (first.startLine ?? 1) - 1; docs.has(line); line--) lines.unshift(docs.get(line)!);
  return lines.join("\n");
}
