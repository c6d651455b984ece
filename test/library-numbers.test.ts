/**
 * Every declaration of the library, by the table in support/library-items.ts: values and gradients by hand in f64,
 * gradients against differences, wasm against each kernel's bounds, rows of every batch, and the edges of f32.
 */
import { describe, expect, test } from "vitest";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { elementCount, type Tensor } from "../compiler/ir/tensor.ts";
import type { Graph } from "../compiler/ir/graph.ts";
import { librarySources } from "../compiler/library/sources.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { alongDirection } from "./support/graphs.ts";
import { firstRows, inputsOf, inputsOfHand, sizesOfHand, type Inputs } from "./support/item-inputs.ts";
import { outOfBounds } from "./support/kernel-bounds.ts";
import { libraryGraphs, type LibraryGraphs } from "./support/library-graph.ts";
import { initialisers, items, optimizers, type Hand, type Item } from "./support/library-items.ts";
import { expectSame } from "./support/lowering.ts";
import { random } from "./support/random.ts";
import { wasmEntries, type WasmEntries } from "./support/wasm-entries.ts";

const batches = [1, 2, 31, 32, 33] as const;
const most = 33;

const known = new Map<Item, LibraryGraphs>();
function graphsOf(item: Item): LibraryGraphs {
  let found = known.get(item);
  if (!found) known.set(item, (found = libraryGraphs(item.model, item.phase)));
  return found;
}

const modules = new Map<string, Promise<WasmEntries>>();
function moduleOf(item: Item, relaxed: boolean): Promise<WasmEntries> {
  const key = `${item.name} ${relaxed}`;
  let found = modules.get(key);
  if (!found) {
    const maxima = new Map([["B", most], ...largestSizes(item)]);
    found = wasmEntries(entriesOf(item), maxima, relaxed);
    modules.set(key, found);
  }
  return found;
}

function entriesOf(item: Item): Graph[] {
  const { forward, gradient } = graphsOf(item);
  return item.noGradient === undefined ? [forward, gradient] : [forward];
}

function largestSizes(item: Item): [string, number][] {
  return Object.entries(item.sizes ?? {}).map(([name, all]) => [name, Math.max(...all)]);
}

/** Every size of the free dims besides B; those of several dims are tried side by side. */
function sizesOf(item: Item, rows: number): Map<string, number>[] {
  const free = Object.entries(item.sizes ?? {});
  return Array.from(
    { length: Math.max(1, ...free.map(([, all]) => all.length)) },
    (_, i) =>
      new Map([
        ["B", rows],
        ...free.map(([name, all]) => [name, all[Math.min(i, all.length - 1)]!] as const),
      ]),
  );
}

test("every declaration of the library has an entry", () => {
  const declared = Object.values(librarySources).flatMap((text) =>
    [...text.matchAll(/^(?:module|fn|op|optimizer) (\w+)/gm)].map((match) => match[1]!),
  );
  const held = new Set([...items.flatMap((item) => item.of), ...optimizers, ...initialisers]);
  expect(declared.filter((name) => !held.has(name))).toEqual([]);
  expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
});

// ---------------------------------------------------------------- f64

type Runner = (graph: Graph, inputs: Inputs, sizes: ReadonlyMap<string, number>) => Map<string, Float64Array>;

/** `bound`: the largest distance from numbers of this size. */
function expectHand(item: Item, hand: Hand, run: Runner, bound: (largest: number) => number): void {
  const { forward } = graphsOf(item);
  const sizes = sizesOfHand(forward, hand);
  const found = new Map<string, Float64Array>();
  for (const graph of entriesOf(item))
    for (const [name, data] of run(graph, inputsOfHand(item, graph, hand, sizes), sizes))
      found.set(name, data);
  const inputs = new Set(forward.inputs.map(({ source }) => ("name" in source ? source.name : "")));
  for (const [name, expected] of Object.entries(hand)) {
    if (inputs.has(name)) continue;
    const data = [...(found.get(name) ?? [])];
    expect(data.length, name).toBe(expected.length);
    const allowed = bound(Math.max(...expected.map(Math.abs)));
    data.forEach((x, i) =>
      expect(Math.abs(x - expected[i]!), `${name}[${i}] ${x}, not ${expected[i]}`).toBeLessThanOrEqual(
        allowed,
      ),
    );
  }
}

