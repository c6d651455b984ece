/** Data `from app`: a train block whose rows the app gives, batch by batch, to the compiled training step. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compileModel } from "../compiler/compile.ts";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { renderAll } from "../grammar/render.ts";
import { load } from "../runtime/index.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc } from "./support/command-line.ts";

interface Lines {
  readonly data?: string;
  readonly model?: string;
  readonly train?: string;
  readonly more?: string;
}

const program = ({ data = "", model = "x -> Dense(1)", train = "", more = "" }: Lines = {}): string => `dlm 1

data Plays from app {
  input  x : f32[D=3]
  target side : category("left", "right")
  target good : number
${data}}

model Value(x: [B, D=3]) -> [B] {
  ${model} -> squeeze
}

train Value on Plays {
  loss       mse(out, good)
  optimizer  sgd(0.1)
  batch      4
${train}}
${more}`;

test("the block is compiled without any data, and learns what the app gives", async () => {
  const { session, scope, flow, diagnostics } = checkText(program());
  expect(renderAll(diagnostics)).toBe("");
  const [train] = flow.trains;
  const entries = ["init", "infer", "train"] as const;
  const graphs = modelGraphs({
    session,
    scope,
    model: train!.block.model,
    train,
    data: flow.plans.data,
    entries,
  });
  const { strict } = await compileModel(graphs, { version: "test", relaxed: false });
  const model = await load(strict!.artifact!, { seed: 1 });
  expect(model.manifest.entries.find(({ name }) => name === "train")!.inputs.map(({ name }) => name)).toEqual(
    ["x", "good"],
  );
  const weights = (): readonly number[] => [...model.weights().values()].flatMap((each) => [...each]);
  const batch = { x: [1, 2, 3, 4, 5, 6], good: [1, -1] };
  const [kernel, shift] = [weights().slice(0, 3), weights()[3]!];
  const errors = [0, 1].map(
    (row) => kernel.reduce((sum, k, i) => sum + k * batch.x[3 * row + i]!, shift) - batch.good[row]!,
  );
  const { loss, ok } = await model.step(batch);
  expect(ok).toBe(true);
  expect(loss).toBeCloseTo((errors[0]! ** 2 + errors[1]! ** 2) / 2, 4);
  // the gradient of a mean of two squares
  expect(weights()[3]).toBeCloseTo(shift - 0.1 * (errors[0]! + errors[1]!), 4);
  await model.step({ x: Array.from({ length: 12 }, () => 1), good: [1, 1, 1, 1] });
  await expect(model.step({ x: Array.from({ length: 15 }, () => 1), good: [1, 1, 1, 1, 1] })).rejects.toThrow(
    /B is 5, the maximum is 4/,
  );
});

test.each<[Lines, string, RegExp]>([
  [{ data: "  split train = 80%, valid = 20%\n" }, "DLM0608", /`split` needs rows that dlmc reads/],
  [{ data: "  drop missing\n" }, "DLM0608", /`drop`/],
  [{ data: "  fill good = mean\n" }, "DLM0608", /`fill`/],
  [{ data: "  augment shift(D, by = 1)\n" }, "DLM0608", /`augment`/],
  [{ data: "  target word : category\n" }, "DLM0121", /the names of a category that an app gives/],
  [{ train: "  epochs 3\n" }, "DLM0608", /`epochs`/],
  [{ train: "  steps 3\n" }, "DLM0608", /`steps`/],
  [{ train: "  keep best, by = valid.loss\n" }, "DLM0608", /`keep`/],
  [{ train: "  seed 3\n" }, "DLM0608", /`seed`/],
  [{ train: "  average ema(0.9)\n" }, "DLM0608", /`average`/],
  [{ model: "x -> Standardize -> Dense(1)" }, "DLM0608", /`Standardize`/],
  [{ more: "evaluate Value on Plays {\n  metrics loss\n}\n" }, "DLM0608", /`evaluate`/],
  [{ more: "check Value {\n  overfit steps = 3\n}\n" }, "DLM0608", /`overfit`/],
])("what needs rows is refused, once: %j", (lines, code, text) => {
  const { diagnostics } = checkText(program(lines));
  expect(renderAll(diagnostics)).toMatch(text);
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
});

test("`last` of a batch too", () => {
  const { diagnostics } = checkText(program().replace("batch      4", "batch 4, last = drop"));
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ["DLM0608", "`last` needs rows that dlmc reads"],
  ]);
});

test("commands that read rows say who gives them; compile writes what trains", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-app-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "value.dlm"), program());
  const say = (...words: string[]) => dlmc(words, { cwd: folder });
  for (const command of ["train", "grad"]) {
    const { err, status } = await say(command, "value.dlm");
    expect(err).toMatch(
      /the rows of Plays are given by an app[^]*dlmc compile value.dlm --entry infer,train/,
    );
    expect(status).toBe(1);
  }
  expect((await say("show", "value.dlm", "--full")).out).toMatch(/from +app/);
  expect((await say("compile", "value.dlm", "--entry", "infer,train", "-o", "dist")).err).toBe("");
  expect(readFileSync(join(folder, "dist/Value.d.ts"), "utf8")).toMatch(/step\(batch: Batch/);
});
