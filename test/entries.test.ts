/** Entry graphs: what train, measure, infer, init and fit compute, in f64, against formulas written out here. */
import { describe, expect, test } from "vitest";
import { blockFrame, modelOf } from "../compiler/check/flow/block.ts";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import type { EntryName } from "../compiler/entries/model-graphs.ts";
import { isNode } from "../compiler/ir/graph.ts";
import type { Graph } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { elementCount, tensor } from "../compiler/ir/tensor.ts";
import type { Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { renderAll } from "../grammar/render.ts";
import { checkText } from "./support/check-text.ts";

const all: readonly EntryName[] = ["init", "fit", "infer", "measure", "train", "grad"];

function graphsOf(text: string, model: string, entries = all): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics.filter((d) => d.severity === "error"))).toBe("");
  const frame = blockFrame(session, scope, "inference", undefined);
  const span = scope.file.span;
  const declaration = {
    kind: "train",
    name: { text: model, span },
    on: undefined,
    settings: { span, settings: [] },
    span,
    doc: "",
  } as const;
  const found = modelOf(frame, declaration);
  if (!found) throw new Error(`there is no model ${model}`);
  const train = flow.trains.find((t) => t.plan.model === model);
  return modelGraphs({ session, scope, model: found, train, data: flow.plans.data, entries });
}

function entryOf(graphs: ModelGraphs, name: EntryName): Graph {
  const found = graphs.entries.find((entry) => entry.graph.name === name);
  if (!found) throw new Error(`there is no entry ${name}`);
  return found.graph;
}

const scalar = (value: number, dtype: "f32" | "i32" = "f32"): Tensor => tensor(dtype, [], [value]);

/** The control block and the tensors given, as far as the graph reads them. */
function inputsOf(graph: Graph, given: Readonly<Record<string, Tensor>>, step = 1): Map<string, Tensor> {
  const control: Readonly<Record<string, Tensor>> = {
    seed: scalar(7, "i32"),
    iteration: scalar(step - 1, "i32"),
    step: scalar(step),
    steps_per_epoch: scalar(10),
    rate_factor: scalar(1),
  };
  const inputs = new Map<string, Tensor>();
  for (const { source } of graph.inputs) {
    if (isNode(source)) continue;
    const value = given[source.name] ?? control[source.name];
    if (value) inputs.set(source.name, value);
  }
  return inputs;
}

const rows = 3;
const sizes = new Map([["B", rows]]);
const x = tensor("f32", [rows, 2], [1, 2, -1, 0.5, 3, -2]);
const y = tensor("f32", [rows], [1, -2, 0.5]);

const line = (lines: string): string => `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[D=2]
  target y : number
}

model Line(x: [B, D=2]) -> [B] {
  x -> head: Dense(1) -> squeeze
}

train Line on Points {
  loss mse(out, y)
${lines}
}
`;

/** The loss of `Line` and its gradient for [kernel 0, kernel 1, shift]. */
function lossOf(w: readonly number[]): { loss: number; gradient: number[] } {
  let loss = 0;
  const gradient = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    const row = [x.data[2 * i]!, x.data[2 * i + 1]!, 1];
    const error = row.reduce((sum, v, k) => sum + v * w[k]!, 0) - y.data[i]!;
    loss += (error * error) / rows;
    row.forEach((v, k) => (gradient[k]! += (2 * error * v) / rows));
  }
  return { loss, gradient };
}

const start = [0.5, -0.25, 0.1];

/** Weights after each step of the train entry. */
function run(text: string, steps: number): number[][] {
  const graphs = graphsOf(text, "Line", ["train"]);
  const graph = entryOf(graphs, "train");
  const tensors: Record<string, Tensor> = { x, y, parameters: tensor("f32", [3], start) };
  for (const state of [...graphs.states, ...graphs.optimizer]) tensors[state.path] = state.initial;
  const seen: number[][] = [];
  for (let step = 1; step <= steps; step++) {
    const { writes, outputs } = evaluate(graph, inputsOf(graph, tensors, step), sizes);
    expect(outputs.get("status")!.data[0]).toBe(1);
    const expected = lossOf([...tensors["parameters"]!.data]).loss;
    expect(outputs.get("loss")!.data[0]).toBeCloseTo(expected, 12);
    for (const [name, value] of writes) tensors[name] = value;
    seen.push([...tensors["parameters"]!.data]);
  }
  return seen;
}

function expectClose(
  found: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  digits = 10,
): void {
  expect(found.length).toBe(expected.length);
  found.forEach((row, i) => row.forEach((value, k) => expect(value).toBeCloseTo(expected[i]![k]!, digits)));
}

/** A rule of PyTorch, one weight at a time. */
type Rule = (w: number, g: number, memory: Record<string, number>, step: number) => number;

