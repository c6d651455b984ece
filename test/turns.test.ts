/** Steps that take turns: what each may change, what it draws, how a run of them is kept, and the moving average of weights. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelGraphs, type EntryName } from "../compiler/entries/model-graphs.ts";
import { constantOf } from "../compiler/ir/dim.ts";
import type { Graph, GraphInput } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { renderAll } from "../grammar/render.ts";
import { encodePng, sheetOf } from "../src/picture.ts";
import { readNpy, writeNpz } from "../src/weights/npy.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc, jsonLines } from "./support/command-line.ts";
import { random } from "./support/random.ts";

const rows = 4;
const sizes = new Map([["B", rows]]);

/** Points on a ring, and a small network that learns to make more of them. */
const program = `dlm 1

data Points from arrays("points.npz") {
  input x : f32[D=2]
  split train = 80%, valid = 20%, seed = 3
}

model Maker(z: [B, 3]) -> [B, D=2] {
  z -> Dense(4, bias = false) -> BatchNorm -> relu -> Dense(2)
}

model Judge(x: [B, D=2]) -> [B] {
  x -> Dense(4, bias = false) -> BatchNorm -> relu -> dropout(0.2) -> Dense(1) -> squeeze
}

train Ring on Points {
  seen = Judge(x)
  fake = Maker(normal[B, 3])

  step Judge {
    loss       bce(seen, 1) + bce(Judge(fake), 0)
    optimizer  adam(1e-2)
    penalty    l2(1e-2)
  }
  step Maker {
    loss       bce(Judge(fake), 1)
    optimizer  sgd(1e-2, momentum = 0.9)
    clip       1
  }

  average  ema(0.9)
  batch    8
  epochs   3
  keep     best, by = valid.loss.Maker
  sample   Maker(normal[5, 3]), every = 2 * epoch
}
`;

function graphsOf(text: string, entries: readonly EntryName[]): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics)).toBe("");
  return modelGraphs({
    session,
    scope,
    model: flow.trains[0]!.block.model,
    train: flow.trains[0],
    data: flow.plans.data,
    entries,
  });
}

