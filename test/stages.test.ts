/** Stages of training, and parts of a model that they freeze: what may move, what is computed, and how a run goes on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import type { Graph, GraphInput } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { elementCount, tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { renderAll } from "../grammar/render.ts";
import { writeNpz } from "../src/weights/npy.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc, jsonLines } from "./support/command-line.ts";
import { random } from "./support/random.ts";

const rows = 4;

/** A body of two blocks and a head. */
const program = (lines: string): string => `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[D=3]
  target y : number
  split  train = 80%, valid = 20%, seed = 3
}

module Block(n)(x: [B, C]) -> [B, n] {
  x -> Dense(n, bias = false) -> BatchNorm -> relu
}

model Deep(x: [B, D=3]) -> [B] {
  x -> body: { first: Block(4) -> dropout(0.5) -> second: Block(5) } -> head: Dense(1) -> squeeze
}

train Deep on Points {
  loss   mse(out, y)
  batch  8
${lines}
}
`;

const staged = program(`  penalty  l2(1e-2)

  stage head {
    freeze     body
    optimizer  adam(1e-2)
    epochs     2
  }
  stage finetune {
    thaw       body.second
    optimizer  adamw(1e-2, decay = 0.1)
    epochs     2
    stop       early, watch = valid.loss, patience = 5
  }

  keep  best, by = valid.loss`);

const bodyStates = ["first", "second"].flatMap((block) =>
  ["m", "v"].map((state) => `body.${block}.batch_norm0.${state}`),
);

function graphsOf(text: string, warnings: RegExp = /^$/): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics)).toMatch(warnings);
  const [train] = flow.trains;
  return modelGraphs({
    session,
    scope,
    model: train!.block.model,
    train,
    data: flow.plans.data,
    entries: ["train", "grad"],
  });
}

function entryOf(graphs: ModelGraphs, name: string): Graph {
  return graphs.entries.find(({ graph }) => graph.name === name)!.graph;
}

/** One step with random weights and rows: the paths of what changed. */
function changedBy(graphs: ModelGraphs, graph: Graph): string[] {
  const r = random(7);
  const drawn = (shape: readonly number[], least = -1): Tensor =>
    tensor(
      "f32",
      shape,
      Float64Array.from({ length: elementCount(shape) }, () => least + (1 - least) * r.next()),
    );
  const parameters = drawn([graphs.weights.reduce((sum, { shape }) => sum + elementCount(shape), 0)]);
  const inputs = new Map(
    graph.inputs.map((value): [string, Tensor] => {
      const { name, role, type } = value.source as GraphInput;
      if (role === "weight") return [name, parameters];
      if (role === "input") return [name, drawn(name === "x" ? [rows, 3] : [rows])];
      if (role === "control") return [name, tensor(type.dtype, [], [1])];
      const state = [...graphs.states, ...graphs.optimizer].find(({ path }) => path === name)!;
      return [name, name.startsWith("optimizer.") ? state.initial : drawn(state.shape, 0.1)];
    }),
  );
  const { writes, outputs } = evaluate(graph, inputs, new Map([["B", rows]]));
  expect(outputs.get("status")!.data[0]).toBe(1);
  const after = writes.get("parameters")!.data;
  expect(after).toHaveLength(parameters.data.length);
  const weights = graphs.weights.filter(({ offset, shape }) =>
    parameters.data
      .subarray(offset, offset + elementCount(shape))
      .some((value, i) => value !== after[offset + i]),
  );
  const states = [...writes.keys()].filter((name) => name !== "parameters");
  return [...weights.map(({ path }) => path), ...states];
}

const count = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op.name === op).length;

