/** `input` in `deploy`: what a compiled model computes in the place of what an app would give. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compileModel } from "../compiler/compile.ts";
import { modelGraphs, type EntryName } from "../compiler/entries/model-graphs.ts";
import { isNode, type Graph } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import type { CallableDeclaration } from "../grammar/ast.ts";
import { renderAll } from "../grammar/render.ts";
import { load } from "../runtime/index.ts";
import { randomInputs } from "../src/random-inputs.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc, jsonLines } from "./support/command-line.ts";

const program = (lines: string): string => `dlm 1

let Z = 3

model Mix(z: [B, Z], x: [B, D=2]) -> [B, 5] {
  concat(z, x)
}

deploy Mix {
${lines}
}
`;

function graphsOf(lines: string, entries: readonly EntryName[] = ["infer"]): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(program(lines));
  expect(renderAll(diagnostics)).toBe("");
  const declaration = scope.declarations.get("Mix") as CallableDeclaration;
  const { span } = declaration.name;
  const rest = { configuration: undefined, tensors: [], over: undefined } as const;
  const model = { kind: "callable", declaration, scope, span, ...rest } as const;
  const { inputs, outputs } = flow.plans.deploy[0]!;
  return modelGraphs({ session, scope, model, train: undefined, data: [], entries, inputs, outputs });
}

function inferOf(lines: string): Graph {
  return graphsOf(lines).entries[0]!.graph;
}

const namesOf = (graph: Graph, role: string): string[] =>
  graph.inputs.flatMap(({ source }) => (!isNode(source) && source.role === role ? [source.name] : []));

function run(graph: Graph, given: Readonly<Record<string, Tensor>>, rows: number) {
  const sizes = new Map([["B", rows]]);
  const inputs = new Map([...randomInputs(graph, sizes, 1), ...Object.entries(given)]);
  return evaluate(graph, inputs, sizes).outputs;
}

const scalar = (value: number): Tensor => tensor("i32", [], [value]);

describe("the entry infer", () => {
  test("draws what the app then does not give", () => {
    const graph = inferOf("  input z = normal[B, Z]");
    expect(namesOf(graph, "input")).toEqual(["x"]);
    expect(namesOf(graph, "control").sort()).toEqual(["first_row", "seed"]);
    const x = tensor("f32", [2, 2], [1, 2, 3, 4]);
    const draw = (seed: number): readonly number[] => [
      ...run(graph, { x, seed: scalar(seed) }, 2).get("out")!.data,
    ];
    const drawn = draw(7);
    expect([3, 4, 8, 9].map((i) => drawn[i])).toEqual([1, 2, 3, 4]);
    expect(draw(7)).toEqual(drawn);
    expect(draw(8)).not.toEqual(drawn);
    expect(new Set(drawn).size).toBe(10);
  });

  test("has no inputs where all are computed, and its rows are free", () => {
    const { graph, rows, defaults } = graphsOf("  input z = normal[B, Z], x = uniform[B, 2]").entries[0]!;
    expect(namesOf(graph, "input")).toEqual([]);
    expect(graph.dims.map(({ name }) => name)).toEqual(["B"]);
    expect(rows).toBe(true);
    expect(defaults.get("B")).toBe(32);
  });

  test("draws a row as if all rows were drawn at once", () => {
    const graph = inferOf("  input z = normal[B, Z], x = uniform[B, 2]");
    const rows = (count: number, before: number): readonly number[] => [
      ...run(graph, { seed: scalar(5), first_row: scalar(before) }, count).get("out")!.data,
    ];
    expect([...rows(3, 0), ...rows(2, 3)]).toEqual(rows(5, 0));
  });

  test("prepares what the app gives under the same name, and outputs speak of what the model is given", () => {
    const graph = inferOf("  input x = (x - 1) / 2, z = ones[B, Z]\n  output out, x = x");
    expect(namesOf(graph, "input")).toEqual(["x"]);
    const found = run(graph, { x: tensor("f32", [1, 2], [3, 7]) }, 1);
    expect([...found.get("out")!.data]).toEqual([1, 1, 1, 1, 3]);
    expect([...found.get("x")!.data]).toEqual([1, 3]);
  });

  test("computes an input from another one, all from what the app gives", () => {
    const graph = inferOf("  input z = concat(x, sum(x) over D -> [B] => [B, 1])\n  input x = x * 10");
    const found = run(graph, { x: tensor("f32", [1, 2], [3, 4]) }, 1);
    expect([...found.get("out")!.data]).toEqual([3, 4, 7, 30, 40]);
  });

  test.each([
    ["input y = normal[B, Z]", "DLM0121", /takes `z`, `x`/],
    ["input normal[B, Z]", "DLM0121", /the name of an input/],
    ["input z = normal[B, Z], z = ones[B, Z]", "DLM0121", /each input once/],
    ["input z = relu", "DLM0121", /a tensor computed from what the app gives/],
    ["input z = x -> Dense(Z)", "DLM0121", /no weights of its own/],
    ["input z = normal[B, 4]", "DLM0213", /4/],
    ["input z = normal[Rows, Z]", "DLM0101", /Rows/],
    ["input z = out", "DLM0101", /out/],
  ])("what is wrong is told once: %s", (line, code, text) => {
    const { diagnostics } = checkText(program(`  ${line}`));
    expect(diagnostics.map((each) => each.code)).toEqual([code]);
    expect(renderAll(diagnostics)).toMatch(text);
  });
});

describe("an artifact that draws its inputs", async () => {
  const graphs = graphsOf("  input z = normal[B, Z], x = uniform[B, 2]");
  const { strict } = await compileModel(graphs, { version: "test", relaxed: false });
  const artifact = strict!.artifact!;

  test("gives the same rows in chunks of any size", async () => {
    const [small, large] = await Promise.all([4, 16].map((B) => load(artifact, { max: { B } })));
    const whole = await large!.run({}, { dims: { B: 11 }, seed: 3 });
    expect(await small!.run(undefined, { dims: { B: 11 }, seed: 3 })).toEqual(whole);
    expect(await small!.run({}, { dims: { B: 11 }, seed: 4 })).not.toEqual(whole);
    const reference = run(graphs.entries[0]!.graph, { seed: scalar(3) }, 11).get("out")!.data;
    whole["out"]!.forEach((value, i) => expect(value).toBeCloseTo(reference[i]!, 5));
  });

  test("takes the seed of the call, else that of loading; neither moves the other", async () => {
    const model = await load(artifact, { seed: 9 });
    const dims = { B: 2 };
    const own = await model.run({}, { dims });
    expect(await model.run({}, { dims, seed: 1 })).not.toEqual(own);
    expect(await model.run({}, { dims })).toEqual(own);
    expect(await model.run({}, { dims, seed: 9 })).toEqual(own);
  });

  test("wants to know how many", async () => {
    const model = await load(artifact);
    await expect(model.run()).rejects.toThrow(/no input tells the size B.*dims: { B: 16 }/);
    await model.run({}, { dims: { B: 2 } });
    await expect(model.run()).rejects.toThrow(/no input tells the size B/);
    await expect(model.run({}, { dims: { B: 0 } })).rejects.toThrow(/dims.B is 0/);
    await expect(model.run({ z: [1] }, { dims: { B: 1 } })).rejects.toThrow(/infer takes none/);
    await expect(model.run({}, { dims: { B: 1 }, seed: 0.5 })).rejects.toThrow(/a whole number, not 0.5/);
  });
});

describe("on the command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-deploy-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "draw.dlm"), program("  input z = normal[B, Z], x = uniform[B, 2]"));
  writeFileSync(join(folder, "half.dlm"), program("  input z = ones[B, Z]"));
  writeFileSync(join(folder, "x.json"), JSON.stringify([{ x: [1, 2] }, { x: [3, 4] }]));
  const say = (...words: string[]) => dlmc(words, { cwd: folder });

  test("run draws as many as --dim says, from --seed; of a program and of its artifact", async () => {
    const drawn = await say("run", "draw.dlm", "--dim", "B=3", "--seed", "4", "--json");
    expect(drawn.err).toBe("");
    expect(jsonLines(drawn.out)).toHaveLength(3);
    expect((await say("compile", "draw.dlm", "-o", "dist")).err).toBe("");
    const again = await say("run", "dist", "--dim", "B=3", "--seed", "4", "--json");
    expect(again.out).toBe(drawn.out);
    const types = readFileSync(join(folder, "dist/Mix.d.ts"), "utf8");
    expect(types).toContain(
      "run(inputs: Inputs | undefined, options: CallOptions<Outputs> & { dims: { B: number } })",
    );
    expect(types).toContain("seed?: number;");
  });

  test("run takes the inputs that are left", async () => {
    const { out, err } = await say("run", "half.dlm", "--input", "x.json", "--json");
    expect(err).toBe("");
    expect(jsonLines(out).map((row) => row["out"])).toEqual([
      [1, 1, 1, 1, 2],
      [1, 1, 1, 3, 4],
    ]);
  });

  test.each([
    [["draw.dlm"], /no input tells the size B/],
    [["draw.dlm", "--input", "x.json"], /takes no input/],
    [["draw.dlm", "--dim", "T=3"], /no free dim T/],
    [["half.dlm"], /the model takes x/],
    [["half.dlm", "--input", "x.json", "--seed", "1"], /draws nothing/],
    [["half.dlm", "--input", "x.json", "--dim", "B=3"], /has 2 rows, and --dim says B=3/],
  ])("run %j is refused", async (words, text) => {
    const { err, status } = await say("run", ...words);
    expect(err).toMatch(text);
    expect(status).toBe(2);
  });
});
