/** How metrics are computed over all rows of a split: f64 on the host, in row order. What they are: compiler/check/flow/metrics.ts. */

/** What a model said, and the truth. */
export interface Predictions {
  /** of the data; where a row has a class at each of its positions, these positions */
  readonly rows: number;
  /** numbers a row in `out`: the classes' scores, or 1 */
  readonly width: number;
  /** row-major [rows, width]; logits, or values of a regression */
  readonly out: ArrayLike<number>;
  /** class ids, or values [rows, width] */
  readonly target: ArrayLike<number>;
  /** whether targets are class ids */
  readonly classes: boolean;
}

export type Average = "macro" | "micro" | "weighted";

export interface MetricArguments {
  /** k of `top(k)` */
  readonly k?: number;
  /** of precision, recall, f1 */
  readonly average?: Average;
}

export type Metric = (predictions: Predictions, options: MetricArguments) => number;

/** The class with the highest score of a row; the first of equals. A single score stands for two classes, split at 0. */
export function predictedClass(p: Predictions, row: number): number {
  if (p.width === 1) return p.out[row]! > 0 ? 1 : 0;
  let best = 0;
  for (let c = 1; c < p.width; c++) if (p.out[row * p.width + c]! > p.out[row * p.width + best]!) best = c;
  return best;
}

/** counts[truth][predicted] */
export function confusion(p: Predictions): number[][] {
  const size = Math.max(2, p.width);
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let row = 0; row < p.rows; row++) counts[p.target[row]!]![predictedClass(p, row)]! += 1;
  return counts;
}

interface ClassCounts {
  readonly hits: number;
  readonly predicted: number;
  readonly actual: number;
}

function perClass(p: Predictions): ClassCounts[] {
  const matrix = confusion(p);
  return matrix.map((line, c) => ({
    hits: line[c]!,
    predicted: matrix.reduce((sum, other) => sum + other[c]!, 0),
    actual: line.reduce((a, b) => a + b, 0),
  }));
}

/** 0 where nothing was to be found, as scikit-learn's zero_division=0 */
function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

function averaged(p: Predictions, average: Average, score: (c: ClassCounts) => number): number {
  const counts = perClass(p);
  if (average === "micro") {
    const hits = counts.reduce((s, c) => s + c.hits, 0);
    return ratio(hits, p.rows);
  }
  if (average === "weighted")
    return ratio(
      counts.reduce((s, c) => s + score(c) * c.actual, 0),
      p.rows,
    );
  const present = counts.filter((c) => c.actual > 0 || c.predicted > 0);
  return ratio(
    present.reduce((s, c) => s + score(c), 0),
    present.length,
  );
}

/** Area under the ROC curve of scores for one class against the rest, by ranks with ties at their mean (Mann-Whitney U). */
function areaUnderCurve(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let rankSum = 0;
  let positives = 0;
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && scores[order[end]!] === scores[order[i]!]) end++;
    const rank = (i + 1 + end) / 2;
    for (let j = i; j < end; j++)
      if (positive[order[j]!]) {
        rankSum += rank;
        positives++;
      }
    i = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Softmax of one row: logits of different rows are not comparable, probabilities are. */
export function probabilities(p: Predictions, row: number): number[] {
  if (p.width === 1) {
    const positive = 1 / (1 + Math.exp(-p.out[row]!));
    return [1 - positive, positive];
  }
  const scores = Array.from({ length: p.width }, (_, c) => p.out[row * p.width + c]!);
  const top = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

function rocAuc(p: Predictions): number {
  const rows = Array.from({ length: p.rows }, (_, row) => probabilities(p, row));
  const areas: number[] = [];
  const classes = p.width === 1 ? [1] : Array.from({ length: p.width }, (_, c) => c);
  for (const c of classes) {
    const area = areaUnderCurve(
      rows.map((r) => r[c]!),
      rows.map((_, row) => p.target[row] === c),
    );
    if (area !== undefined) areas.push(area);
  }
  return ratio(
    areas.reduce((a, b) => a + b, 0),
    areas.length,
  );
}

function meanOver(p: Predictions, of: (out: number, target: number) => number): number {
  let sum = 0;
  const count = p.rows * p.width;
  for (let i = 0; i < count; i++) sum += of(p.out[i]!, p.target[i]!);
  return sum / count;
}

function topShare(p: Predictions, k: number): number {
  let hits = 0;
  for (let row = 0; row < p.rows; row++) {
    const truth = p.target[row]!;
    const score = p.out[row * p.width + truth]!;
    let better = 0;
    for (let c = 0; c < p.width; c++) {
      const other = p.out[row * p.width + c]!;
      if (other > score || (other === score && c < truth)) better++;
    }
    if (better < k) hits++;
  }
  return hits / p.rows;
}

function accuracy(p: Predictions): number {
  let hits = 0;
  for (let row = 0; row < p.rows; row++) if (predictedClass(p, row) === p.target[row]) hits++;
  return hits / p.rows;
}

/** exp of the mean over rows of -log of the probability of the true class. */
function perplexity(p: Predictions): number {
  let sum = 0;
  for (let row = 0; row < p.rows; row++) {
    const scores =
      p.width === 1 ? [0, p.out[row]!] : Array.from({ length: p.width }, (_, c) => p.out[row * p.width + c]!);
    const top = Math.max(...scores);
    const total = scores.reduce((all, score) => all + Math.exp(score - top), 0);
    sum += top + Math.log(total) - scores[p.target[row]!]!;
  }
  return Math.exp(sum / p.rows);
}

/** Share of the targets' variance that is explained; 0 where the targets are all equal. */
function determination(p: Predictions): number {
  const mean = meanOver(p, (_, target) => target);
  const residual = meanOver(p, (out, target) => (out - target) ** 2);
  const total = meanOver(p, (_, target) => (target - mean) ** 2);
  return total === 0 ? 0 : 1 - residual / total;
}

/** By the metric's name in the language. `loss` is not here: the measure entry computes it. */
export const metrics: Readonly<Record<string, Metric>> = {
  accuracy,
  top: (p, { k = 5 }) => topShare(p, k),
  precision: (p, { average = "macro" }) => averaged(p, average, (c) => ratio(c.hits, c.predicted)),
  recall: (p, { average = "macro" }) => averaged(p, average, (c) => ratio(c.hits, c.actual)),
  f1: (p, { average = "macro" }) => averaged(p, average, (c) => ratio(2 * c.hits, c.predicted + c.actual)),
  roc_auc: rocAuc,
  perplexity,
  mae: (p) => meanOver(p, (out, target) => Math.abs(out - target)),
  rmse: (p) => Math.sqrt(meanOver(p, (out, target) => (out - target) ** 2)),
  r2: determination,
};
