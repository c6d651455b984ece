/** `dlmc show`, `grad`, `opt` and `bench` as processes: what they print, write and refuse. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { tensorType } from "../compiler/ir/type.ts";
import * as build from "../compiler/ops/build.ts";
import { writeGraphs } from "../src/graph-file.ts";
import { readSafetensors, writeSafetensors } from "../src/weights/safetensors.ts";
import { dlmc, jsonLines } from "./support/command.ts";

let folder = "";

/** A line through points, with a penalty, so that its gradient is known by hand. */
const line = `dlm 1

data Points from csv("points.csv") {
  input  a, b : number
  target y : number
}

model Line(point: Points) -> [B] {
  point.numbers -> Dense(1) -> squeeze
}

train Line on Points {
  loss       mse(out, y)
  penalty    l2(0.125)
  optimizer  sgd(0.1)
  batch      4
}
`;
const points = [
  [1, 2, 3],
  [-1, 0.5, 2],
  [0.25, -4, 1],
  [3, 1, -2],
] as const;

/** A small network with all that makes gradients hard: statistics of the batch, dropout, kinks, a detached value. */
const deep = `dlm 1

data Points from csv("points.csv") {
  input  a, b : number
  target y : number
}

model Deep(point: Points) -> [B] {
  h = point.numbers -> Dense(6) -> BatchNorm -> relu -> dropout(0.25) -> Dense(3) -> tanh
  h * detach(h) -> Dense(1) -> squeeze
}

train Deep on Points {
  loss       huber(out, y)
  penalty    l1(0.01)
  optimizer  adam(1e-3)
  batch      4
}
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dlmc-tools-"));
  const rows = points.map((row) => row.join(","));
  writeFileSync(join(folder, "points.csv"), ["a,b,y", ...rows, ""].join("\n"));
  writeFileSync(join(folder, "line.dlm"), line);
  writeFileSync(join(folder, "deep.dlm"), deep);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("dlmc show", () => {
  test("prints one line for each line of the program, and totals", async () => {
    const { status, out } = await dlmc(["show", "test/bench/rows/cnn.dlm"]);
    expect(status).toBe(0);
    const lines = out.split("\n").map((each) => each.replace(/ {2,}/g, "  "));
    expect(lines.slice(0, 10)).toEqual([
      "Cnn  output size  params",
      "  image  28 × 28 × 1",
      "  -> Conv(32, 3) -> relu -> Conv(32, 3) -> relu  28 × 28 × 32  9,568",
      "  -> maxpool(2)  14 × 14 × 32",
      "  -> Conv(64, 3) -> relu -> Conv(64, 3) -> relu  14 × 14 × 64  55,424",
      "  -> maxpool(2)  7 × 7 × 64",
      "  -> flatten  3,136",
      "  -> Dense(128)  -> relu  128  401,536",
      "  -> Dense(10)  10  1,290",
      "  467,818 parameters · 1.87 MB f32 · 37 MFLOP a row",
    ]);
    expect(lines[10]).toMatch(/^ {2}peak memory: infer [\d.]+ MB at B = 32 · train [\d.]+ MB at B = 32$/);
  });

  test("gives the same as JSON, with paths, weights and memory", async () => {
    const { status, out } = await dlmc(["show", "--json", join(folder, "line.dlm")]);
    expect(status).toBe(0);
    const [{ models }] = jsonLines(out) as [{ models: Record<string, unknown>[] }];
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({
      name: "Line",
      parameters: 3,
      flops: 4,
      outputs: [{ name: "out", dtype: "f32", shape: ["B"] }],
      weights: [
        { path: "dense0.kernel", dtype: "f32", shape: [2, 1] },
        { path: "dense0.shift", dtype: "f32", shape: [1] },
      ],
      unknown: [],
    });
    const { layers, memory } = models[0] as {
      layers: { text: string }[];
      memory: { infer: number; train: number };
    };
    expect(layers.find(({ text }) => text === "Dense(1)")).toMatchObject({
      path: "dense0",
      label: null,
      output: ["B", 1],
      parameters: 3,
    });
    expect(memory.infer).toBeGreaterThan(12);
    expect(memory.train).toBeGreaterThan(12);
  });

  test("with --full also what modules, optimizers and blocks leave to defaults", async () => {
    const { status, out } = await dlmc(["show", "--full", join(folder, "line.dlm")]);
    expect(status).toBe(0);
    const text = out.replace(/ {2,}/g, "  ");
    expect(text).toContain("  Dense(1)  bias = true, init = glorot\n");
    expect(text).toContain("train Line\n");
    expect(text).toContain("  batch  4\n");
    expect(text).toContain("  epochs  10  default\n");
    expect(text).toContain("  penalty  l1(0), l2(0.125)\n");
    expect(text).toContain("  shuffle  true  default\n");
    expect(text).toMatch(/sgd\(0\.1\) {2}momentum = 0/);
  });

  test("refuses a program with errors and a model that is not there", async () => {
    writeFileSync(join(folder, "wrong.dlm"), "dlm 1\n\nmodel M(x: [B, 4]) -> [B, 3] { x -> Dense(2) }\n");
    const [wrong, missing] = await Promise.all([
      dlmc(["show", "wrong.dlm"], folder),
      dlmc(["show", "line.dlm", "--model", "Other"], folder),
    ]);
    expect(wrong.status).toBe(1);
    expect(wrong.err).toContain("DLM0208");
    expect(missing.status).toBe(1);
    expect(missing.err).toContain("has no model Other");
  });
});

describe("dlmc grad", () => {
  test("gives the gradient of the loss and its penalties at given weights, as by hand", async () => {
    const kernel = [0.5, -0.25];
    const shift = 0.125;
    const weights = writeSafetensors(
      new Map([
        ["dense0.kernel", { dtype: "f32", shape: [2, 1], data: Float32Array.from(kernel) }],
        ["dense0.shift", { dtype: "f32", shape: [1], data: Float32Array.of(shift) }],
      ]),
    );
    writeFileSync(join(folder, "weights.safetensors"), weights);
    const ran = await dlmc(
      ["grad", "line.dlm", "--weights", "weights.safetensors", "--output", "g.safetensors", "--json"],
      folder,
    );
    expect(ran).toMatchObject({ status: 0, err: "" });
    const errors = points.map(([a, b, y]) => kernel[0]! * a + kernel[1]! * b + shift - y);
    const mean = (of: (i: number) => number): number => errors.reduce((sum, _, i) => sum + of(i), 0) / 4;
    const { tensors } = readSafetensors(readFileSync(join(folder, "g.safetensors")), "g.safetensors");
    // all numbers are short in binary: nothing is rounded
    expect([...tensors.get("dense0.kernel")!.data]).toEqual([
      mean((i) => 2 * errors[i]! * points[i]![0]) + 2 * 0.125 * kernel[0]!,
      mean((i) => 2 * errors[i]! * points[i]![1]) + 2 * 0.125 * kernel[1]!,
    ]);
    expect([...tensors.get("dense0.shift")!.data]).toEqual([mean((i) => 2 * errors[i]!)]);
    expect(jsonLines(ran.out).at(-1)).toEqual({ loss: mean((i) => errors[i]! ** 2), rows: 4 });
  });

  test("--check agrees with differences through statistics, dropout, kinks and detached values", async () => {
    const { status, out, err } = await dlmc(["grad", "deep.dlm", "--check", "--json"], folder);
    expect(err).toBe("");
    expect(status).toBe(0);
    const lines = jsonLines(out);
    expect(lines.at(-1)).toMatchObject({ ok: true, wrong: null, rows: 4 });
    const checked = lines.slice(0, -1);
    expect(checked.map(({ path }) => path)).toContain("batch_norm0.scale");
    for (const each of checked) expect(each["ok"]).toBe(true);
    expect(Math.max(...checked.map(({ norm }) => Number(norm)))).toBeGreaterThan(1e-3);
  });

  test("takes the batch from a file, without reading the data of the program", async () => {
    writeFileSync(join(folder, "batch.json"), JSON.stringify([{ a: 1, b: 2, y: 3 }]));
    const { status, out } = await dlmc(["grad", "line.dlm", "--input", "batch.json", "--json"], folder);
    expect(status).toBe(0);
    expect(jsonLines(out).at(-1)).toMatchObject({ rows: 1 });
  });
});

/** Twice the same sum, and a product with 1: the passes have something to do. */
const graph = `graph sum
dim B
input @x: f32[B, 4]
weight @parameters: f32[4]
%0: f32[] = constant() {value: f32[](1)}
%1: f32[4] = expand(%0) {shape: [<4>], axes: []}
%2: f32[4] = mul(@parameters, %1)
%3: f32[B, 4] = expand(%2) {shape: [<B>, <4>], axes: [1]}
%4: f32[B, 4] = add(@x, %3)
%5: f32[B, 4] = add(@x, %3)
%6: f32[B, 4] = mul(%4, %5)
output out = %6
`;

describe("dlmc opt", () => {
  const run = (...words: string[]) => dlmc(["opt", ...words], folder);

  test("prints a graph as it is, or after passes that were checked", async () => {
    writeFileSync(join(folder, "sum.dlg"), graph);
    const [same, less] = await Promise.all([
      run("sum.dlg"),
      run("sum.dlg", "--pass", "simplify", "--pass", "common-subexpressions", "--check-each-pass"),
    ]);
    expect(same).toEqual({ status: 0, out: graph, err: "" });
    expect(less.status).toBe(0);
    expect(less.out.match(/= add\(/g)).toHaveLength(1);
    expect(less.out).not.toContain("mul(@parameters");
  });

  test("prints what a stage makes of it", async () => {
    writeFileSync(join(folder, "stage.dlg"), graph);
    const [kernels, plan, wat] = await Promise.all([
      run("stage.dlg", "--pass", "all", "--emit", "kernels"),
      run("stage.dlg", "--dim", "B=2", "--emit", "plan"),
      run("stage.dlg", "--emit", "wat"),
    ]);
    expect(kernels.out).toMatch(/^entry sum \(B\)\n/);
    expect(kernels.out).toContain("kernel ");
    expect(plan.out).toMatch(/x: f32\[2, 4\] at \d+/);
    expect(wat.out).toContain("(module");
  });

  test("keeps large constants beside the text", async () => {
    const values = Float64Array.from({ length: 20 }, (_, i) => i / 7);
    const b = graphBuilder();
    const x = b.input("x", "input", tensorType("f32", []));
    const table = build.constantTensor(b, tensor("f32", [20], values));
    const out = build.mul(b, table, build.expandTo(b, x, table.type.shape, []));
    writeGraphs(join(folder, "large.dlg"), [
      b.finish({ name: "large", dims: [], outputs: [{ name: "out", value: out }], writes: [] }),
    ]);
    const { status, err } = await run("large.dlg", "--pass", "all", "-o", "again.dlg");
    expect({ status, err }).toEqual({ status: 0, err: "wrote again.dlg\n" });
    expect(readFileSync(join(folder, "again.dlg"), "utf8")).toContain("const f32[20] #");
    const { tensors } = readSafetensors(readFileSync(join(folder, "again.safetensors")), "");
    expect([...tensors.values()][0]!.data).toEqual(values);
    const printed = await run("large.dlg");
    expect(printed.err).toBe("");
    writeFileSync(join(folder, "printed.dlg"), printed.out);
    expect(await run("printed.dlg")).toEqual(printed);
  });

  test("reads the graphs that compile prints", async () => {
    const printed = await dlmc(["compile", "deep.dlm", "--entry", "infer,train", "--emit", "graph"], folder);
    expect(printed.err).toBe("");
    expect(printed.out.match(/^graph \w+$/gm)).toEqual(["graph init", "graph infer", "graph train"]);
    writeFileSync(join(folder, "deep.dlg"), printed.out);
    const [same, kernels, twice] = await Promise.all([
      run("deep.dlg"),
      run("deep.dlg", "--emit", "kernels"),
      dlmc(["compile", "deep.dlm", "--entry", "infer,train", "--emit", "kernels"], folder),
    ]);
    expect(same.out.trimEnd()).toBe(printed.out.trimEnd());
    expect(kernels.out.trimEnd()).toBe(twice.out.trimEnd());
    writeFileSync(join(folder, "twice.dlg"), `${graph}\n${graph}`);
    const refused = await run("twice.dlg");
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(/there is a graph of this name[^]*twice\.dlg:14:/);
  });

  test("says where a text is no graph, and what passes there are", async () => {
    writeFileSync(join(folder, "broken.dlg"), graph.replace("add(@x, %3)", "add(@x)"));
    const [broken, unknown] = await Promise.all([
      run("broken.dlg"),
      run("sum.dlg", "--pass", "make-it-fast"),
    ]);
    expect(broken.status).toBe(1);
    expect(broken.err).toContain("add takes 2 operands, not 1");
    expect(broken.err).toMatch(/broken\.dlg:9:\d+/);
    expect(unknown.status).toBe(2);
    expect(unknown.err).toContain("passes are dead-code");
  });
});

describe("dlmc bench", () => {
  test("times the entries at the sizes that were asked for", async () => {
    const { status, out, err } = await dlmc([
      "bench",
      "test/bench/rows/mlp.dlm",
      "--entry",
      "infer,train",
      "--dim",
      "B=3",
      "--time",
      "20",
      "--json",
    ]);
    expect(err).toBe("");
    expect(status).toBe(0);
    const lines = jsonLines(out);
    expect(lines.map(({ entry }) => entry)).toEqual(["infer", "train"]);
    const flops = 2 * 3 * (784 * 512 + 512 * 256 + 256 * 10);
    expect(lines[0]).toMatchObject({ dims: { B: 3 }, flops });
    // the gradients by weights cost what forward costs, those by values the same without the first layer
    expect(lines[1]).toMatchObject({ dims: { B: 3 }, flops: 3 * flops - 2 * 3 * 784 * 512 });
    for (const each of lines) {
      const [low, median, high] = [Number(each["low"]), Number(each["median"]), Number(each["high"])];
      expect(low).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(low);
      expect(high).toBeGreaterThanOrEqual(median);
      expect(Number(each["memory"])).toBeGreaterThan(4 * 535_818);
    }
  });

  test("the operations of a recurrent layer are those of all its steps", async () => {
    writeFileSync(
      join(folder, "steps.dlm"),
      "dlm 1\n\nmodel Steps(x: [B, T, D=3]) -> [B, T, 4] {\n  x -> Lstm(4)\n}\n",
    );
    const words = ["bench", "steps.dlm", "--dim", "B=2,T=7", "--time", "20", "--json"];
    const { status, out, err } = await dlmc(words, folder);
    expect(err).toBe("");
    expect(status).toBe(0);
    const [{ dims, flops, gflops, median } = {}] = jsonLines(out);
    expect(dims).toEqual({ B: 2, T: 7 });
    expect(flops).toBe(7 * 2 * 2 * (3 + 4) * 16);
    expect(gflops).toBe(Number(flops) / Number(median) / 1e6);
  });
});
