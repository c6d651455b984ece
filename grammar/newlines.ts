// Between lexer and parser: cuts the tokens into declarations, pairs brackets, and keeps the newlines that mean something.
import { createTokenInstance } from "chevrotain";
import type { IToken, TokenType } from "chevrotain";
import { deepestNesting, longestChain } from "./errors/nested-too-deeply.ts";
import * as t from "./tokens.ts";

/**
 * The tokens of one declaration. Brackets are paired (missing closers are put in with no width, closers without
 * a partner are left out), so damage in one declaration cannot reach the next.
 */
export interface Chunk {
  /** the first of its tokens in the source, also where that was left out */
  readonly first: IToken;
  readonly tokens: readonly IToken[];
  readonly problems: readonly BracketProblem[];
  /** where nesting goes too deep to be read; then nothing else about the declaration is known */
  readonly tooDeep: IToken | undefined;
}

export type BracketProblem =
  /** `stop` is the token before which the bracket had to end; undefined at the end of the file */
  | {
      readonly kind: "unclosed";
      readonly opener: IToken;
      readonly last: IToken;
      readonly stop: IToken | undefined;
    }
  | { readonly kind: "stray"; readonly token: IToken };

const declarationWords: ReadonlySet<TokenType> = new Set(t.declarationWords);
const openers: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.OpenRound, t.CloseRound],
  [t.OpenSquare, t.CloseSquare],
  [t.OpenCurly, t.CloseCurly],
]);
const closers: ReadonlySet<TokenType> = new Set(openers.values());

const binaryOperators: readonly TokenType[] = [
  t.Or,
  t.And,
  t.Less,
  t.AtMost,
  t.Equal,
  t.Unequal,
  t.Greater,
  t.AtLeast,
  t.In,
  t.Divides,
  t.Dots,
  t.Plus,
  t.Times,
  t.Slash,
  t.At,
  t.Mod,
  t.Power,
  t.Accumulates,
];
const goesOnAfter: ReadonlySet<TokenType> = new Set([
  ...openers.keys(),
  ...binaryOperators,
  t.Minus,
  t.Comma,
  t.Arrow,
  t.Rearranges,
  t.Becomes,
  t.Assign,
  t.Tilde,
  t.Colon,
  t.Where,
]);
/** `-` is not here: at the start of a line it is a sign. */
const goesOnBefore: ReadonlySet<TokenType> = new Set([
  ...closers,
  ...binaryOperators,
  t.Arrow,
  t.Rearranges,
  t.Where,
  t.Via,
  t.Else,
  t.Comma,
  t.OpenCurly,
]);

const lineOf = (token: IToken): number => token.startLine ?? 1;
const columnOf = (token: IToken): number => token.startColumn ?? 1;
const endOf = (token: IToken): number => (token.endOffset ?? token.startOffset) + 1;

function startsLine(token: IToken, previous: IToken | undefined): boolean {
  return previous === undefined || lineOf(previous) !== lineOf(token);
}

/** `model Name`, `use "..."`, `dlm 1`: pairs that occur nowhere inside a declaration. */
function isHead(token: IToken, next: IToken | undefined): boolean {
  if (next === undefined) return false;
  if (token.tokenType === t.Dlm) return next.tokenType === t.Number;
  if (!declarationWords.has(token.tokenType) || lineOf(next) !== lineOf(token)) return false;
  return next.tokenType === t.Name || (token.tokenType === t.Use && next.tokenType === t.String);
}

/** Declarations that end with their line; the others end with a `}`. */
const lineDeclarations: ReadonlySet<TokenType> = new Set([t.Dlm, t.Use, t.Let]);

/** Cuts a file into its declarations; every token is in exactly one of them. */
export function splitDeclarations(tokens: readonly IToken[]): Chunk[] {
  return cut(tokens, false).flatMap((piece, index, pieces) => {
    if (isBalanced(piece)) return [layOut(piece, undefined)];
    // an open bracket has swallowed what follows, or something of it
    const next = pieces[index + 1]?.[0];
    return cut(piece, true).map((part, at, parts) => layOut(part, parts[at + 1]?.[0] ?? next));
  });
}

