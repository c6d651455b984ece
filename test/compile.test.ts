/** The whole pipeline from graphs on: stages, observer, pinned dims, and artifacts that train and infer when loaded. */
import { describe, expect, test } from "vitest";
import { compileModel, type Compiled, type CompileOptions } from "../compiler/compile.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import * as build from "../compiler/ops/build.ts";
import { load } from "../runtime/index.ts";
import { batch, crossEntropy, dense, inference, type Net, training } from "./support/networks.ts";

const forward = (net: Net) => {
  const hidden = build.relu(net.b, dense(net, net.input("x", "f32", [batch, 8]), 16));
  return { out: dense(net, hidden, 5) };
};
const loss = (net: Net) => {
  const { out } = forward(net);
  return { loss: crossEntropy(net, out, net.input("label", "i32", [batch])) };
};

const weights: ModelGraphs["weights"] = [
  { path: "hidden.kernel", shape: [8, 16], offset: 0, kind: "kernel" },
  { path: "hidden.bias", shape: [16], offset: 128, kind: "other" },
  { path: "last.kernel", shape: [16, 5], offset: 144, kind: "kernel" },
  { path: "last.bias", shape: [5], offset: 224, kind: "other" },
];

const model: ModelGraphs = {
  name: "Net",
  weights,
  states: [],
  optimizer: ["optimizer.m", "optimizer.v"].map((path) => ({
    path,
    shape: [229],
    initial: tensor("f32", [229]),
  })),
  entries: [inference(forward), training(loss)].map((graph) => ({
    graph,
    rows: graph.name === "infer",
    tensors: new Map([["out", { labels: [undefined, "Class"], classes: ["a", "b", "c", "d", "e"] }]]),
    defaults: new Map([["B", 8]]),
  })),
};

const compiled = (options: Partial<CompileOptions> = {}): Promise<Compiled> =>
  compileModel(model, { version: "0.0.0", relaxed: false, ...options });

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
};
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, random);
const values = new Map(weights.map(({ path, shape }) => [path, numbers(shape.reduce((a, b) => a * b, 1))]));

/** The network in f64, and for each result the sum of the sizes of all that was added up to it. */
function expected(x: Float32Array): { readonly out: number[]; readonly terms: number[] } {
  const out: number[] = [];
  const terms: number[] = [];
  const layer = (
    input: readonly number[],
    sizes: readonly number[],
    name: string,
    width: number,
  ): number[][] =>
    Array.from({ length: width }, (_, j) => {
      const products = input.map((value, k) => value * values.get(`${name}.kernel`)![k * width + j]!);
      const bias = values.get(`${name}.bias`)![j]!;
      const weight = (k: number): number => Math.abs(values.get(`${name}.kernel`)![k * width + j]!);
      return [
        products.reduce((a, b) => a + b, bias),
        sizes.reduce((a, size, k) => a + size * weight(k), Math.abs(bias)),
      ];
    });
  for (let row = 0; row < x.length; row += 8) {
    const input = Array.from(x.subarray(row, row + 8));
    const hidden = layer(input, input.map(Math.abs), "hidden", 16);
    const relu = hidden.map(([value]) => Math.max(0, value!));
    for (const [value, size] of layer(
      relu,
      hidden.map(([, size]) => size!),
      "last",
      5,
    )) {
      out.push(value!);
      terms.push(size!);
    }
  }
  return { out, terms };
}

/** n times epsilon times the sum of the sizes of the terms, over both layers. */
const sums = (8 + 1 + 16 + 1) * 2 ** -23;

