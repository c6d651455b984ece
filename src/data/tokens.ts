/** Learns what the tokens of a text are: its characters, and byte pairs. How text becomes ids of them: runtime/tokens.ts. */
import type { TokenizerPlan } from "../../compiler/check/flow/plans.ts";
import { words } from "../../runtime/tokens.ts";

/**
 * The vocabulary of a text: its characters in the order of their code points and, for byte pairs, what stands most often in
 * `train` (the part of it that a model learns from). Undefined where there are more characters than tokens.
 */
export function vocabularyOf(
  text: string,
  train: string,
  plan: TokenizerPlan,
): readonly string[] | undefined {
  const characters = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  if (plan.kind === "chars") return characters;
  return characters.length > plan.size
    ? undefined
    : [...characters, ...joinedPairs(train, characters, plan.size)];
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
function joinedPairs(text: string, characters: readonly string[], size: number): string[] {
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
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