describe("the entries", () => {
  const graphs = graphsOf(staged);

  test("there is one for each stage, with optimizer states as long as what it trains", () => {
    expect(graphs.entries.map(({ graph }) => graph.name)).toEqual(["train.head", "train.finetune", "grad"]);
    const second = 4 * 5 + 5 + 5;
    expect(graphs.optimizer.map(({ path, shape }) => [path, ...shape])).toEqual([
      ["optimizer.head.m", 6],
      ["optimizer.head.v", 6],
      ["optimizer.finetune.m", 6 + second],
      ["optimizer.finetune.v", 6 + second],
    ]);
  });

  test("what is frozen does not move, neither by penalty nor by decay; what is thawed does", () => {
    const inStage = (name: string): string[] =>
      changedBy(graphs, entryOf(graphs, `train.${name}`)).filter((path) => !path.startsWith("optimizer."));
    expect(inStage("head").sort()).toEqual(["head.kernel", "head.shift"]);
    expect(inStage("finetune").sort()).toEqual(
      [
        "head.kernel",
        "head.shift",
        "body.second.batch_norm0.m",
        "body.second.batch_norm0.scale",
        "body.second.batch_norm0.shift",
        "body.second.batch_norm0.v",
        "body.second.dense0.kernel",
      ].sort(),
    );
  });

  test("no backward pass is built where nothing below is trained, and nothing is dropped in a frozen part", () => {
    // forward 3; for the head its kernel alone; for the second block one more, and one between them
    expect(count(entryOf(graphs, "train.head"), "index")).toBe(3 + 1);
    expect(count(entryOf(graphs, "train.finetune"), "index")).toBe(3 + 2 + 1);
    for (const name of ["train.head", "train.finetune"])
      expect(count(entryOf(graphs, name), "random_bits")).toBe(0);
    expect(count(entryOf(graphs, "grad"), "random_bits")).toBe(1);
  });

  test("a part of a block that has no stages may be frozen", () => {
    const frozen = graphsOf(program("  optimizer sgd(0.1)\n  freeze head, body.first"));
    const changed = changedBy(frozen, entryOf(frozen, "train"));
    expect(changed.some((path) => /^(head|body\.first)\./.test(path))).toBe(false);
    expect(changed).toContain("body.second.dense0.kernel");
  });

  test("weights alone are frozen with a warning that statistics go on moving", () => {
    const frozen = graphsOf(
      program("  optimizer sgd(0.1)\n  freeze body.weights"),
      /DLM0705.*leaves Block statistics moving/,
    );
    const changed = changedBy(frozen, entryOf(frozen, "train"));
    expect(changed.sort()).toEqual([...bodyStates, "head.kernel", "head.shift"].sort());
    const both = graphsOf(program("  optimizer sgd(0.1)\n  freeze body\n  thaw body.weights"));
    const moved = changedBy(both, entryOf(both, "train"));
    expect(moved).toContain("body.first.dense0.kernel");
    expect(moved.filter((path) => bodyStates.includes(path))).toEqual([]);
  });
});

describe("mistakes", () => {
  test("a path with a number stands in quotes, and a missing name has one message", () => {
    const text = program('  optimizer sgd(0.1)\n  freeze "blocks.0"').replace(
      "-> head",
      "-> blocks: repeat 2 { Dense(5) } -> head",
    );
    expect(checkText(text).diagnostics).toEqual([]);
    const codes = checkText(text.replaceAll('"blocks.0"', "blocks.0")).diagnostics.map(({ code }) => code);
    expect(codes).toEqual(["DLM0005"]);
  });

  const messagesOf = (lines: string): string => renderAll(checkText(program(lines)).diagnostics);

  test.each([
    ["  optimizer sgd(0.1)\n  freeze bod", /there is no part `bod` in Deep[^]*did you mean `body`/],
    [
      "  optimizer sgd(0.1)\n  freeze body.secnd.dense0",
      /there is no part `secnd` in body[^]*did you mean `second`/,
    ],
    ["  optimizer sgd(0.1)\n  freeze head, body", /every weight of Deep is frozen/],
    ["  optimizer sgd(0.1)\n  freeze", /`freeze` needs the path of a part of the model/],
    ["  stage a { epochs 1 }", /no optimizer/],
    [
      "  optimizer sgd(0.1)\n  stage a { epochs 1 }\n  stage a { epochs 2 }",
      /an earlier stage has this name/,
    ],
    ["  optimizer sgd(0.1)\n  stage { epochs 1 }", /what is the stage called/],
    ["  optimizer sgd(0.1)\n  stage a { epohs 1 }", /epohs[^]*epochs/],
    ["  stage a { optimizer sgd(0.1) }\n  step Deep { loss mse(Deep(x), y), optimizer sgd(0.1) }", /stage/],
  ])("%s", (lines, message) => {
    expect(messagesOf(lines)).toMatch(message);
  });
});