function byHand(
  rule: Rule,
  steps: number,
  change: (gradient: number[], w: number[]) => number[] = (g) => g,
): number[][] {
  let w = [...start];
  const memories = w.map((): Record<string, number> => ({}));
  const seen: number[][] = [];
  for (let step = 1; step <= steps; step++) {
    const gradient = change(lossOf(w).gradient, w);
    w = w.map((value, k) => rule(value, gradient[k]!, memories[k]!, step));
    seen.push(w);
  }
  return seen;
}

const sgd =
  (rate: number): Rule =>
  (w, g) =>
    w - rate * g;

function adam(rate: number, decay: number): Rule {
  return (w, g, memory, step) => {
    const m = 0.9 * (memory["m"] ?? 0) + 0.1 * g;
    const v = 0.999 * (memory["v"] ?? 0) + 0.001 * g * g;
    Object.assign(memory, { m, v });
    const denominator = Math.sqrt(v) / Math.sqrt(1 - 0.999 ** step) + 1e-8;
    return w * (1 - rate * decay) - ((rate / (1 - 0.9 ** step)) * m) / denominator;
  };
}

describe("optimizers, against PyTorch's formulas", () => {
  test("sgd", () => expectClose(run(line("  optimizer sgd(0.1)"), 4), byHand(sgd(0.1), 4)));

  test.each([
    ["sgd(0.1, momentum = 0.9)", false],
    ["sgd(0.1, momentum = 0.9, nesterov = true)", true],
  ])("%s", (text, nesterov) => {
    const rule: Rule = (w, g, memory) => {
      const b = 0.9 * (memory["b"] ?? 0) + g;
      memory["b"] = b;
      return w - 0.1 * (nesterov ? g + 0.9 * b : b);
    };
    expectClose(run(line(`  optimizer ${text}`), 4), byHand(rule, 4));
  });

  test("adam", () => expectClose(run(line("  optimizer adam(0.01)"), 5), byHand(adam(0.01, 0), 5)));

  test("adamw", () =>
    expectClose(run(line("  optimizer adamw(0.01, decay = 0.1)"), 5), byHand(adam(0.01, 0.1), 5)));

  test.each([
    ["rmsprop(0.01)", 0],
    ["rmsprop(0.01, momentum = 0.5)", 0.5],
  ])("%s", (text, momentum) => {
    const rule: Rule = (w, g, memory) => {
      const v = 0.99 * (memory["v"] ?? 0) + 0.01 * g * g;
      const b = momentum * (memory["b"] ?? 0) + g / (Math.sqrt(v) + 1e-8);
      Object.assign(memory, { v, b });
      return w - 0.01 * b;
    };
    expectClose(run(line(`  optimizer ${text}`), 4), byHand(rule, 4));
  });

  test.each([
    ["constant(0.1)", 1, 0.1],
    ["constant(0.1)", 0.25, 0.025],
    // no lower than `least`, unless the schedule is
    ["constant(0.1)", 0.01, 0.01],
    ["linear(0.1, total = 4)", 0.5, 0.0375],
    ["linear(0.1, total = 1)", 0.5, 0],
  ])("a plateau lowers the rate of %s by %d", (rate, factor, expected) => {
    const text = line(`  optimizer sgd(${rate})\n  plateau watch = valid.loss, least = 0.01`).replace(
      "  target y : number",
      "  target y : number\n  split train = 80%, valid = 20%",
    );
    const graph = graphsOf(text, "Line", ["train"]).rates!.get("train")!;
    const inputs = inputsOf(graph, { rate_factor: scalar(factor) }, 2);
    expect(evaluate(graph, inputs, new Map()).outputs.get("rate")!.data[0]).toBeCloseTo(expected, 12);
  });

  test("an optimizer of the file", () => {
    const text = line("  optimizer signs(0.01)").replace(
      "train Line",
      `optimizer signs(rate) {
  state n = 0
  n <- n + 1
  w <- w - rate * n * float(g > 0) + rate * n * float(g < 0)
}

train Line`,
    );
    const rule: Rule = (w, g, _, step) => w - 0.01 * step * Math.sign(g);
    expectClose(run(text, 3), byHand(rule, 3));
  });
});

