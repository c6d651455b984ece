/** Constructs of the language in training: what they compute and what their gradients are, as small programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EntryName } from "../compiler/entries/model-graphs.ts";
import type { Graph, GraphInput } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { randomInputs } from "../src/random-inputs.ts";
import { checkText } from "./support/check-text.ts";
import { entriesOfText } from "./support/training-graph.ts";

const sizes = new Map([["B", 3]]);

/** A program of one model on rows of four numbers, or three tokens, with this training. */
function program(model: string, train: string, before = ""): string {
  return `dlm 1

data Rows from arrays("rows.npz") {
  input  x : f32[D=4]
  target y : f32[D=4]
}

data Tokens from arrays("tokens.npz") {
  input  id : int<5>[T=3]
  target next : int<5>[T=3]
}

${before}
model ${model}

train ${/^\w+/.exec(model)![0]} on ${model.includes("int<5>") ? "Tokens" : "Rows"} {
${train}
  batch 3
}
`;
}

function graphOf(graphs: ModelGraphs, name: EntryName): Graph {
  return graphs.entries.find(({ graph }) => graph.name === name)!.graph;
}

/** Random inputs, the same for the same names; `given` instead of some. */
function inputsOf(graph: Graph, given: Readonly<Record<string, Tensor>> = {}): Map<string, Tensor> {
  const inputs = randomInputs(graph, sizes, 5);
  for (const { source } of graph.inputs) {
    const { name } = source as GraphInput;
    if (given[name]) inputs.set(name, given[name]);
  }
  return inputs;
}

const weights = (length: number, at = 0): number[] =>
  Array.from({ length }, (_, i) => Math.sin(1.3 * (i + at) + 1) / 2);

const rows = {
  x: tensor("f32", [3, 4], weights(12, 50)),
  y: tensor("f32", [3, 4], weights(12, 90)),
};
const tokens = {
  id: tensor("i32", [3, 3], [0, 1, 2, 3, 4, 0, 1, 1, 2]),
  next: tensor("i32", [3, 3], [1, 2, 3, 4, 0, 1, 1, 2, 0]),
};

/** What one step of `sgd(1)` subtracts from the weights: their gradient, by path. */
function gradients(text: string, values: readonly number[], given: Readonly<Record<string, Tensor>>) {
  const graphs = entriesOfText(text, ["train"]);
  const graph = graphOf(graphs, "train");
  const parameters = tensor("f32", [values.length], [...values]);
  const { outputs, writes } = evaluate(graph, inputsOf(graph, { ...given, parameters }), sizes);
  const after = writes.get("parameters")!.data;
  const all = values.map((value, i) => value - after[i]!);
  return {
    loss: outputs.get("loss")!.data[0]!,
    of: new Map(
      graphs.weights.map(({ path, shape, offset }) => [
        path,
        all.slice(offset, offset + shape.reduce((a, b) => a * b, 1)),
      ]),
    ),
  };
}

function near(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 10));
}

const sgd = "  optimizer sgd(1)";

