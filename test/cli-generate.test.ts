/** `dlmc generate`: tokens as numbers, streamed; what it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openModel } from "../src/compile-program.ts";
import { chooseModel, graphsOf, openProgram } from "../src/program.ts";
import { encodeWeights } from "../src/train/checkpoint.ts";
import { dlmc, jsonLines } from "./support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-generate-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = `dlm 1

model Small(text: int<Tokens=9>[B, T]) -> [B, T, 9]
  where T <= 8
{
  text -> Embed(6) -> TransformerEncoder(2, 8, causal = true, max = 8) -> Dense(9)
}
`;

/** what is made from 1, 2 and this seed, by the runtime itself */
const expected = new Map<number, number[]>();

beforeAll(async () => {
  writeFileSync(join(folder, "plain.dlm"), model);
  writeFileSync(
    join(folder, "small.dlm"),
    `${model}\ndeploy Small {\n  generate text, max = 8, sample = temperature(4)\n}\n`,
  );
  const program = openProgram(join(folder, "small.dlm"));
  const graphs = graphsOf(program, chooseModel(program, undefined), undefined, ["init", "step"]);
  const opened = await openModel(graphs);
  await opened.model.init(11);
  const { manifest } = opened.model;
  const bytes = encodeWeights(opened.model.weights(), [...manifest.weights, ...manifest.states], {
    program: manifest.hashes.program,
    weights: manifest.hashes.weights,
    data: "",
    seed: 11,
    target: "wasm",
    version: "0",
  });
  writeFileSync(join(folder, "w.safetensors"), bytes);
  for (const seed of [0, 5]) {
    const ids: number[] = [];
    for await (const { id } of opened.model.generate([1, 2], { seed })) ids.push(id);
    expected.set(seed, ids);
  }
});

const run = (...args: string[]) => dlmc(["generate", ...args], folder);

describe("dlmc generate", () => {
  test("goes on from numbers, by the seed", async () => {
    const made = await run("small.dlm", "--weights", "w.safetensors", "--prompt", "1,2");
    expect(made).toMatchObject({ status: 0, out: `1,2,${expected.get(0)!.join(",")}\n` });
    const other = await run("small.dlm", "--weights", "w.safetensors", "--prompt", "1,2", "--seed", "5", "--max", "3", "--json"); // prettier-ignore
    expect(jsonLines(other.out)).toEqual(
      expected
        .get(5)!
        .slice(0, 3)
        .map((id) => ({ id })),
    );
  });

  test("an artifact", async () => {
    expect((await dlmc(["compile", "small.dlm", "--weights", "w.safetensors", "-o", "app"], folder)).status).toBe(0); // prettier-ignore
    expect((await run("app", "--prompt", "1,2")).out).toBe(`1,2,${expected.get(0)!.join(",")}\n`);
  });

  test.each([
    ["no generate", ["plain.dlm", "--prompt", "1"], /error: Small does not generate/],
    ["no weights", ["small.dlm", "--prompt", "1"], /error: the model has no weights/],
    [
      "words",
      ["small.dlm", "--weights", "w.safetensors", "--prompt", "To be"],
      /tokens of this model have no texts/,
    ],
    [
      "too long",
      ["small.dlm", "--weights", "w.safetensors", "--prompt", "1,1,1,1,1,1,1,1,1"],
      /the prompt has 9 tokens, and there is room for 8/,
    ],
    [
      "no such token",
      ["small.dlm", "--weights", "w.safetensors", "--prompt", "9"],
      /9 is no token: they are 0 to 8/,
    ],
  ])("refuses: %s", async (_, args, message) => {
    const { status, out, err } = await run(...args);
    // the prompt neither
    expect(out).toBe("");
    expect(status).not.toBe(0);
    expect(err).toMatch(message);
    expect(err).not.toContain("internal error");
  });
});