describe("penalties, clipping, schedules", () => {
  test("penalties reach the kernel alone", () => {
    const change = (g: number[], w: number[]): number[] =>
      g.map((each, k) => (k < 2 ? each + 2 * 0.1 * w[k]! + 0.05 * Math.sign(w[k]!) : each));
    expectClose(
      run(line("  optimizer sgd(0.1)\n  penalty l2(0.1), l1(0.05)"), 3),
      byHand(sgd(0.1), 3, change),
    );
  });

  test("a long gradient is scaled down, a short one is not", () => {
    const change = (g: number[]): number[] => {
      const factor = Math.min(1, 0.5 / (Math.hypot(...g) + 1e-6));
      return g.map((each) => factor * each);
    };
    expectClose(run(line("  optimizer sgd(0.1)\n  clip 0.5"), 3), byHand(sgd(0.1), 3, change));
    expectClose(run(line("  optimizer sgd(0.1)\n  clip 1000"), 3), byHand(sgd(0.1), 3));
  });

  const schedules: readonly (readonly [string, (step: number) => number])[] = [
    ["constant(0.1)", () => 0.1],
    ["constant(0.1, warmup = 4)", (step) => 0.1 * Math.min(step / 4, 1)],
    ["stepwise(0.1, every = 2, factor = 0.5)", (step) => 0.1 * 0.5 ** Math.floor((step - 1) / 2)],
    ["exponential(0.1, every = 10)", (step) => 0.1 * 0.1 ** ((step - 1) / 10)],
    ["linear(0.1, total = 4)", (step) => 0.1 * Math.max(0, 1 - (step - 1) / 4)],
    // steps_per_epoch is 10 here
    ["cosine(0.1, total = 2 * epoch)", (step) => 0.05 * (1 + Math.cos((Math.PI * (step - 1)) / 20))],
    [
      "cosine(0.1, warmup = 2, total = 6, least = 0.01)",
      (step) =>
        step <= 2 ? 0.05 * step : 0.01 + 0.045 * (1 + Math.cos(Math.PI * Math.min(1, (step - 3) / 4))),
    ],
  ];
  test.each(schedules)("%s", (text, rate) => {
    const rule: Rule = (w, g, _, step) => w - rate(step) * g;
    expectClose(run(line(`  optimizer sgd(${text})`), 8), byHand(rule, 8), 8);
  });
});

describe("the guard", () => {
  test("a number that is not finite changes nothing", () => {
    const graphs = graphsOf(line("  optimizer adam(0.1)"), "Line", ["train"]);
    const graph = entryOf(graphs, "train");
    const bad = tensor("f32", [rows, 2], [1, 2, NaN, 0.5, 3, -2]);
    const tensors: Record<string, Tensor> = { x: bad, y, parameters: tensor("f32", [3], start) };
    for (const state of graphs.optimizer) tensors[state.path] = tensor("f32", [3], [1, 2, 3]);
    const { outputs, writes } = evaluate(graph, inputsOf(graph, tensors), sizes);
    expect(outputs.get("status")!.data[0]).toBe(0);
    expect([...writes.keys()].sort()).toEqual(["optimizer.m", "optimizer.v", "parameters"]);
    for (const [name, value] of writes) expect([...value.data]).toEqual([...tensors[name]!.data]);
  });
});

const houses = `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  input  sea : category("near", "middle", "far")
  target price : number
}

model Price(house: Houses) -> [B] {
  concat(house.numbers -> scaled: Standardize, house.sea -> OneHot)
    -> Dense(4) -> norm: BatchNorm -> relu -> dropout(0.5) -> Dense(1) -> squeeze
}

train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     64
}
`;

