// What counting reaches on the plays: interpolated n-grams of characters with Witten and Bell's estimate of how likely a
// new continuation is (IEEE Transactions on Information Theory 37(4), 1991, method C). The same parts as plays in
// char-lstm.dlm: the first 90 % to learn from, the rest to measure.
//   node examples/plays/n-grams.mjs
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), ".data", "plays");
const text = ["hamlet", "caesar", "macbeth"]
  .map((name) => readFileSync(join(folder, `shakespeare-${name}.txt`), "utf8"))
  .join("");
const border = Math.round(text.length * 0.9);
const train = text.slice(0, border);
const valid = text.slice(border);
const characters = new Set(text).size;

/** by context: how often each character follows, and how often any */
const counts = Array.from({ length: 6 }, () => new Map());
for (let at = 0; at < train.length; at++)
  for (let n = 0; n < 6 && n <= at; n++) {
    const context = train.slice(at - n, at);
    let found = counts[n].get(context);
    if (!found) counts[n].set(context, (found = { all: 0, next: new Map() }));
    found.all++;
    found.next.set(train[at], (found.next.get(train[at]) ?? 0) + 1);
  }

function chance(history, character, n) {
  const below = n === 0 ? 1 / characters : chance(history, character, n - 1);
  const found = counts[n].get(history.slice(history.length - n));
  if (!found) return below;
  return ((found.next.get(character) ?? 0) + found.next.size * below) / (found.all + found.next.size);
}

for (let n = 0; n < 6; n++) {
  let sum = 0;
  for (let at = 0; at < valid.length; at++) {
    const history =
      at >= n ? valid.slice(at - n, at) : train.slice(train.length - n + at) + valid.slice(0, at);
    sum -= Math.log(chance(history, valid[at], n));
  }
  console.log(`${n + 1}-grams  ${(sum / valid.length).toFixed(4)} nats a character`);
}
