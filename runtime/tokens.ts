/**
 * Text -> ids. A vocabulary is a list of tokens in the order of their ids, and all that a tokenizer keeps: characters
 * first, then joined ones in the order in which they were learned; or words. Vocabularies of rows begin with `rowTokens`.
 */
import type { TextRule } from "./artifact.ts";

/** A place of the text, in UTF-16 units, whose character is no token. */
export interface Unknown {
  readonly at: number;
  readonly character: string;
}

const known = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

function idsOf(names: readonly string[]): ReadonlyMap<string, number> {
  let ids = known.get(names);
  if (!ids) known.set(names, (ids = new Map(names.map((name, id) => [name, id]))));
  return ids;
}

/** `unknown`: the id of what is no token; without it such a character is what comes back. */
export function encode(text: string, names: readonly string[]): Int32Array | Unknown;
export function encode(text: string, names: readonly string[], unknown: number): Int32Array;
export function encode(text: string, names: readonly string[], unknown?: number): Int32Array | Unknown {
  const ids = idsOf(names);
  const all = new Int32Array(text.length);
  const found = new Map<string, readonly (number | undefined)[]>();
  let count = 0;
  let at = 0;
  for (const [word] of text.matchAll(pieces)) {
    let parts = found.get(word);
    if (!parts) found.set(word, (parts = encodePiece(word, ids)));
    for (const id of parts) {
      if ((id ?? unknown) === undefined) {
        const character = [...word].find((each) => !ids.has(each))!;
        return { at: at + word.indexOf(character), character };
      }
      all[count++] = (id ?? unknown)!;
    }
    at += word.length;
  }
  return all.slice(0, count);
}

/** Tokens are not joined beyond a word with the space before it, a number, a run of signs or of spaces. */
export const pieces = / ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s/gu;

/** Of neighbours that are a token together, those with the least id are joined first. */
function encodePiece(word: string, ids: ReadonlyMap<string, number>): readonly (number | undefined)[] {
  const parts = [...word];
  for (;;) {
    let best = Infinity;
    let place = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const id = ids.get(parts[i]! + parts[i + 1]!);
      if (id !== undefined && id < best) [best, place] = [id, i];
    }
    if (place < 0) break;
    parts.splice(place, 2, parts[place]! + parts[place + 1]!);
  }
  return parts.map((part) => ids.get(part));
}

/** The words of a text in small letters: letters and digits, and apostrophes between them. Signs are left out. */
export function wordsOf(text: string): readonly string[] {
  return text.normalize().replaceAll("’", "'").toLowerCase().match(wordPattern) ?? [];
}

const wordPattern = /[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*/gu;

/** What fills up a row, and what stands for all that the vocabulary does not hold. Neither is a word, nor joined of characters. */
export const rowTokens = ["<padding>", "<unknown>"] as const;
const unknownId = 1;

/** Fills `row`, which is 0 everywhere, with the tokens of a text. */
export function encodeRow(text: string, names: readonly string[], rule: TextRule, row: Int32Array): void {
  const ids = idsOf(names);
  const all =
    rule.tokens === "words"
      ? Int32Array.from(wordsOf(text), (word) => ids.get(word) ?? unknownId)
      : encode(text, names, unknownId);
  const most = row.length;
  const kept = all.length <= most ? all : rule.keep === "first" ? all.subarray(0, most) : all.slice(-most);
  row.set(kept, rule.pad === "before" ? most - kept.length : 0);
}

/** The tokens of texts, rows of `size` behind each other. */
export function encodeRows(
  texts: readonly (string | undefined)[],
  names: readonly string[],
  rule: TextRule,
  size: number,
): Int32Array {
  const rows = new Int32Array(texts.length * size);
  texts.forEach((text, i) => encodeRow(text ?? "", names, rule, rows.subarray(i * size, (i + 1) * size)));
  return rows;
}