const reference: Runner = (graph, inputs, sizes) => {
  const { outputs, writes } = evaluate(graph, inputs, sizes);
  const states = [...writes].map(([name, { data }]) => [`writes ${name}`, data] as const);
  return new Map([...[...outputs].map(([name, { data }]) => [name, data] as const), ...states]);
};

const compiled =
  (wasm: WasmEntries): Runner =>
  (graph, inputs, sizes) => {
    const { outputs, writes } = wasm.run(graph.name, inputs, sizes);
    return new Map([...outputs, ...[...writes].map(([name, data]) => [`writes ${name}`, data] as const)]);
  };

const byHand = items.filter(({ hand }) => hand && hand.length > 0).map((item) => [item.name, item] as const);

describe("by hand", () => {
  test.each(byHand)("%s", (_, item) => {
    // the f64 rounding of a few operations
    for (const hand of item.hand!) expectHand(item, hand, reference, (largest) => 1e-13 * (1 + largest));
  });
});

describe("by hand on wasm: five digits, however small or large the numbers are", () => {
  test.each(byHand)("%s", async (_, item) => {
    const run = compiled(await moduleOf(item, true));
    for (const hand of item.hand!) expectHand(item, hand, run, (largest) => 1e-5 * largest);
  });
});

describe("gradients against differences", () => {
  for (const item of items) {
    if (item.noGradient !== undefined) continue;
    test(item.name, () => {
      const { gradient } = graphsOf(item);
      for (const sizes of sizesOf(item, 3)) {
        const inputs = inputsOf(item, gradient, sizes);
        const names = gradient.outputs.map(({ name }) => name).filter((name) => name.startsWith("d."));
        expect(names.length).toBeGreaterThan(0);
        // one input at a time, then all of them
        const alone = names.map((name) => [name.slice(2)]);
        for (const moved of [...alone, names.map((name) => name.slice(2))]) {
          const found = alongDirection(gradient, inputs, sizes, moved, random(1));
          const { byGraph, byDifference, scale } = found;
          expect(Math.abs(byGraph - byDifference), moved.join()).toBeLessThan(1e-8 * (1 + scale));
        }
      }
    });
  }
});

// ---------------------------------------------------------------- wasm

describe.each([
  ["strict", false],
  ["relaxed", true],
] as const)("wasm %s", (_, relaxed) => {
  test.each(items.map((item) => [item.name, item] as const))(
    "%s: each kernel within its bounds",
    async (__, item) => {
      const wasm = await moduleOf(item, relaxed);
      for (const graph of entriesOf(item))
        for (const rows of [1, 3, most])
          for (const sizes of sizesOf(item, rows)) {
            const inputs = inputsOf(item, graph, sizes);
            const run = wasm.run(graph.name, inputs, sizes);
            expect(outOfBounds(run), `${graph.name}, ${rows} rows`).toEqual([]);
            // the kernels mean what the graph means, in f64
            if (!relaxed && rows === 3) expectSame(optimize(graph), inputs, sizes);
          }
    },
  );

  test.each(items.flatMap((item) => (item.rows ? [[item.name, item] as const] : [])))(
    "%s: a row has the same bits in every batch",
    async (__, item) => {
      const wasm = await moduleOf(item, relaxed);
      const { forward } = graphsOf(item);
      for (const sizes of sizesOf(item, most)) {
        const inputs = inputsOf(item, forward, sizes);
        const all = wasm.run("forward", inputs, sizes).outputs.get("out")!;
        for (const rows of batches) {
          const fewer = new Map([...sizes, ["B", rows]]);
          const some = wasm.run("forward", firstRows(forward, inputs, fewer), fewer).outputs.get("out")!;
          expect(some.length).toBe((all.length / most) * rows);
          expect(some.every((x, i) => Object.is(x, all[i]))).toBe(true);
        }
      }
    },
  );
});

