/** Learns what the tokens of texts are: characters, byte pairs, words. How text becomes ids of them: runtime/tokens.ts. */
import type { RowTextPlan, TokenizerPlan } from "../../compiler/check/flow/plans.ts";
import { pieces, rowTokens, wordsOf } from "../../runtime/tokens.ts";

/**
 * The vocabulary of a text: its characters in the order of their code points and, for byte pairs, what stands most often in
 * `train` (the part of it that a model learns from). Undefined where there are more characters than tokens.
 */
export function vocabularyOf(
  text: string,
  train: string,
  plan: TokenizerPlan,
): readonly string[] | undefined {
  const characters = charactersOf([text]);
  if (plan.kind === "chars") return characters;
  return characters.length > plan.size
    ? undefined
    : [...characters, ...joinedPairs([train], characters, plan.size)];
}

/**
 * The vocabulary of the texts of rows, all of them of the train split: `rowTokens` first, then characters and byte pairs as
 * above, or words, the most frequent first and of equally frequent ones the first in the order of code units. Undefined
 * where there are more characters than tokens.
 */
export function rowVocabulary(
  texts: readonly string[],
  plan: RowTextPlan["tokenizer"],
): readonly string[] | undefined {
  if (plan.kind === "words") return [...rowTokens, ...frequentWords(texts, plan.size - rowTokens.length)];
  const characters = charactersOf(texts);
  if (plan.kind === "chars") return [...rowTokens, ...characters];
  const room = plan.size - rowTokens.length;
  return characters.length > room
    ? undefined
    : [...rowTokens, ...characters, ...joinedPairs(texts, characters, room)];
}

function charactersOf(texts: readonly string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) for (const character of text) found.add(character);
  return [...found].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

function frequentWords(texts: readonly string[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([word]) => word);
}

// ---------------------------------------------------------------- learning byte pairs

interface Word {
  parts: string[];
  readonly count: number;
}

/**
 * Sennrich, Haddow and Birch 2016, on characters: the pair that stands most often side by side within words becomes a
 * token, until there are `size` or every pair stands once. Of equally frequent pairs the first in the order of code
 * units is taken.
 */
function joinedPairs(texts: readonly string[], characters: readonly string[], size: number): string[] {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const [word] of text.matchAll(pieces)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const all = [...counts].map(([word, count]): Word => ({ parts: [...word], count }));
  const pairs = new Map<
    string,
    { readonly left: string; readonly right: string; count: number; in: Set<Word> }
  >();
  const change = (word: Word, by: number): void => {
    for (let i = 0; i + 1 < word.parts.length; i++) {
      const [left, right] = [word.parts[i]!, word.parts[i + 1]!];
      const key = `${left}\0${right}`;
      let pair = pairs.get(key);
      if (!pair) pairs.set(key, (pair = { left, right, count: 0, in: new Set() }));
      pair.count += by * word.count;
      if (by > 0) pair.in.add(word);
      if (pair.count === 0) pairs.delete(key);
    }
  };
  for (const word of all) change(word, 1);
  const known = new Set(characters);
  const joined: string[] = [];
  while (known.size < size) {
    let best: { readonly key: string; readonly count: number } | undefined;
    for (const [key, { count }] of pairs)
      if (!best || count > best.count || (count === best.count && key < best.key)) best = { key, count };
    if (!best || best.count < 2) break;
    const { left, right, in: holders } = pairs.get(best.key)!;
    for (const word of holders) {
      change(word, -1);
      word.parts = withJoined(word.parts, left, right);
      change(word, 1);
    }
    if (!known.has(left + right)) joined.push(left + right);
    known.add(left + right);
  }
  return joined;
}

function withJoined(parts: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const isPair = parts[i] === left && parts[i + 1] === right;
    result.push(isPair ? left + right : parts[i]!);
    if (isPair) i++;
  }
  return result;
}