/** Pieces that begin like declarations: outside of all brackets, and with `always` at the left margin anywhere. */
function cut(tokens: readonly IToken[], always: boolean): IToken[][] {
  const pieces: IToken[][] = [];
  let start = 0;
  const expected: TokenType[] = [];
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    const first = tokens[start]!;
    if (index > start && previous && startsLine(token, previous)) {
      const outermost = expected.length === 0 && columnOf(token) <= columnOf(first) + 1;
      const complete =
        expected.length === 0 &&
        (previous.tokenType === t.CloseCurly || lineDeclarations.has(first.tokenType));
      const head = isHead(token, tokens[index + 1]) && (complete || (always && columnOf(token) === 1));
      const goesOn = goesOnAfter.has(previous.tokenType) || goesOnBefore.has(token.tokenType);
      if (head || (outermost && (declarationWords.has(token.tokenType) || !goesOn))) {
        pieces.push(tokens.slice(start, index));
        start = index;
        expected.length = 0;
      }
    }
    const closer = openers.get(token.tokenType);
    if (closer) expected.push(closer);
    else if (closers.has(token.tokenType)) {
      const match = expected.lastIndexOf(token.tokenType);
      // `)` and `]` do not reach over a `{`
      if (match > expected.lastIndexOf(t.CloseCurly) || token.tokenType === t.CloseCurly) {
        expected.length = Math.max(0, match);
      }
    }
  });
  if (start < tokens.length) pieces.push(tokens.slice(start));
  return pieces;
}

function layOut(tokens: readonly IToken[], next: IToken | undefined): Chunk {
  const first = tokens[0]!;
  const tooDeep = tooDeepIn(tokens);
  if (tooDeep) return { first, tokens, problems: [], tooDeep };
  if (isBalanced(tokens)) return { first, tokens: withNewlines(tokens), problems: [], tooDeep };
  const problems: BracketProblem[] = [];
  const paired = pairBrackets(tokens, next, problems);
  return { first, tokens: withNewlines(paired), problems, tooDeep };
}

const prefixes: ReadonlySet<TokenType> = new Set([t.Minus, t.Not, t.Power]);
const links: ReadonlySet<TokenType> = new Set([
  ...binaryOperators,
  t.Minus,
  t.Dot,
  t.Rearranges,
  t.From,
  t.Over,
]);
const separators: ReadonlySet<TokenType> = new Set([t.Comma, t.Arrow, t.Assign, t.Colon]);

/** Trees are walked by recursion, so that brackets, chains of signs and chains of operators have their limits. */
function tooDeepIn(tokens: readonly IToken[]): IToken | undefined {
  /** length of the chain so far at each level of brackets */
  const chains = [0];
  let prefix = 0;
  for (const [index, token] of tokens.entries()) {
    const type = token.tokenType;
    const level = chains.length - 1;
    if (openers.has(type) || links.has(type)) chains[level]!++;
    if (separators.has(type) || startsLine(token, tokens[index - 1])) {
      chains[level] = 0;
      prefix = 0;
    }
    if (prefixes.has(type)) prefix++;
    if (openers.has(type)) chains.push(0);
    else if (closers.has(type) && level > 0) chains.pop();
    if (level > deepestNesting || prefix > deepestNesting || chains[level]! > longestChain) return token;
  }
  return undefined;
}

function isBalanced(tokens: readonly IToken[]): boolean {
  const expected: TokenType[] = [];
  for (const { tokenType } of tokens) {
    const closer = openers.get(tokenType);
    if (closer) expected.push(closer);
    else if (closers.has(tokenType) && expected.pop() !== tokenType) return false;
  }
  return expected.length === 0;
}

interface Open {
  readonly token: IToken;
  readonly closer: TokenType;
  /** column of the first token of the line the bracket stands in */
  readonly indent: number;
}

/**
 * Pairs brackets where they do not pair by themselves. The layout decides: `}` at the start of a line belongs to
 * the `{` whose line is indented alike, and round and square brackets do not reach over a `}`.
 */
