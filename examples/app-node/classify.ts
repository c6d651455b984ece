// Classifies digits drawn in text files, eight lines of eight signs, with the model that `dlmc compile` wrote.
// The import below is all that an app needs: a module and its types, no package.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { DlmError, load, meta, type Inputs } from "../../.data/quickstart/app/Digit.js";

/** of paper, pencil and ink, from 0 to 16 as the model's data has it */
const ink: Readonly<Record<string, number>> = { ".": 0, " ": 0, "+": 8, "#": 16 };

function readDrawing(file: string): Inputs["image"] {
  const lines = readFileSync(file, "utf8").trimEnd().split(/\r?\n/);
  return lines.map((line) => [...line].map((sign) => ink[sign] ?? Number.NaN));
}

/** Chances that add up to 1, of the model's scores. */
function softmax(scores: Float32Array): Float32Array {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const model = await load({ max: { B: 1 } });
console.log(
  `${meta.name}, ${meta.parameters.toLocaleString("en-US")} weights, reads ${meta.inputs.image.doc}`,
);
for (const file of process.argv.slice(2)) {
  try {
    const { out } = await model.run({ image: readDrawing(file) });
    const chances = softmax(out);
    const best = chances.indexOf(Math.max(...chances));
    console.log(`${basename(file).padEnd(12)} ${best}   ${(100 * chances[best]!).toFixed(1)} %`);
  } catch (error) {
    if (!(error instanceof DlmError)) throw error;
    console.error(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
model.destroy();