test("a number that is off by a few units in the last place is noticed", async () => {
  const item = items.find(({ name }) => name === "softmax")!;
  const wasm = await moduleOf(item, false);
  const sizes = new Map([["B", 3]]);
  const run = wasm.run("forward", inputsOf(item, graphsOf(item).forward, sizes), sizes);
  expect(outOfBounds(run)).toEqual([]);
  const out = run.outputs.get("out")!;
  for (const ulps of [20, -20]) {
    const kept = out[4]!;
    out[4] = kept * (1 + ulps * 2 ** -23);
    expect(outOfBounds(run)).toHaveLength(1);
    out[4] = kept;
  }
});

// ---------------------------------------------------------------- edges

const edgeValues = [0, 1e-30, -1e-30, 20, -20, 89, -89, 1e4, -1e4, 1e30, -1e30].map(Math.fround);
const largestFloat = 3.4028234663852886e38;

/** The inputs that take edges: all float inputs of the model itself, or those named. */
function edgeInputs(item: Item, graph: Graph): string[] {
  return graph.inputs.flatMap(({ source, type }) => {
    if (!("name" in source) || source.role !== "input" || type.dtype !== "f32") return [];
    return source.name !== "cotangent" && (item.edges?.includes(source.name) ?? true) ? [source.name] : [];
  });
}

/** Inputs that are one edge everywhere, every pair of edges for two of them, and mixtures. */
function* edgeCases(item: Item, graph: Graph, sizes: ReadonlyMap<string, number>): Generator<Inputs> {
  const names = edgeInputs(item, graph);
  const start = inputsOf(item, graph, sizes);
  const fill = (value: (name: string) => number): Inputs =>
    new Map(
      [...start].map(([name, given]) => [
        name,
        name === "cotangent"
          ? { ...given, data: given.data.map(() => 1) }
          : names.includes(name)
            ? { ...given, data: given.data.map(() => value(name)) }
            : given,
      ]),
    );
  const others = names.length > 1 ? edgeValues : [0];
  for (const a of edgeValues) for (const b of others) yield fill((name) => (name === names[0] ? a : b));
  const r = random(5);
  for (let i = 0; i < 40; i++) yield fill(() => r.pick(edgeValues));
}

describe("edges of f32: what is finite has finite gradients, and nothing becomes NaN", () => {
  for (const item of items) {
    if (item.edges?.length === 0) continue;
    test(item.name, async () => {
      const { forward, gradient } = graphsOf(item);
      const wasm = await moduleOf(item, true);
      for (const sizes of sizesOf(item, 2)) {
        for (const inputs of edgeCases(item, forward, sizes)) {
          const shown = () => [...inputs].map(([name, { data }]) => `${name} ${[...data].slice(0, 12).join(" ")}`).join("; "); // prettier-ignore
          const out = wasm.run("forward", inputs, sizes).outputs.get("out")!;
          const truth = evaluate(forward, inputs, sizes).outputs.get("out")!.data;
          const bad = out.findIndex((x, i) => Number.isNaN(x) && Math.abs(truth[i]!) <= largestFloat);
          if (bad >= 0) expect.fail(`out[${bad}] is NaN, not ${truth[bad]}, for ${shown()}`);
          if (item.noGradient !== undefined || !out.every(Number.isFinite)) continue;
          const run = wasm.run("gradient", new Map([...inputs, ["cotangent", ones(gradient, sizes)]]), sizes);
          for (const [name, data] of run.outputs)
            if (name !== "loss" && !data.every(Number.isFinite))
              expect.fail(`${name} is ${data.find((x) => !Number.isFinite(x))} for ${shown()}`);
        }
      }
    });
  }
});

function ones(graph: Graph, sizes: ReadonlyMap<string, number>): Tensor {
  const value = graph.inputs.find(({ source }) => "name" in source && source.name === "cotangent")!;
  const none: Item = { name: "", of: [], model: "" };
  const shape = inputsOf(none, { ...graph, inputs: [value] }, sizes).get("cotangent")!.shape;
  return { dtype: "f32", shape, data: new Float64Array(elementCount(shape)).fill(1) };
}
