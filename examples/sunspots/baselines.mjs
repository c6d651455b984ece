// What a network has to beat, on the rows of sunspots.dlm's split: persistence (the next month is like the last one) and
// AR(p) by least squares, p of 1 to 24 chosen on the validation rows. RMSE in sunspot numbers.
import { fileURLToPath } from "node:url";
import { readSeries } from "./windows.mjs";

const series = readSeries(
  fileURLToPath(new URL("../../.data/sunspots/windows.safetensors", import.meta.url)),
);
const months = 48;
const rows = series.length - months;
// the rounding of `split train = 64%, valid = 16%, test = 20%`
const borders = [0, 0.64, 0.8, 1].map((part) => months + Math.round(part * rows));
const [train, valid, test] = [0, 1, 2].map((i) => [borders[i], borders[i + 1]]);

/** 1 and the p values before a month. */
const before = (month, p) => [1, ...series.slice(month - p, month)];

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Root of the mean squared error of `predict(month)` over the months of a range. */
function rmse(predict, [start, end]) {
  let sum = 0;
  for (let month = start; month < end; month++) sum += (predict(month) - series[month]) ** 2;
  return Math.sqrt(sum / (end - start));
}

/** Coefficients of AR(p) with an intercept on the months of a range: normal equations, Gauss with pivots. */
function leastSquares(p, [start, end]) {
  const size = p + 1;
  const system = Array.from({ length: size }, () => new Array(size + 1).fill(0));
  for (let month = start; month < end; month++) {
    const row = [...before(month, p), series[month]];
    for (let i = 0; i < size; i++) for (let j = 0; j <= size; j++) system[i][j] += row[i] * row[j];
  }
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let k = i; k < size; k++) if (Math.abs(system[k][i]) > Math.abs(system[pivot][i])) pivot = k;
    [system[i], system[pivot]] = [system[pivot], system[i]];
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = system[k][i] / system[i][i];
      for (let j = i; j <= size; j++) system[k][j] -= factor * system[i][j];
    }
  }
  return system.map((row, i) => row[size] / row[i]);
}

const autoregression = (p, range) => {
  const coefficients = leastSquares(p, range);
  return (month) => dot(coefficients, before(month, p));
};

const persistence = (month) => series[month - 1];
let best = { p: 0, error: Infinity };
for (let p = 1; p <= 24; p++) {
  const error = rmse(autoregression(p, train), valid);
  if (error < best.error) best = { p, error };
}
const line = (name, predict) =>
  console.log(
    `${name.padEnd(44)}${rmse(predict, valid).toFixed(2).padStart(10)}${rmse(predict, test).toFixed(2).padStart(10)}`,
  );

console.log(`${"RMSE".padEnd(44)}${"valid".padStart(10)}${"test".padStart(10)}`);
line("persistence", persistence);
line(`AR(${best.p}), fitted on train`, autoregression(best.p, train));
line(`AR(${best.p}), fitted on train and valid`, autoregression(best.p, [train[0], valid[1]]));