describe("a model cut after a stage", () => {
  const resnet = readFileSync(join(import.meta.dirname, "programs", "resnet.dlm"), "utf8");
  const pets = resnet.replace(
    "model ResNet18",
    `model Pets(photo: [B, H=224, W=224, C=3]) -> [B, Breed=37] {
  backbone = ResNet18[..pool]

  photo -> backbone -> dropout(0.2) -> head: Dense(37)
}

model ResNet18`,
  );

  test("keeps the weights of the whole, without those behind the cut", () => {
    const { weights: found } = entriesOfText(pets, ["init"]);
    const count = found.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(11_689_512 - 513 * 1000 + 513 * 37);
    const paths = found.map(({ path }) => path);
    expect(paths).toContain("backbone.stem.conv.kernel");
    expect(paths).toContain("head.kernel");
    expect(paths.filter((path) => path.startsWith("backbone.head"))).toEqual([]);
  });

  const inner = `model Whole(x: [B, D=4]) -> [B, E=2] {
  wide = x -> first: Dense(6) -> relu
  wide -> second: Dense(4) -> tanh
    -> third: Dense(2)
}
`;
  const loss = `  loss mse(out, y)\n${sgd}`;

  test.each([
    ["as an instance", "part = Whole[..second]\n  x -> part"],
    ["as a labelled stage", "x -> part: Whole[..second]"],
    [
      "of an instance that is used as a whole too",
      "part = Whole\n  part(x) * 0 -> Dense(4) -> * 0 -> + part[..second](x)",
    ],
    ["of a cut", "part = Whole[..third]\n  part[..second](x)"],
  ])("trains as if it were written out: %s", (_, body) => {
    const cut = entriesOfText(
      program(`Cut(x: [B, D=4]) -> [B, D=4] {\n  ${body}\n}`, loss, "").replace(
        /train Cut/,
        `${inner}\ntrain Cut`,
      ),
      ["train"],
    );
    const graph = graphOf(cut, "train");
    const length = cut.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const values = Array.from({ length }, () => 0);
    const parts = new Map([
      ["first.kernel", weights(24)],
      ["first.shift", weights(6, 24)],
      ["second.kernel", weights(24, 30)],
      ["second.shift", weights(4, 54)],
    ]);
    for (const { path, offset } of cut.weights)
      parts.get(path.replace(/^part\./, ""))?.forEach((value, i) => void (values[offset + i] = value));
    const parameters = tensor("f32", [length], values);
    const result = evaluate(graph, inputsOf(graph, { ...rows, parameters }), sizes);

    const plain = program(
      "Plain(x: [B, D=4]) -> [B, D=4] {\n  x -> first: Dense(6) -> relu -> second: Dense(4)\n}",
      loss,
    );
    const order = entriesOfText(plain, ["train"]).weights;
    const wanted = gradients(
      plain,
      order.flatMap(({ path }) => parts.get(path)!),
      rows,
    );
    expect(result.outputs.get("loss")!.data[0]).toBeCloseTo(wanted.loss, 10);
    const after = result.writes.get("parameters")!.data;
    for (const { path, offset } of cut.weights) {
      const gradient = wanted.of.get(path.replace(/^part\./, ""));
      if (gradient)
        near(
          gradient.map((_, i) => values[offset + i]! - after[offset + i]!),
          gradient,
        );
    }
  });

  test("a stage that there is not is named beside those that there are", () => {
    const found = checkText(pets.replace("..pool", "..pol")).diagnostics.map(
      ({ code, message, notes, helps }) => ({
        code,
        message,
        notes,
        help: helps[0]?.text,
      }),
    );
    expect(found).toEqual([
      {
        code: "DLM0101",
        message: "there is no stage `pol` in model ResNet18",
        notes: ["its labelled stages are stem, stage1, stage2, stage3, stage4, pool, head"],
        help: "did you mean `pool`?",
      },
    ]);
  });
});

