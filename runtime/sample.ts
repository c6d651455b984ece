/** Chooses the next token by the scores of all tokens. What is drawn follows from the seed and the position alone. */
import type { Sample } from "./artifact.ts";
import { threefry } from "./random.ts";

/** Key of this use of randomness: "samp". */
const stream = 0x73616d70;
const words = new Uint32Array(2);

/** In [0, 1): 24 bits. */
function drawn(seed: number, position: number): number {
  threefry(seed, stream, position, 0, words);
  return (words[0]! >>> 8) / 2 ** 24;
}

/** The number of the chosen token. Of equal scores the first counts as the larger one. */
export function choose(scores: Float32Array, sample: Sample, seed: number, position: number): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  if (sample.kind === "greedy") return best;
  const { temperature } = sample;
  const chances = Float64Array.from(scores, (score) => Math.exp((score - scores[best]!) / temperature));
  let ids = [...chances.keys()];
  if (sample.kind !== "temperature") ids.sort((i, j) => chances[j]! - chances[i]! || i - j);
  if (sample.kind === "top_k") ids = ids.slice(0, sample.k);
  if (sample.kind === "top_p") {
    const wanted = sample.p * sum(ids, chances);
    let have = 0;
    ids = ids.filter((i) => {
      const before = have;
      have += chances[i]!;
      return before < wanted;
    });
  }
  let left = drawn(seed, position) * sum(ids, chances);
  for (const i of ids) {
    left -= chances[i]!;
    if (left < 0) return i;
  }
  return ids.at(-1)!;
}

function sum(ids: readonly number[], chances: Float64Array): number {
  let total = 0;
  for (const i of ids) total += chances[i]!;
  return total;
}
