/** Metrics against values worked out by hand. */
import { expect, test } from "vitest";
import { definitionOf, metricTable } from "../compiler/check/flow/metrics.ts";
import { confusion, metrics, type Predictions } from "../src/evaluate/metrics.ts";

// truth 0 0 1 1 2 2, predicted 0 1 1 1 2 0
const classes: Predictions = {
  rows: 6,
  width: 3,
  // prettier-ignore
  out: [3, 1, 0,  1, 2, 0,  0, 2, 1,  1, 4, 0,  0, 0, 5,  2, 1, 0],
  target: [0, 0, 1, 1, 2, 2],
  classes: true,
};

const values: Predictions = { rows: 4, width: 1, out: [1, 2, 3, 4], target: [1, 1, 3, 5], classes: false };

function of(name: string, p: Predictions, options = {}): number {
  return metrics[name]!(p, options);
}

test("confusion counts truth by prediction", () => {
  expect(confusion(classes)).toEqual([
    [1, 1, 0],
    [0, 2, 0],
    [1, 0, 1],
  ]);
});

test("metrics of classes", () => {
  expect(of("accuracy", classes)).toBe(4 / 6);
  expect(of("top", classes, { k: 2 })).toBe(5 / 6);
  expect(of("top", classes, { k: 3 })).toBe(1);
  expect(of("precision", classes)).toBeCloseTo((1 / 2 + 2 / 3 + 1) / 3, 12);
  expect(of("recall", classes)).toBeCloseTo((1 / 2 + 1 + 1 / 2) / 3, 12);
  expect(of("f1", classes)).toBeCloseTo((1 / 2 + 4 / 5 + 2 / 3) / 3, 12);
  expect(of("precision", classes, { average: "micro" })).toBeCloseTo(4 / 6, 12);
});

test("ROC-AUC: perfect, reversed, and ties at a half", () => {
  const scores = (out: number[]): Predictions => ({
    rows: 4,
    width: 1,
    out,
    target: [0, 0, 1, 1],
    classes: true,
  });
  expect(of("roc_auc", scores([-2, -1, 1, 2]))).toBe(1);
  expect(of("roc_auc", scores([2, 1, -1, -2]))).toBe(0);
  expect(of("roc_auc", scores([1, 1, 1, 1]))).toBe(0.5);
  expect(of("roc_auc", scores([0, 2, 1, 3]))).toBe(0.75);
});

test("metrics of values", () => {
  expect(of("mae", values)).toBe(0.5);
  expect(of("rmse", values)).toBe(Math.sqrt(0.5));
  expect(of("r2", values)).toBeCloseTo(1 - 2 / 11, 12);
});

test("a class that never occurs gives no number that is not finite", () => {
  const one: Predictions = { rows: 1, width: 3, out: [1, 0, 0], target: [0], classes: true };
  for (const [name, compute] of Object.entries(metrics))
    if (definitionOf({ name }).needs === "classes") expect(compute(one, {})).toSatisfy(Number.isFinite);
});

test("every metric of the language is computed", () => {
  const known = metricTable.filter((m) => m.name !== "loss").map((m) => m.name);
  expect(Object.keys(metrics).sort()).toEqual(known.sort());
});
