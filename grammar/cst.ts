// Reading a concrete tree that may lack children: everything here answers, whatever recovery left out.
import type { CstElement, CstNode, IToken } from "chevrotain";
import type { Hole, Name } from "./ast.ts";
import type { Source, Span } from "./source.ts";

/** What building one declaration needs beside its concrete tree. */
export interface BuildContext {
  readonly source: Source;
  /** where a part without any text is put: the end of the declaration's text */
  readonly fallback: number;
  /** `(a b)` is an axis group at this place */
  groupsAllowed: boolean;
  /** two expressions without an operator between them, inside the parentheses `round` */
  sideBySide(first: Span, second: Span, round: Span): void;
}

export function isNode(element: CstElement): element is CstNode {
  return "children" in element;
}

const none: readonly never[] = [];

/** Under one key there are nodes or tokens, never both. */
export function nodes(parent: CstNode | undefined, key: string): readonly CstNode[] {
  const elements = parent?.children[key];
  const first = elements?.[0];
  return first !== undefined && isNode(first) ? (elements as CstNode[]) : none;
}

export function node(parent: CstNode | undefined, key: string): CstNode | undefined {
  const first = parent?.children[key]?.[0];
  return first !== undefined && isNode(first) ? first : undefined;
}

/** Tokens that stand in the text; those that recovery made up are left out. */
export function tokens(parent: CstNode | undefined, key: string): readonly IToken[] {
  const elements = parent?.children[key];
  if (elements === undefined) return none;
  return elements.filter(
    (element): element is IToken => !isNode(element) && !Number.isNaN(element.startOffset),
  );
}

export function token(parent: CstNode | undefined, key: string): IToken | undefined {
  const elements = parent?.children[key];
  if (elements === undefined) return undefined;
  return elements.find(
    (element): element is IToken => !isNode(element) && !Number.isNaN(element.startOffset),
  );
}

/** NaN where the element has no text. */
export function startOf(element: CstElement): number {
  return (isNode(element) ? element.location?.startOffset : element.startOffset) ?? NaN;
}

/** NaN where the element has no text. */
export function endOf(element: CstElement): number {
  return ((isNode(element) ? element.location?.endOffset : element.endOffset) ?? NaN) + 1;
}

export function spanBetween(context: BuildContext, start: number, end: number): Span {
  const from = Number.isNaN(start) ? context.fallback : start;
  return { source: context.source, start: from, end: Math.max(from, Number.isNaN(end) ? from : end) };
}

export function spanOf(context: BuildContext, element: CstElement): Span {
  return spanBetween(context, startOf(element), endOf(element));
}

/** All children in the order of the text, without the newlines between statements. */
export function inOrder(parent: CstNode): CstElement[] {
  return Object.values(parent.children)
    .flat()
    .filter((element) => !Number.isNaN(startOf(element)) && (isNode(element) || element.image !== ""))
    .sort((a, b) => startOf(a) - startOf(b));
}

/** A Hole of no width behind what `parent` has. */
export function hole(context: BuildContext, parent: CstNode): Hole {
  const end = endOf(parent);
  return { kind: "hole", span: spanBetween(context, end, end) };
}

export function nameOf(context: BuildContext, word: IToken): Name {
  return { text: word.image, span: spanOf(context, word) };
}

/** The name under `key`; an empty one where it is missing. */
export function identifier(context: BuildContext, parent: CstNode, key = "Identifier"): Name {
  const word = token(parent, key);
  return word ? nameOf(context, word) : { text: "", span: hole(context, parent).span };
}

const escapes: { readonly [letter: string]: string } = { n: "\n", r: "\r", t: "\t" };

/** The text between the quotes, with `\n`, `\t`, `\r` and otherwise the character behind the backslash. */
export function stringValue(word: IToken): string {
  const closed = word.image.length > 1 && word.tokenType.name === "String";
  const inner = word.image.slice(1, closed ? -1 : undefined);
  return inner.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}