function pairBrackets(
  tokens: readonly IToken[],
  next: IToken | undefined,
  problems: BracketProblem[],
): IToken[] {
  const result: IToken[] = [];
  const open: Open[] = [];
  let indent = 1;
  const surplus = surplusOfClosers(tokens);

  const closeInnermost = (stop: IToken | undefined): void => {
    const innermost = open.pop();
    const last = result[result.length - 1];
    if (!innermost || !last) return;
    problems.push({ kind: "unclosed", opener: innermost.token, last, stop });
    insertCloser(result, innermost);
  };

  tokens.forEach((token, index) => {
    const type = token.tokenType;
    const leads = startsLine(token, tokens[index - 1]);
    if (leads) {
      indent = columnOf(token);
      const top = open[open.length - 1];
      // `else` behind anything but `}`: the block before it was left open
      if (type === t.Else && top?.closer === t.CloseCurly && top.indent === indent) closeInnermost(token);
    }
    const closer = openers.get(type);
    if (closer) {
      open.push({ token, closer, indent });
    } else if (closers.has(type)) {
      const match = findMatch(open, token, leads, surplus);
      if (match < 0) {
        const top = open[open.length - 1];
        const mistaken = top && top.closer !== t.CloseCurly && type !== t.CloseCurly;
        // `(x]`: one bracket of the wrong kind, not one too many and one missing
        if (mistaken && lineOf(top.token) === lineOf(token)) closeInnermost(token);
        else problems.push({ kind: "stray", token });
        return;
      }
      while (open.length - 1 > match) closeInnermost(token);
      open.pop();
    }
    result.push(token);
  });
  while (open.length > 0) closeInnermost(next);
  return result;
}

/** The index in `open` of the bracket that `token` closes; -1 when it closes none. */
function findMatch(open: readonly Open[], token: IToken, leads: boolean, surplus: boolean): number {
  const same = (from: number, test: (bracket: Open) => boolean): number => {
    for (let i = from; i >= 0; i--) {
      const bracket = open[i]!;
      if (bracket.closer === token.tokenType) {
        if (test(bracket)) return i;
      } else if (token.tokenType !== t.CloseCurly && bracket.closer === t.CloseCurly) return -1;
    }
    return -1;
  };
  const nearest = same(open.length - 1, () => true);
  if (token.tokenType !== t.CloseCurly || nearest < 0) return nearest;
  const bracket = open[nearest]!;
  if (!leads) {
    const sameLine = lineOf(bracket.token) === lineOf(token);
    return surplus && !sameLine ? -1 : nearest;
  }
  if (bracket.indent === columnOf(token)) return nearest;
  const aligned = same(nearest - 1, ({ indent }) => indent === columnOf(token));
  return aligned >= 0 ? aligned : nearest;
}

function surplusOfClosers(tokens: readonly IToken[]): boolean {
  let depth = 0;
  for (const { tokenType } of tokens) {
    if (tokenType === t.OpenCurly) depth++;
    else if (tokenType === t.CloseCurly) depth--;
  }
  return depth < 0;
}

/** Round and square brackets end with their line, so that the lines below keep their meaning; `{` ends here. */
function insertCloser(result: IToken[], bracket: Open): void {
  let at = result.length;
  if (bracket.closer !== t.CloseCurly) {
    const from = result.indexOf(bracket.token);
    let depth = 0;
    for (let i = from + 1; i < at; i++) {
      const token = result[i]!;
      if (depth === 0 && startsLine(token, result[i - 1])) {
        at = i;
        break;
      }
      if (openers.has(token.tokenType)) depth++;
      else if (closers.has(token.tokenType)) depth--;
    }
  }
  result.splice(at, 0, virtualToken(bracket.closer, result[at - 1]!));
}

/** A token of no width behind another one. */
function virtualToken(type: TokenType, behind: IToken): IToken {
  const offset = endOf(behind);
  const line = behind.endLine ?? lineOf(behind);
  const column = (behind.endColumn ?? columnOf(behind)) + 1;
  return createTokenInstance(type, "", offset, offset - 1, line, line, column, column - 1);
}

/** The newline rule: a Newline between two tokens of different lines where the statement cannot go on. */
function withNewlines(tokens: readonly IToken[]): IToken[] {
  const result: IToken[] = [];
  const blocks: boolean[] = [];
  let previous: IToken | undefined;
  for (const token of tokens) {
    const type = token.tokenType;
    if (
      previous &&
      lineOf(previous) !== lineOf(token) &&
      (blocks.length === 0 || blocks[blocks.length - 1]) &&
      !goesOnAfter.has(previous.tokenType) &&
      !goesOnBefore.has(type)
    )
      result.push(virtualToken(t.Newline, previous));
    if (openers.has(type)) blocks.push(type === t.OpenCurly);
    else if (closers.has(type)) blocks.pop();
    result.push(token);
    previous = token;
  }
  return result;
}
