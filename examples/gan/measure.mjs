// Measures what the generator makes: how sure a classifier is of it, how the classes are spread, how different its images are.
//   node examples/gan/measure.mjs GENERATOR.safetensors LENET.safetensors SHEET.png
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { encodePng, sheetOf } from "../../.build/src/picture.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const built = join(root, ".data", "gan");
const [generatorWeights, classifierWeights, sheetFile] = process.argv.slice(2);
if (!sheetFile) {
  console.error("node examples/gan/measure.mjs GENERATOR.safetensors LENET.safetensors SHEET.png");
  process.exit(2);
}

/** A model compiled as an app embeds it, and loaded. */
async function compiled(program, model, weights) {
  const command = join(root, ".build", "bin", "dlmc.js");
  const words = ["compile", join(root, program), "--model", model, "--weights", weights, "-o", built];
  const { status, stderr } = spawnSync(process.execPath, [command, ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const { load } = await import(pathToFileURL(join(built, `${model}.js`)).href);
  return load({ max: { B: 100 } });
}

const size = 28 * 28;
const idx = (name, head) => readFileSync(join(root, ".data", "mnist", name)).subarray(head);
const real = new Uint8Array(idx("t10k-images-idx3-ubyte", 16));
const labels = idx("t10k-labels-idx1-ubyte", 8);

/** Of every image the most likely digit and its probability. */
async function judged(classifier, images) {
  const { out } = await classifier.run({ image: images });
  const rows = images.length / size;
  return Array.from({ length: rows }, (_, row) => {
    const scores = out.subarray(10 * row, 10 * row + 10);
    const most = Math.max(...scores);
    return {
      digit: scores.indexOf(most),
      chance: 1 / scores.reduce((sum, score) => sum + Math.exp(score - most), 0),
    };
  });
}

/** Mean Euclidean distance (pixels 0 to 1) of each image to the nearest other one. */
function nearest(images, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let least = Infinity;
    for (let j = 0; j < count; j++) {
      if (i === j) continue;
      let square = 0;
      for (let k = 0; k < size; k++) square += (images[i * size + k] - images[j * size + k]) ** 2;
      if (square < least) least = square;
    }
    sum += Math.sqrt(least) / 255;
  }
  return sum / count;
}

const percent = (part) => `${(100 * part).toFixed(2)} %`;
const sure = (found) => found.filter(({ chance }) => chance >= 0.9).length / found.length;

const generator = await compiled("examples/gan/gan.dlm", "Generator", generatorWeights);
const classifier = await compiled("examples/mnist/lenet.dlm", "LeNet", classifierWeights);
const samples = 10_000;
/** as many of each digit */
const asked = Int32Array.from({ length: samples }, (_, row) => row % 10);
const made = (await generator.run({ digit: asked }, { seed: 1 })).out;
const images = Uint8Array.from(made, (value) => Math.round(127.5 * (value + 1)));
writeFileSync(sheetFile, encodePng(sheetOf(made.subarray(0, 100 * size), [100, 28, 28, 1], [-1, 1])));

const ofReal = await judged(classifier, real);
const ofMade = await judged(classifier, images);
const right = ofReal.filter(({ digit }, row) => digit === labels[row]).length / ofReal.length;
console.log(`classifier       ${percent(right)} of ${ofReal.length} real test images right`);
console.log(
  `sure (0.9)       ${percent(sure(ofMade))} of ${samples} samples, ${percent(sure(ofReal))} of real images`,
);
const shares = Array.from(
  { length: 10 },
  (_, digit) => ofMade.filter((each) => each.digit === digit).length / samples,
);
const asAsked = ofMade.filter(({ digit }, row) => digit === asked[row]).length / samples;
console.log(`as asked         ${percent(asAsked)}`);
console.log(`classes          ${shares.map((share, digit) => `${digit}: ${percent(share)}`).join("  ")}`);
const [among, amongReal] = [nearest(images, 1000), nearest(real, 1000)];
console.log(
  `nearest other    ${among.toFixed(3)} among 1,000 samples, ${amongReal.toFixed(3)} among 1,000 real images: ${(among / amongReal).toFixed(3)}`,
);