describe("a run", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-stages-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...words: string[]) => dlmc(words, { cwd: folder });
  const tensorsOf = (file: string) => readSafetensors(readFileSync(join(folder, file)), file).tensors;
  const numbersOf = (file: string) => [...tensorsOf(file)].map(([name, { data }]) => [name, [...data]]);

  beforeAll(async () => {
    const r = random(2);
    const x = Float32Array.from({ length: 60 }, () => 2 * r.next() - 1);
    const y = Float32Array.from({ length: 20 }, (_, i) => x[3 * i]! * x[3 * i + 1]!);
    const arrays = new Map([
      ["x", { dtype: "f32", shape: [20, 3], data: x }],
      ["y", { dtype: "f32", shape: [20], data: y }],
    ] as const);
    writeFileSync(join(folder, "points.npz"), writeNpz(new Map(arrays)));
    writeFileSync(join(folder, "deep.dlm"), staged);
    expect((await run("train", "deep.dlm", "-o", "none", "--steps", "0")).err).toBe("");
    expect((await run("train", "deep.dlm", "--json", "-o", "whole")).err).toBe("");
  });

  test("names the stage, and counts epochs over all of them", async () => {
    const events = jsonLines(readFileSync(join(folder, "whole/metrics.jsonl"), "utf8"));
    const epochs = events.filter(({ event }) => event === "epoch");
    expect(epochs.map(({ stage, epoch }) => [stage, epoch])).toEqual([
      ["head", 1],
      ["head", 2],
      ["finetune", 3],
      ["finetune", 4],
    ]);
    const { out } = await run("train", "deep.dlm", "-o", "shown", "--epochs", "1");
    expect(out).toMatch(/head by adam\(1e-2\), finetune by adamw/);
    expect(out).toMatch(/stage head\n.*epoch[^]*\n1\/2 [^]*stage finetune\n2\/2 /);
  });

  test("what was frozen all the time has the bits that it began with", () => {
    const [before, after] = ["none", "whole"].map((name) => tensorsOf(`${name}/last.safetensors`));
    const same = (path: string): boolean =>
      Buffer.from(before!.get(path)!.data.buffer).equals(Buffer.from(after!.get(path)!.data.buffer));
    const kept = [...before!.keys()].filter((path) => path.startsWith("body.first."));
    expect(kept).toHaveLength(5);
    for (const path of before!.keys())
      if (!path.startsWith("optimizer.") && !path.startsWith("best/"))
        expect(same(path), path).toBe(kept.includes(path));
  });

  test.each([4, 5])("stopped after %i steps and resumed, it ends with the same bits", async (steps) => {
    await run("train", "deep.dlm", "-o", `part${steps}`, "--steps", String(steps));
    const rest = await run("train", "deep.dlm", "--resume", `part${steps}`, "--steps", "8");
    expect(rest.err).toBe("");
    expect(numbersOf(`part${steps}/last.safetensors`)).toEqual(numbersOf("whole/last.safetensors"));
    expect(numbersOf(`part${steps}/best.safetensors`)).toEqual(numbersOf("whole/best.safetensors"));
  });
});
