/**
 * Single layers, activations, losses, optimizers and schedules against PyTorch: values, gradients, running statistics,
 * updates, rates.
 * Recorded in f64 by test/pytorch/record-library.py; where python3-torch is installed the record is made anew and compared.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Graph } from "../compiler/ir/graph.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { inputsOf } from "./support/item-inputs.ts";
import { libraryGraphs } from "./support/library-graph.ts";
import { schedules } from "./support/items/schedules.ts";
import { items, type Item } from "./support/library-items.ts";
import {
  gradientOf,
  oneRow,
  startingTensors,
  startOf,
  stepInputs,
  trainingGraphs,
  weightCount,
} from "./support/training-graph.ts";
import { trainingItems, type TrainingItem } from "./support/training-items.ts";
import { wasmEntries } from "./support/wasm-entries.ts";

type Numbers = Readonly<Record<string, readonly number[]>>;

interface Recorded {
  readonly items: Readonly<Record<string, Numbers>>;
  /** weights after each step */
  readonly optimizers: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** the rate of each step from the first */
  readonly schedules: Readonly<Record<string, readonly number[]>>;
}

const script = join(import.meta.dirname, "pytorch/record-library.py");
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, "golden/pytorch-library.json"), "utf8"),
) as Recorded;

/** What runs an entry: the reference, or a compiled module. */
type Runner = (
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
) => {
  readonly outputs: ReadonlyMap<string, Float64Array>;
  readonly writes: ReadonlyMap<string, Float64Array>;
};

const numbersOf = (all: ReadonlyMap<string, Tensor>): Map<string, Float64Array> =>
  new Map([...all].map(([name, { data }]) => [name, data]));

const reference: Runner = (graph, inputs, sizes) => {
  const { outputs, writes } = evaluate(graph, inputs, sizes);
  return { outputs: numbersOf(outputs), writes: numbersOf(writes) };
};

async function compiledRunner(
  graphs: readonly Graph[],
  sizes: ReadonlyMap<string, number>,
  relaxed: boolean,
): Promise<Runner> {
  // prettier-ignore
  const wasm = await wasmEntries(graphs, sizes, relaxed);
  return (graph, inputs, at) => wasm.run(graph.name, inputs, at);
}

/** Largest allowed distance from numbers of this size. */
type Bound = (largest: number) => number;
const f64: Bound = (largest) => 1e-9 * largest;
const f32: Bound = (largest) => 1e-5 * largest + 1e-6;

/** Largest distances seen, by item, as parts of what is allowed at 1e-5 or 1e-9 of the largest number. */
const seen = new Map<string, number>();
afterAll(() => {
  const lines = [...seen]
    .sort(([, a], [, b]) => b - a)
    .map(([item, part]) => `${part.toExponential(1)}  ${item}`);
  console.log(`largest distance from PyTorch, as part of the bound\n${lines.join("\n")}`);
});

function expectNear(what: string, found: ArrayLike<number>, expected: readonly number[], bound: Bound): void {
  expect(found.length, what).toBe(expected.length);
  const allowed = bound(Math.max(...expected.map(Math.abs), 0));
  const worst = Math.max(0, ...expected.map((value, i) => Math.abs(found[i]! - value)));
  const item = expect.getState().currentTestName ?? "";
  if (allowed > 0) seen.set(item, Math.max(seen.get(item) ?? 0, worst / allowed));
  expected.forEach((value, i) =>
    expect(Math.abs(found[i]! - value), `${what}[${i}]`).toBeLessThanOrEqual(allowed),
  );
}

const withTorch = items.filter(({ torch }) => torch);

function graphsOf(item: Item): Graph[] {
  const { forward, gradient } = libraryGraphs(item.model, item.phase);
  return item.noGradient === undefined ? [forward, gradient] : [forward];
}

function sizesOf(item: Item): Map<string, number> {
  return new Map([["B", 3], ...Object.entries(item.sizes ?? {}).map(([name, all]) => [name, all.at(-1)!] as const)]); // prettier-ignore
}