function entryOf(graphs: ModelGraphs, name: string): Graph {
  return graphs.entries.find(({ graph }) => graph.name === name)!.graph;
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Random weights and data, states as they begin. */
function inputsOf(graphs: ModelGraphs, graph: Graph): Map<string, Tensor> {
  const r = random(5);
  const size = graphs.weights.reduce((sum, { shape }) => sum + count(shape), 0);
  const parameters = tensor(
    "f32",
    [size],
    Float64Array.from({ length: size }, () => 2 * r.next() - 1),
  );
  const x = Float64Array.from({ length: 2 * rows }, () => 2 * r.next() - 1);
  return new Map(
    graph.inputs.map((value) => {
      const { name, role, type } = value.source as GraphInput;
      if (role === "weight") return [name, parameters];
      if (role === "input") return [name, tensor("f32", [rows, 2], x)];
      if (role === "control") return [name, tensor(type.dtype, [], [1])];
      const state = [...graphs.states, ...graphs.optimizer].find(({ path }) => path === name);
      return [
        name,
        state?.initial ??
          tensor(
            type.dtype,
            type.shape.map((d) => constantOf(d)!),
          ),
      ];
    }),
  );
}

describe("the entries", () => {
  const graphs = graphsOf(program, ["train", "grad", "measure", "sample", "init"]);

  test("the weights of both lie in one region, model after model, each behind its name", () => {
    expect(graphs.name).toBe("Ring");
    expect(graphs.weights.map(({ path }) => path.split(".")[0])).toEqual(
      [..."JJJJJMMMMM"].map((letter) => (letter === "J" ? "Judge" : "Maker")),
    );
    expect(graphs.states.map(({ path }) => path).sort()).toEqual(
      ["Judge", "Maker"].flatMap((model) => [`${model}.batch_norm0.m`, `${model}.batch_norm0.v`]),
    );
    expect(graphs.entries.map(({ graph }) => graph.name)).toEqual([
      "train.Judge",
      "train.Maker",
      "grad.Judge",
      "grad.Maker",
      "measure",
      "sample",
      "init",
    ]);
    expect(entryOf(graphs, "measure").outputs.map(({ name }) => name)).toEqual(["loss.Judge", "loss.Maker"]);
  });

  test.each(["Judge", "Maker"])("the step of %s changes its own weights alone", (model) => {
    const graph = entryOf(graphs, `train.${model}`);
    const inputs = inputsOf(graphs, graph);
    const { writes, outputs } = evaluate(graph, inputs, sizes);
    expect(outputs.get("status")!.data[0]).toBe(1);
    const [before, after] = [inputs.get("parameters")!.data, writes.get("parameters")!.data];
    for (const { path, shape, offset } of graphs.weights) {
      const end = offset + count(shape);
      const same = before.subarray(offset, end).every((value, k) => value === after[offset + k]);
      // a shift before BatchNorm has no effect, and so no gradient
      if (!/dense0.shift$|Maker.dense1.shift/.test(path)) expect(same, path).toBe(!path.startsWith(model));
    }
    // both ran in their training phase
    expect([...writes.keys()].filter((name) => name.endsWith("batch_norm0.m")).length).toBe(3);
    const own = (path: string): boolean => path.startsWith(`optimizer.${model}.`);
    expect([...writes.keys()].filter((name) => /^optimizer\.(Judge|Maker)\./.test(name)).every(own)).toBe(
      true,
    );
  });

  test("the backward pass of the other model is not built", () => {
    const products = (name: string): number =>
      entryOf(graphs, name).nodes.filter(({ op }) => op.name === "index").length;
    // Maker 2; Judge, which has two layers, twice 2, and on the way back twice 2 for its weights and 1 between them
    expect(products("grad.Judge")).toBe(2 + 4 + 4 + 2);
    // Maker 2, Judge 2; back through Judge 2, for the weights of Maker 2, and 1 between them
    expect(products("grad.Maker")).toBe(2 + 2 + 2 + 2 + 1);
  });

  test("each step draws numbers of its own", () => {
    const keys = (name: string): Set<unknown> =>
      new Set(
        entryOf(graphs, name).nodes.flatMap(({ op, attributes }) =>
          op.name === "random_bits" ? [(attributes as { key: number }).key] : [],
        ),
      );
    const [judge, maker] = [keys("train.Judge"), keys("train.Maker")];
    expect(judge.size).toBe(4);
    expect(maker.size).toBe(3);
    for (const key of judge) expect(maker.has(key)).toBe(false);
    expect(keys("grad.Judge")).toEqual(judge);
  });

  test("a name of the block that no loss of the step speaks of is not computed", () => {
    const { nodes } = entryOf(graphs, "train.Maker");
    expect(
      nodes.some(({ operands }) => operands.some(({ source }) => "role" in source && source.name === "x")),
    ).toBe(false);
  });

  test("the rows are free where only noise is drawn", () => {
    expect(
      entryOf(graphs, "train.Maker").inputs.some(({ source }) => "role" in source && source.role === "input"),
    ).toBe(false);
    expect(entryOf(graphs, "train.Maker").dims.map(({ name }) => name)).toEqual(["B"]);
  });
});

describe("a run", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-turns-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...words: string[]) => dlmc(words, { cwd: folder });
  const tensorsOf = (file: string) => readSafetensors(readFileSync(join(folder, file)), file);

  beforeAll(async () => {
    const r = random(2);
    const x = Float32Array.from({ length: 40 }, (_, i) => {
      const angle = (i >> 1) + r.next();
      return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
    writeFileSync(
      join(folder, "points.npz"),
      writeNpz(new Map([["x", { dtype: "f32", shape: [20, 2], data: x }]])),
    );
    writeFileSync(join(folder, "ring.dlm"), program);
    const whole = await run("train", "ring.dlm", "--json", "-o", "whole");
    expect(whole.err).toBe("");
  });

  test("reports the loss of each step, and what it is on the validation split", async () => {
    const lines = jsonLines(readFileSync(join(folder, "whole/metrics.jsonl"), "utf8"));
    for (const { train, valid, event } of lines) {
      expect(Object.keys(train as object)).toEqual(["loss.Judge", "loss.Maker"]);
      if (event === "epoch") expect(Object.keys(valid as object)).toEqual(["loss.Judge", "loss.Maker"]);
    }
    const { out } = await run("train", "ring.dlm", "-o", "shown", "--epochs", "1");
    expect(out).toMatch(/training Judge and Maker on 16 rows/);
    expect(out).toMatch(/epoch +loss.Judge +loss.Maker +valid loss.Judge +valid loss.Maker +time/);
  });

  test("writes its samples after every second epoch", () => {
    expect(readdirSync(join(folder, "whole/samples"))).toEqual(["epoch-0002.npy"]);
    const file = readFileSync(join(folder, "whole/samples/epoch-0002.npy"));
    expect(readNpy(file, { file: "epoch-0002.npy" })).toMatchObject({ dtype: "f32", shape: [5, 2] });
  });

  test.each([1, 4])("stopped after %i steps and resumed, it ends with the same bits", async (steps) => {
    await run("train", "ring.dlm", "-o", `part${steps}`, "--steps", String(steps));
    await run("train", "ring.dlm", "--resume", `part${steps}`, "--steps", "6");
    const [whole, part] = ["whole", `part${steps}`].map(
      (name) => tensorsOf(`${name}/last.safetensors`).tensors,
    );
    expect([...part!].map(([name, { data }]) => [name, [...data]])).toEqual(
      [...whole!].map(([name, { data }]) => [name, [...data]]),
    );
  });

  test("what is kept is the average, and each model finds its own weights in it", async () => {
    const best = tensorsOf("whole/best.safetensors").tensors;
    expect(best.get("Maker.dense0.kernel")!.data).not.toEqual(
      tensorsOf("whole/last.safetensors").tensors.get("Maker.dense0.kernel")!.data,
    );
    writeFileSync(join(folder, "z.json"), JSON.stringify([{ z: [1, 0, -1] }, { z: [0.5, 2, 1] }]));
    const ran = await run(
      "run",
      "ring.dlm",
      "--model",
      "Maker",
      "--weights",
      "whole/best.safetensors",
      "--input",
      "z.json",
      "--json",
    );
    expect(ran.err).toBe("");
    expect(jsonLines(ran.out)).toHaveLength(2);
    const compiled = await run(
      "compile",
      "ring.dlm",
      "--model",
      "Judge",
      "--weights",
      "whole/best.safetensors",
      "-o",
      "dist",
    );
    expect(compiled.err).toBe("");
    expect(tensorsOf("dist/Judge.safetensors").tensors.size).toBeGreaterThan(0);
  });

  test("dlmc grad speaks of one step, and its gradients agree with differences", async () => {
    const unsaid = await run("grad", "ring.dlm");
    expect(unsaid.err).toMatch(/choose one with --model: Judge, Maker/);
    for (const model of ["Judge", "Maker"]) {
      const found = await run("grad", "ring.dlm", "--model", model, "--check", "--json");
      expect(found.err).toBe("");
      const lines = jsonLines(found.out);
      expect(lines.at(-1)).toMatchObject({ ok: true });
      expect(lines.slice(0, -1).every(({ path }) => String(path).startsWith(`${model}.`))).toBe(true);
    }
  });
});

test("the average is the mean that its decay says, of weights and of states", async () => {
  const { averageOf } = await import("../src/train/average.ts");
  const graphs = graphsOf(program, ["train"]);
  const { flow } = checkText(program);
  const { average, parts } = flow.plans.train[0]!;
  const shown = averageOf(graphs, average, parts)!;
  const graph = entryOf(graphs, "train.Maker");
  const kept = inputsOf(graphs, graph);
  const path = "Maker.dense1.kernel";
  const { offset, shape } = graphs.weights.find((w) => w.path === path)!;
  const means = new Map<string, number>();
  for (let step = 1; step <= 4; step++) {
    kept.set("step", tensor("f32", [], [step]));
    for (const [name, value] of evaluate(graph, kept, sizes).writes) kept.set(name, value);
    const seen: [string, number][] = [
      [path, kept.get("parameters")!.data[offset]!],
      ["Maker.batch_norm0.m", kept.get("Maker.batch_norm0.m")!.data[0]!],
    ];
    // by hand: sum of 0.1 * 0.9^(steps since) * value, over the sum of these parts
    for (const [name, value] of seen) means.set(name, 0.9 * (means.get(name) ?? 0) + 0.1 * value);
    const tensors = new Map<string, Float32Array>();
    for (const w of graphs.weights)
      tensors.set(
        w.path,
        Float32Array.from(kept.get("parameters")!.data.subarray(w.offset, w.offset + count(w.shape))),
      );
    for (const { path: name } of [...graphs.states, ...graphs.optimizer]) {
      const value = kept.get(name);
      if (value) tensors.set(name, Float32Array.from(value.data));
    }
    const average = shown(tensors, [0, step]);
    expect(average.get(path)).toHaveLength(count(shape));
    for (const [name] of seen)
      expect(average.get(name)![0]).toBeCloseTo(means.get(name)! / (1 - 0.9 ** step), 6);
    expect(average.get("Judge.dense0.kernel")).toEqual(tensors.get("Judge.dense0.kernel"));
  }
});

test("a sheet of images is a PNG of their pixels", () => {
  const values = [-1, 1, 0, 3, -3, 0.5, 1, -1];
  const sheet = sheetOf(values, [2, 2, 2, 1], [-1, 1]);
  expect(sheet).toMatchObject({ width: 6, height: 2, channels: 1 });
  expect([...sheet.pixels]).toEqual([0, 255, 0, 0, 0, 191, 128, 255, 0, 0, 255, 0]);
  const png = Buffer.from(encodePng(sheet));
  expect(png.subarray(1, 4).toString("ascii")).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([6, 2]);
  const data = png.indexOf("IDAT");
  const lines = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
  expect([...lines]).toEqual([0, ...sheet.pixels.subarray(0, 6), 0, ...sheet.pixels.subarray(6)]);
});
