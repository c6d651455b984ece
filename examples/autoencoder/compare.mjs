// Reconstructions of the Fashion-MNIST test set by both programs and by PCA with a code of the same size: mean squared
// errors, and a picture of the first twelve. After training: node examples/autoencoder/compare.mjs
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { encodePng } from "../../.build/src/picture.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const codes = 32;
const pixels = 784;

/** Pictures of an idx file as bytes. */
function images(name) {
  const bytes = gunzipSync(readFileSync(join(root, ".data/fashion", name)));
  return bytes.subarray(16);
}

const train = images("train-images-idx3-ubyte.gz").subarray(0, 55_000 * pixels);
const test = images("t10k-images-idx3-ubyte.gz");
const rows = test.length / pixels;
const target = Float32Array.from(test, (value) => value / 255);

function meanSquare(found) {
  let sum = 0;
  for (let i = 0; i < target.length; i++) sum += (found[i] - target[i]) ** 2;
  return sum / target.length;
}

// ---------------------------------------------------------------- principal components

/** Mean and the first components of the train pictures, by subspace iteration on their covariance. */
function components() {
  const count = train.length / pixels;
  const mean = new Float64Array(pixels);
  for (let i = 0; i < train.length; i++) mean[i % pixels] += train[i] / 255 / count;
  const covariance = new Float64Array(pixels * pixels);
  const row = new Float64Array(pixels);
  for (let r = 0; r < count; r++) {
    for (let j = 0; j < pixels; j++) row[j] = train[r * pixels + j] / 255 - mean[j];
    for (let j = 0; j < pixels; j++)
      if (row[j] !== 0)
        for (let k = j; k < pixels; k++) covariance[j * pixels + k] += (row[j] * row[k]) / count;
  }
  for (let j = 0; j < pixels; j++)
    for (let k = 0; k < j; k++) covariance[j * pixels + k] = covariance[k * pixels + j];

  // some more directions than are wanted, so that the last of these come out exactly too
  const wide = codes + 16;
  let basis = Array.from({ length: wide }, (_, n) =>
    Float64Array.from({ length: pixels }, (__, j) => Math.sin((n + 1) * (j + 1))),
  );
  for (let step = 0; step < 60; step++) basis = orthonormal(basis.map((v) => times(covariance, v)));
  // within the space that was found: most variance first
  const inside = basis.map((v) => times(covariance, v));
  let turns = Array.from({ length: wide }, (_, n) =>
    Float64Array.from({ length: wide }, (__, m) => (n === m ? 1 : 0)),
  );
  const small = new Float64Array(wide * wide);
  for (let n = 0; n < wide; n++)
    for (let m = 0; m < wide; m++) small[n * wide + m] = dot(basis[n], inside[m]);
  for (let step = 0; step < 500; step++) turns = orthonormal(turns.map((v) => times(small, v)));
  const found = turns.slice(0, codes).map((turn) => {
    const sum = new Float64Array(pixels);
    basis.forEach((v, n) => v.forEach((value, j) => (sum[j] += turn[n] * value)));
    return sum;
  });
  return { mean, found };
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const times = (matrix, v) => {
  const n = v.length;
  return Float64Array.from({ length: n }, (_, i) => dot(matrix.subarray(i * n, (i + 1) * n), v));
};

/** Gram and Schmidt, twice for the sake of rounding. */
function orthonormal(vectors) {
  const done = [];
  for (const v of vectors) {
    for (let pass = 0; pass < 2; pass++)
      for (const u of done) {
        const part = dot(u, v);
        for (let i = 0; i < v.length; i++) v[i] -= part * u[i];
      }
    const length = Math.sqrt(dot(v, v));
    done.push(v.map((value) => value / length));
  }
  return done;
}

function byPca() {
  const { mean, found } = components();
  const out = new Float32Array(target.length);
  const row = new Float64Array(pixels);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < pixels; j++) row[j] = target[r * pixels + j] - mean[j];
    const sum = Float64Array.from(mean);
    for (const v of found) {
      const code = dot(v, row);
      for (let j = 0; j < pixels; j++) sum[j] += code * v[j];
    }
    out.set(sum, r * pixels);
  }
  return out;
}

// ---------------------------------------------------------------- the programs

/** The outputs of a compiled program on all test pictures. */
async function byProgram(program, model, weights) {
  const folder = join(root, ".data/dist", program);
  const cli = join(root, ".build/bin/dlmc.js");
  const file = join(root, ".data/runs", program, weights);
  execFileSync(process.execPath, [
    cli,
    "compile",
    join(here, `${program}.dlm`),
    "--weights",
    file,
    "-o",
    folder,
  ]);
  const { load } = await import(pathToFileURL(join(folder, `${model}.js`)).href);
  const loaded = await load();
  return loaded.run({ image: test });
}

// ---------------------------------------------------------------- the picture

/** Grey pictures of 28 by 28, a line for each of the lists. */
function sheet(lines, count) {
  const [width, height] = [28 * count, 28 * lines.length];
  const levels = new Uint8Array(width * height);
  lines.forEach((all, line) => {
    for (let n = 0; n < count; n++)
      for (let y = 0; y < 28; y++)
        for (let x = 0; x < 28; x++)
          levels[(line * 28 + y) * width + n * 28 + x] = Math.round(
            255 * Math.min(1, Math.max(0, all[n * pixels + y * 28 + x])),
          );
  });
  return encodePng({ width, height, channels: 1, pixels: levels });
}

const pca = byPca();
const { out: plain } = await byProgram("autoencoder", "Autoencoder", "best.safetensors");
const { pixels: logits } = await byProgram("vae", "Vae", "last.safetensors");
const vae = logits.map((value) => 1 / (1 + Math.exp(-value)));
for (const [name, found] of [
  ["PCA", pca],
  ["Autoencoder", plain],
  ["Vae", vae],
])
  console.log(
    `${name.padEnd(12)} mean squared error ${meanSquare(found).toFixed(5)} over ${rows} test pictures`,
  );
writeFileSync(join(here, "reconstructions.png"), sheet([target, pca, plain, vae], 12));
