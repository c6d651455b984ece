// Greedy decoding with the cache against the same without (whole sequences that grow by one token), score by score.
//   node examples/plays/decoding.mjs FOLDER-OF-THE-ARTIFACT [PROMPTS]
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [folder, count = "50"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node examples/plays/decoding.mjs FOLDER [PROMPTS]");
  process.exit(2);
}
const { load } = await import(pathToFileURL(resolve(folder, "Gpt.js")).href);
const model = await load({ max: { B: 1, T: 256 } });
const data = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), ".data", "plays");
const text = readFileSync(join(data, "shakespeare-hamlet.txt"), "utf8");
const { classes } = model.manifest.entries.find(({ name }) => name === "infer").inputs[0];

const tokens = 200;
const last = (scores) => scores.slice(-classes.length);
const best = (scores) => scores.indexOf(Math.max(...scores));
let largest = 0;
let equal = 0;
let apart = 0;
let cachedTime = 0;
let wholeTime = 0;
for (let i = 0; i < Number(count); i++) {
  const at = Math.floor((i + 0.5) * (text.length / Number(count)));
  const ids = [...text.slice(at, at + 8 + (i % 25))].map((each) => classes.indexOf(each));
  let fresh = ids;
  for (let offset = 0, left = tokens; left > 0; left--) {
    model.control.offset = offset;
    const begin = performance.now();
    const step = last(
      (await model.call("step", { text: Int32Array.from(fresh) }, { dims: { T: fresh.length } })).out,
    );
    const middle = performance.now();
    const whole = last(
      (await model.run({ text: Int32Array.from(ids) }, { dims: { B: 1, T: ids.length } })).out,
    );
    cachedTime += middle - begin;
    wholeTime += performance.now() - middle;
    step.forEach((score, k) => (largest = Math.max(largest, Math.abs(score - whole[k]))));
    if (best(step) === best(whole)) equal++;
    else apart++;
    offset = ids.length;
    fresh = [best(step)];
    ids.push(...fresh);
  }
}
console.log(`${count} prompts, ${tokens} tokens each: ${equal} best tokens equal, ${apart} not`);
console.log(`largest difference of two scores ${largest.toExponential(2)}`);
console.log(
  `a token takes ${(cachedTime / (equal + apart)).toFixed(2)} ms with the cache, ${(wholeTime / (equal + apart)).toFixed(2)} ms without`,
);