function compareItem(item: Item, graphs: readonly Graph[], run: Runner, bound: Bound): void {
  const sizes = sizesOf(item);
  const found = new Map<string, Float64Array>();
  for (const graph of graphs) {
    const { outputs, writes } = run(graph, inputsOf(item, graph, sizes), sizes);
    for (const [name, data] of outputs) if (name !== "loss") found.set(name, data);
    for (const [name, data] of writes) found.set(`writes ${name}`, data);
  }
  const expected = recorded.items[item.name]!;
  expect([...found.keys()].sort()).toEqual(Object.keys(expected).sort());
  const largest = Math.max(...Object.values(expected).flatMap((all) => all.map(Math.abs)));
  for (const [name, data] of found)
    expectNear(name, data, expected[name]!, item.cancels?.includes(name) ? () => bound(largest) : bound);
}

function compareSteps(item: TrainingItem, run: Runner, bound: Bound): void {
  const graphs = trainingGraphs(item.settings);
  const kept = startingTensors(graphs, startOf(item));
  recorded.optimizers[item.name]!.forEach((expected, i) => {
    const inputs = stepInputs(graphs, kept, gradientOf(item, i + 1), i + 1);
    const { writes } = run(graphs.entries[0]!.graph, inputs, oneRow);
    for (const [name, data] of writes) kept.set(name, tensor("f32", [weightCount], data));
    expectNear(`weights after step ${i + 1}`, kept.get("parameters")!.data, expected, bound);
  });
}

test("all that is recorded is compared", () => {
  expect(Object.keys(recorded.items).sort()).toEqual(withTorch.map(({ name }) => name).sort());
  const names = trainingItems.map(({ name }) => name);
  expect(Object.keys(recorded.optimizers).filter((name) => !names.includes(name))).toEqual([]);
  expect(Object.keys(recorded.schedules).sort()).toEqual(schedules.map(({ name }) => name).sort());
});

const steps = trainingItems.filter(({ name }) => recorded.optimizers[name]);

describe("the reference in f64, within 1e-9", () => {
  test.each(withTorch.map((item) => [item.name, item] as const))("%s", (_, item) =>
    compareItem(item, graphsOf(item), reference, f64),
  );
  test.each(steps.map((item) => [item.name, item] as const))("steps of %s", (_, item) =>
    compareSteps(item, reference, f64),
  );
  test.each(schedules.map((item) => [item.name, item] as const))("rates of %s", (_, item) => {
    const { forward } = libraryGraphs(item.model);
    const expected = recorded.schedules[item.name]!;
    const rates = expected.map((__, i) => {
      const inputs = new Map([["k", tensor("f32", [], [i + 1])]]);
      return reference(forward, inputs, new Map()).outputs.get("out")![0]!;
    });
    expectNear("rate", rates, expected, f64);
  });
});

describe.each([
  ["strict", false],
  ["relaxed", true],
] as const)("wasm %s, within 1e-5 of the largest number", (_, relaxed) => {
  test.each(withTorch.map((item) => [item.name, item] as const))("%s", async (__, item) => {
    const graphs = graphsOf(item);
    compareItem(item, graphs, await compiledRunner(graphs, sizesOf(item), relaxed), f32);
  });
  test.each(steps.map((item) => [item.name, item] as const))("steps of %s", async (__, item) => {
    const graphs = trainingGraphs(item.settings).entries.map(({ graph }) => graph);
    compareSteps(item, await compiledRunner(graphs, oneRow, relaxed), f32);
  });
});

test("the record is what PyTorch says today", (context) => {
  const python = spawnSync("/usr/bin/python3", [script], { encoding: "utf8" });
  if (python.status !== 0) {
    console.warn("python3-torch is not installed: the committed record is not checked against PyTorch");
    context.skip();
  }
  const now = JSON.parse(python.stdout) as Recorded;
  for (const [name, values] of Object.entries(recorded.items))
    for (const [key, expected] of Object.entries(values))
      expectNear(`${name} ${key}`, now.items[name]![key]!, expected, f64);
  for (const [name, all] of Object.entries(recorded.optimizers))
    all.forEach((expected, i) => expectNear(name, now.optimizers[name]![i]!, expected, f64));
  for (const [name, rates] of Object.entries(recorded.schedules))
    expectNear(name, now.schedules[name]!, rates, f64);
});