describe("sharing", () => {
  test("the gradient of a tied table is the sum of both its uses", () => {
    const model = (name: string, out: string): string =>
      program(
        `${name}(id: int<5>[B, T=3]) -> [B, T, Id=5] {
  wte = Embed(Width)
  ${out}
  wte(id) -> tanh -> dot(TABLE) over Width
}`,
        `  loss cross_entropy(out, next)\n${sgd}`,
        "let Width = 4",
      );
    const table = weights(20);
    const tied = gradients(model("Tied", "").replace("TABLE", "wte.table"), table, tokens);
    const free = gradients(
      model("Free", "weight out : [5, Width] = 0").replace("TABLE", "out"),
      [...table, ...table],
      tokens,
    );
    expect(tied.loss).toBeCloseTo(free.loss, 12);
    const [into, outOf] = [free.of.get("wte.table")!, free.of.get("out")!];
    expect(into.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    near(
      tied.of.get("wte.table")!,
      into.map((value, i) => value + outOf[i]!),
    );
  });

  test("a block that is repeated and shared sums the gradients of its turns", () => {
    const model = (name: string, body: string): string =>
      program(`${name}(x: [B, D=4]) -> [B, D=4] {\n  x -> ${body}\n}`, `  loss mse(out, y)\n${sgd}`);
    const once = weights(20);
    const shared = gradients(model("Shared", "blocks: repeat 3 shared { Dense(4) -> tanh }"), once, rows);
    const apart = gradients(
      model("Apart", "blocks: repeat 3 { Dense(4) -> tanh }"),
      // kernels come first
      [0, 16].flatMap((from) => [1, 2, 3].flatMap(() => once.slice(from, from === 0 ? 16 : 20))),
      rows,
    );
    expect(shared.loss).toBeCloseTo(apart.loss, 12);
    expect(shared.of.size).toBe(2);
    for (const [path, gradient] of shared.of) {
      const last = path.split(".").at(-1)!;
      const turns = [...apart.of].filter(([each]) => each.endsWith(`.${last}`)).map(([, each]) => each);
      expect(turns).toHaveLength(3);
      near(
        gradient,
        gradient.map((_, i) => turns.reduce((sum, each) => sum + each[i]!, 0)),
      );
    }
  });
});

test("`residual via` adds what the shortcut makes of the input, and trains both", () => {
  const model = (name: string, body: string): string =>
    program(`${name}(x: [B, D=4]) -> [B, D=4] {\n  ${body}\n}`, `  loss mse(out, y)\n${sgd}`);
  const values = weights(40);
  const via = gradients(
    model("Via", "short = Dense(4)\n  x -> residual via short { long: Dense(4) -> tanh }"),
    values,
    rows,
  );
  const sum = gradients(
    model("Sum", "short = Dense(4)\n  long = Dense(4)\n  short(x) + tanh(long(x))"),
    values,
    rows,
  );
  expect(via.loss).toBeCloseTo(sum.loss, 12);
  expect([...via.of.keys()]).toEqual([...sum.of.keys()]);
  for (const [path, gradient] of via.of) near(gradient, sum.of.get(path)!);
});

test("modules and functions are parameters, also in training", () => {
  const block = `module Block(Norm, act, Out)(x: [.., In]) -> [.., Out] {
  x -> norm: Norm -> inner: Dense(Out) -> act
}`;
  const loss = `  loss mse(out, y)\n${sgd}`;
  const given = gradients(
    program("Given(x: [B, D=4]) -> [B, D=4] {\n  x -> block: Block(LayerNorm, tanh, 4)\n}", loss, block),
    weights(28),
    rows,
  );
  const written = gradients(
    program(
      "Written(x: [B, D=4]) -> [B, D=4] {\n  x -> block: { norm: LayerNorm -> inner: Dense(4) -> tanh }\n}",
      loss,
    ),
    weights(28),
    rows,
  );
  expect(given.loss).toBeCloseTo(written.loss, 12);
  expect([...given.of.keys()]).toEqual([...written.of.keys()]);
  for (const [path, gradient] of given.of) near(gradient, written.of.get(path)!);
});

test("several named outputs, and a loss of named terms", () => {
  const model = `Two(x: [B, D=4]) -> (fit: [B, D=4], size: [B, 2]) {
  code = x -> code: Dense(2) -> tanh
  (fit = code -> back: Dense(4), size = code * code)
}`;
  const text = program(
    model,
    `  loss fit = mse(out.fit, y), small = 0.5 * (mean(out.size) over [..])\n${sgd}`,
  );
  const values = weights(22);
  const both = gradients(text, values, rows);
  const fit = gradients(program(model, `  loss mse(out.fit, y)\n${sgd}`), values, rows);
  const sum = gradients(
    program(model, `  loss mse(out.fit, y) + 0.5 * (mean(out.size) over [..])\n${sgd}`),
    values,
    rows,
  );
  expect(both.loss).toBeCloseTo(sum.loss, 12);
  for (const [path, gradient] of both.of) near(gradient, sum.of.get(path)!);
  near(both.of.get("back.kernel")!, fit.of.get("back.kernel")!);
  expect(Math.abs(both.of.get("code.kernel")![0]! - fit.of.get("code.kernel")![0]!)).toBeGreaterThan(1e-4);
  const graphs = entriesOfText(text, ["measure"]);
  expect(graphOf(graphs, "measure").outputs.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["loss", "out.fit", "out.size"]),
  );
});