describe("compiled models", () => {
  test.each([1, 2, 7, 8, 9, 30])("compute what they mean for %i rows", async (rows) => {
    const { strict, relaxed } = await compiled({ relaxed: true });
    for (const artifact of [strict!.artifact!, relaxed!.artifact!]) {
      const loaded = await load(artifact, { weights: values });
      const x = numbers(8 * rows);
      const result = (await loaded.run({ x }))["out"]!;
      const { out, terms } = expected(x);
      out.forEach((value, i) => expect(Math.abs(result[i]! - value)).toBeLessThanOrEqual(sums * terms[i]!));
      // one row alone gives the same bits
      const alone = (await loaded.run({ x: x.subarray(0, 8) }))["out"]!;
      expect(alone).toEqual(result.subarray(0, 5));
    }
  });

  test("train, and stay as they are when the loss is not finite", async () => {
    const { strict } = await compiled();
    const loaded = await load(strict!.artifact!, { weights: values });
    const x = numbers(64);
    const label = Int32Array.from({ length: 8 }, (_, i) => i % 5);
    const losses: number[] = [];
    for (let i = 0; i < 100; i++) losses.push((await loaded.step({ x, label })).loss);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    const before = loaded.weights({ optimizer: true });
    const step = await loaded.step({ x: x.map((value) => value * 1e38), label });
    expect(step.ok).toBe(false);
    expect(loaded.weights({ optimizer: true })).toEqual(before);
  });

  test("say in the manifest what they are", async () => {
    const { strict, relaxed } = await compiled({ relaxed: true });
    const [one, two] = await Promise.all([load(strict!.artifact!), load(relaxed!.artifact!)]);
    expect(one.manifest).toMatchObject({ name: "Net", compiler: "0.0.0", relaxed: false });
    expect(two.manifest).toMatchObject({ relaxed: true, hashes: one.manifest.hashes });
    expect(one.manifest.entries.map(({ name }) => name)).toEqual(["infer", "train", "prepare"]);
    expect(one.manifest.entries[0]).toMatchObject({
      rows: true,
      dims: [{ name: "B", max: null, default: 8 }],
      inputs: [{ name: "x", dtype: "f32", doc: "f32[B, 8]" }],
      outputs: [{ name: "out", doc: "f32[B, Class=5]", classes: ["a", "b", "c", "d", "e"] }],
    });
    expect((await one.predict([1, 1, 1, 1, 1, 1, 1, 1]).catch((error: Error) => error.message))).toMatch(/no weights yet/); // prettier-ignore
  });

  test("hold the entries asked for, with dims pinned", async () => {
    const { strict, entries } = await compiled({ entries: ["infer"], pin: new Map([["B", 3]]) });
    expect(entries.map(({ graph }) => graph.name)).toEqual(["infer"]);
    const loaded = await load(strict!.artifact!, { weights: values });
    expect(loaded.manifest.optimizer).toEqual([]);
    expect(loaded.manifest.entries[0]!.dims).toEqual([]);
    const free = await load((await compiled()).strict!.artifact!, { weights: values });
    const x = numbers(24);
    expect(await loaded.run({ x })).toEqual(await free.run({ x }));
    await expect(loaded.run({ x: numbers(8) })).rejects.toThrow(/x is f32\[3, 8\]: 8 numbers do not fit/);
  });

  test("are the same in the plan that keeps all", async () => {
    const tight = await compiled();
    const all = await compiled({ plan: "keep-all" });
    const of = ({ memory }: Compiled): number => memory!.find(({ entry }) => entry === "train")!.bytes;
    expect(of(all)).toBeGreaterThan(of(tight));
    const x = numbers(40);
    const [one, two] = [await load(tight.strict!.artifact!, { weights: values }), await load(all.strict!.artifact!, { weights: values })]; // prettier-ignore
    expect(await two.run({ x })).toEqual(await one.run({ x }));
  });
});

describe("the pipeline", () => {
  test("stops where it is told to", async () => {
    const keys = async (stopAfter: CompileOptions["stopAfter"]): Promise<string[]> =>
      Object.keys(await compiled(stopAfter ? { stopAfter } : {})).sort();
    expect(await keys("passes")).toEqual(["entries"]);
    expect(await keys("lower")).toEqual(["entries", "explained", "memory", "program"]);
    expect((await compiled({ stopAfter: "wasm" })).strict).toMatchObject({ artifact: undefined });
    expect(await keys("pack")).toEqual(["entries", "explained", "memory", "program", "strict"]);
  });

  test("shows graphs and times on the way", async () => {
    const graphs: string[] = [];
    const times: string[] = [];
    let now = 0;
    await compiled({
      entries: ["infer"],
      clock: () => (now += 1),
      observer: {
        graph: (entry, pass) => graphs.push(`${entry} ${pass}`),
        time: (name, milliseconds, entry) =>
          milliseconds > 0 && times.push(entry === undefined ? name : `${entry} ${name}`),
      },
    });
    expect(graphs.slice(0, 2)).toEqual(["infer check", "infer dead-code"]);
    expect(times.filter((name) => ["passes", "lower", "wasm", "pack"].includes(name))).toEqual(["passes", "lower", "wasm", "pack"]); // prettier-ignore
    expect(times).toContain("infer dead-code");
  });

  test("refuses what no memory holds, and names the largest buffers", async () => {
    const { tooLarge, strict } = await compileModel(
      {
        ...model,
        entries: model.entries.map((entry) => ({ ...entry, defaults: new Map([["B", 2 ** 27]]) })),
      },
      { version: "0.0.0" },
    );
    expect(strict).toBeUndefined();
    expect(tooLarge!.entry).toBe("infer");
    expect(tooLarge!.bytes).toBeGreaterThan(2 ** 32);
    expect(tooLarge!.largest[0]!.bytes).toBeGreaterThanOrEqual(2 ** 27 * 16 * 4);
  });
});
