/**
 * Text -> ids. A vocabulary is a list of tokens in the order of their ids, and all that a tokenizer keeps: characters
 * first, then joined ones in the order in which they were learned.
 */

/** A place of the text, in UTF-16 units, whose character is no token. */
export interface Unknown {
  readonly at: number;
  readonly character: string;
}

export function encode(text: string, names: readonly string[]): Int32Array | Unknown {
  const ids = new Map(names.map((name, id) => [name, id]));
  const all = new Int32Array(text.length);
  const known = new Map<string, readonly number[] | undefined>();
  let count = 0;
  let at = 0;
  for (const [word] of text.matchAll(words)) {
    if (!known.has(word)) known.set(word, encodeWord(word, ids));
    const found = known.get(word);
    if (!found) {
      const character = [...word].find((each) => !ids.has(each))!;
      return { at: at + word.indexOf(character), character };
    }
    all.set(found, count);
    count += found.length;
    at += word.length;
  }
  return all.slice(0, count);
}

/** Tokens are not joined beyond a word with the space before it, a number, a run of signs or of spaces. */
export const words = / ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s/gu;

/** Of neighbours that are a token together, those with the least id are joined first. */
function encodeWord(word: string, ids: ReadonlyMap<string, number>): readonly number[] | undefined {
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
  const found = parts.map((part) => ids.get(part));
  return found.every((id) => id !== undefined) ? found : undefined;
}