describe("entries of a model with a state", () => {
  const graphs = (): ModelGraphs => graphsOf(houses, "Price");

  test("weights are sorted, kernels first, without gaps", () => {
    const { weights } = graphs();
    expect(weights.map((w) => [w.path, w.kind])).toEqual([
      ["dense0.kernel", "kernel"],
      ["dense1.kernel", "kernel"],
      ["dense0.shift", "other"],
      ["dense1.shift", "other"],
      ["norm.scale", "other"],
      ["norm.shift", "other"],
    ]);
    let at = 0;
    for (const { offset, shape } of weights) {
      expect(offset).toBe(at);
      at += elementCount(shape);
    }
    expect(weights[0]!.shape).toEqual([5, 4]);
  });

  test("inputs are the columns, outputs and control scalars those of the conventions", () => {
    const found = graphs();
    const names = (entry: EntryName, role: string): string[] =>
      entryOf(found, entry).inputs.flatMap(({ source }) =>
        !isNode(source) && source.role === role ? [source.name] : [],
      );
    expect(names("infer", "input")).toEqual(["rooms", "age", "sea"]);
    expect(names("measure", "input")).toEqual(["rooms", "age", "sea", "price"]);
    expect(names("train", "input")).toEqual(["rooms", "age", "sea", "price"]);
    expect(names("fit", "input")).toEqual(["rooms", "age"]);
    expect(names("infer", "control")).toEqual([]);
    expect(names("train", "control").sort()).toEqual(["iteration", "seed", "step"]);
    expect(names("infer", "state").sort()).toEqual(["norm.m", "norm.v", "scaled.m", "scaled.s"]);
    const outputs = (entry: EntryName): string[] =>
      entryOf(found, entry).outputs.map((output) => output.name);
    expect(outputs("infer")).toEqual(["out"]);
    expect(outputs("measure")).toEqual(["loss", "out"]);
    expect(outputs("train")).toEqual(["loss", "gradient_norm", "status"]);
    expect(entryOf(found, "train").dims.map((dim) => dim.name)).toEqual(["B"]);
  });

  test("training writes weights, optimizer and running statistics, and no fitted ones", () => {
    const { source: _, ...written } = {
      source: 0,
      names: entryOf(graphs(), "train").writes.map(({ input }) =>
        isNode(input.source) ? "" : input.source.name,
      ),
    };
    expect(written.names.sort()).toEqual(["norm.m", "norm.v", "optimizer.m", "optimizer.v", "parameters"]);
    expect(entryOf(graphs(), "measure").writes).toEqual([]);
    expect(entryOf(graphs(), "infer").writes).toEqual([]);
  });

  test("rows are independent in infer, and nowhere else", () => {
    const { entries } = graphs();
    expect(entries.map(({ graph, rows: free }) => [graph.name, free])).toEqual([
      ["init", false],
      ["fit", false],
      ["infer", true],
      ["measure", false],
      ["train", false],
      ["grad", false],
    ]);
    const defaults = Object.fromEntries(entries.map((e) => [e.graph.name, e.defaults.get("B")]));
    expect(defaults).toMatchObject({ infer: 32, train: 64, measure: 64 });
  });

  test("categories name the classes of an input", () => {
    const infer = graphs().entries.find((e) => e.graph.name === "infer")!;
    expect(infer.tensors.get("sea")).toEqual({ labels: ["B"], classes: ["near", "middle", "far"] });
    expect(infer.tensors.get("out")).toEqual({ labels: ["B"] });
  });

  test("fit measures the train rows", () => {
    const graph = entryOf(graphs(), "fit");
    const rooms = tensor("f32", [4], [1, 2, 3, 6]);
    const age = tensor("f32", [4], [10, 10, 30, 30]);
    const given: Record<string, Tensor> = { rooms, age };
    for (const state of graphs().states) given[state.path] = state.initial;
    const { writes } = evaluate(graph, inputsOf(graph, given), new Map([["B", 4]]));
    expect([...writes.keys()].sort()).toEqual(["scaled.m", "scaled.s"]);
    expect([...writes.get("scaled.m")!.data]).toEqual([3, 20]);
    expect(writes.get("scaled.s")!.data[1]).toBeCloseTo(10, 10);
    expect(writes.get("scaled.s")!.data[0]).toBeCloseTo(Math.sqrt(3.5), 10);
  });

  test("init follows the seed", () => {
    const graph = entryOf(graphs(), "init");
    const given: Record<string, Tensor> = {
      parameters: tensor("f32", [graphs().weights.reduce((n, w) => n + elementCount(w.shape), 0)]),
    };
    for (const state of graphs().states) given[state.path] = state.initial;
    const weights = (seed: number): number[] => {
      const inputs = inputsOf(graph, { ...given, seed: scalar(seed, "i32") });
      return [...evaluate(graph, inputs, new Map()).writes.get("parameters")!.data];
    };
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1)).not.toEqual(weights(2));
    const kernel = weights(1).slice(0, 20);
    expect(new Set(kernel).size).toBe(20);
    // glorot: uniform within sqrt(6 / (5 + 4))
    expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 9));
    expect(weights(1).slice(24)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });
});

describe("the proof that rows are independent", () => {
  const rowsOf = (signature: string, body: string): boolean =>
    graphsOf(`dlm 1\n\nmodel M${signature} {\n  ${body}\n}\n`, "M", ["infer"]).entries[0]!.rows;

  test("holds for layers", () => {
    expect(
      rowsOf(
        "(x: u8[B, H=8, W=8, C=1]) -> [B, Class=10]",
        "x -> scale(1/255) -> Conv(4, 3) -> relu -> maxpool(2) -> flatten -> Dense(10)",
      ),
    ).toBe(true);
    expect(rowsOf("(x: [B, T, D=8]) -> [B, T, _]", "x -> LayerNorm -> Dense(3) -> softmax over last")).toBe(
      true,
    );
    expect(rowsOf("(x: int<9>[B, T]) -> [B, D=_]", "x -> Embed(4) -> mean over T")).toBe(true);
    expect(rowsOf("(x: [B, D=8]) -> [B, D]", "x -> BatchNorm -> residual { Dense(8) }")).toBe(true);
  });

  test("does not hold where a row looks at others", () => {
    expect(rowsOf("(x: [B, D=8]) -> [B, D]", "x - mean(x) over B")).toBe(false);
    expect(rowsOf("(x: [B, D=8]) -> []", "mean(x) over [..]")).toBe(false);
    expect(rowsOf("(x: [B, D=8]) -> [D, B]", "x -> [B, D] => [D, B]")).toBe(false);
  });
});
