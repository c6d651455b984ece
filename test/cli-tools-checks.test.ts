/** The checks behind `dlmc grad --check` and `dlmc opt --check-each-pass` find what is wrong, and only that. */
import { describe, expect, test } from "vitest";
import { constantOf } from "../compiler/ir/dim.ts";
import { graphBuilder } from "../compiler/ir/builder.ts";
import type { Graph } from "../compiler/ir/graph.ts";
import type { WeightEntry } from "../compiler/ir/model.ts";
import { rewrite } from "../compiler/ir/rewrite.ts";
import { tensorType } from "../compiler/ir/type.ts";
import * as dim from "../compiler/ir/dim.ts";
import * as build from "../compiler/ops/build.ts";
import { contractionFlops } from "../compiler/ops/contraction-flops.ts";
import type { Pass } from "../compiler/passes/pass.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { simplify } from "../compiler/passes/simplify.ts";
import { checkEachPass } from "../src/check-passes.ts";
import { checkGradient } from "../src/gradient-check.ts";
import { randomInputs } from "../src/random-inputs.ts";
import { libraryGraphs } from "./support/library-graph.ts";

const weights: readonly WeightEntry[] = [
  { path: "a.kernel", shape: [2, 3], offset: 0, kind: "kernel" },
  { path: "b.kernel", shape: [4], offset: 6, kind: "kernel" },
  { path: "empty", shape: [0, 4], offset: 10, kind: "other" },
];
const parameters = Float64Array.from([0.5, -1, 2, 0.25, -0.75, 1, 1.5, -2, 0.125, 1e-9]);
/** Smooth in a, with a kink in b: the last element of b is nearly on it. */
const loss = (w: Float64Array): number =>
  w.subarray(0, 6).reduce((sum, x, i) => sum + (i + 1) * Math.sin(x), 0) +
  w.subarray(6, 10).reduce((sum, x) => sum + Math.max(0, x), 0);
const gradient = Float64Array.from(parameters, (x, i) => (i < 6 ? (i + 1) * Math.cos(x) : x > 0 ? 1 : 0));
const options = { weights, parameters, gradient, loss, seed: 3 };

describe("gradients against differences", () => {
  test("a right gradient is right, with a kink out of reach of the smallest step", () => {
    const far = parameters.with(9, 1e-3);
    const checks = checkGradient({ ...options, parameters: far, gradient: gradient.with(9, 1) });
    expect(checks.map(({ path, ok, elements }) => ({ path, ok, elements }))).toEqual([
      { path: "a.kernel", ok: true, elements: 6 },
      { path: "b.kernel", ok: true, elements: 4 },
      { path: "empty", ok: true, elements: 0 },
    ]);
    expect(checks[0]!.error).toBeLessThan(1e-6);
  });

  test.each([
    { what: "one element that is off by a ten-thousandth", at: 5, by: 1.0001 },
    { what: "a wrong sign", at: 3, by: -1 },
    { what: "a missing part", at: 2, by: 0 },
  ])("$what is found, in its weight alone", ({ at, by }) => {
    const wrong = gradient.with(at, gradient[at]! * by);
    const smooth = { ...options, parameters: parameters.with(9, 1), gradient: wrong };
    const checks = checkGradient(smooth);
    expect(checks.filter(({ ok }) => !ok).map(({ path }) => path)).toEqual(["a.kernel"]);
  });

  test("the parameters stay as they are", () => {
    const before = parameters.slice();
    checkGradient(options);
    expect(parameters).toEqual(before);
  });
});

/** x @ w, a table's rows by id, and a class compared with positions. */
function sample(): Graph {
  const b = graphBuilder();
  const batch = dim.symbol("B");
  const x = b.input("x", "input", tensorType("f32", [batch, 4]));
  const w = b.input("w", "weight", tensorType("f32", [4]));
  const id = b.input("id", "input", tensorType("i32", [batch]));
  const table = b.input("table", "weight", tensorType("f32", [3, 4]));
  const one = build.fullLike(b, 1, x);
  const product = build.mul(b, build.mul(b, x, build.expandTo(b, w, [batch, dim.constant(4)], [1])), one);
  const out = build.add(b, product, build.gather(b, table, id));
  return b.finish({
    name: "sample",
    dims: [{ name: "B", max: undefined }],
    outputs: [{ name: "out", value: out }],
    writes: [],
  });
}

const swapped: Pass = {
  name: "swapped",
  summary: "Turns additions into subtractions, wrongly.",
  run: (graph) =>
    rewrite(graph, (node, operands, builder) =>
      node.op.name === "add" ? [build.sub(builder, operands[0]!, operands[1]!)] : undefined,
    ),
};

describe("passes against the reference", () => {
  const sizes = new Map([["B", 5]]);

  test("those that keep the meaning pass", () => {
    const { graph, change } = checkEachPass(sample(), [simplify, simplify], sizes, 1);
    expect(change).toBeUndefined();
    expect(graph.nodes.length).toBeLessThan(sample().nodes.length);
  });

  test("the first that changes the answer is named, with the place of the change", () => {
    const { change } = checkEachPass(sample(), [simplify, swapped, simplify], sizes, 1);
    expect(change).toMatchObject({ pass: "swapped", place: 2, what: "output out", element: 0 });
    expect(change!.before).not.toBe(change!.after);
  });
});

describe("random inputs", () => {
  test("are the same for the same seed, and integers name rows that there are", () => {
    const graph = sample();
    const sizes = new Map([["B", 200]]);
    const inputs = randomInputs(graph, sizes, 7);
    expect(randomInputs(graph, sizes, 7)).toEqual(inputs);
    expect(randomInputs(graph, sizes, 8)).not.toEqual(inputs);
    expect(new Set(inputs.get("id")!.data)).toEqual(new Set([0, 1, 2]));
    const numbers = inputs.get("x")!.data;
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
    const square = numbers.reduce((a, b) => a + b * b, 0) / numbers.length;
    // 800 normal numbers: five deviations of the mean and of the mean square
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(800));
    expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / 800));
  });
});

describe("the cost of a graph", () => {
  const flopsOf = ({ nodes }: Graph, sizes: Readonly<Record<string, number>>): number =>
    contractionFlops(nodes, (size) => dim.evaluate(size, new Map(Object.entries(sizes))));

  test("is that of its contractions, at the sizes of its dims", () => {
    const b = graphBuilder();
    const x = b.input("x", "input", tensorType("f32", [dim.symbol("B"), 4]));
    const w = b.input("w", "weight", tensorType("f32", [4, 6]));
    const out = build.matmul(b, x, w);
    expect(out.type.shape.map(constantOf)).toEqual([undefined, 6]);
    const graph = b.finish({ name: "g", dims: [], outputs: [{ name: "out", value: out }], writes: [] });
    expect(flopsOf(graph, { B: 3 })).toBe(2 * 3 * 4 * 6);
  });

  test("is paid at every step of a loop, in the backward pass too", () => {
    const { forward, gradient } = libraryGraphs("x: [B, T, D=3] : x -> Lstm(4)");
    const gates = 2 * (3 + 4) * 16;
    for (const graph of [forward, optimize(forward)])
      expect(flopsOf(graph, { B: 2, T: 5 })).toBe(5 * 2 * gates);
    // gradients by weights and by values each cost what forward costs
    expect(flopsOf(optimize(gradient), { B: 2, T: 5 })).toBe(3 * 5 * 2 * gates);
  });
});
