/** `check` blocks: what they refuse to look at, and what `dlmc check --run` finds. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { renderAll } from "../grammar/render.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc, jsonLines, type Ended } from "./support/command-line.ts";
import { program as flowers, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-checks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(name: string, text: string, ...options: string[]): Promise<Ended> {
  writeFileSync(join(folder, name), text);
  return dlmc(["check", "--run", ...options, name], { cwd: folder });
}

const half = `dlm 1

/// half of x in the forward pass, a gradient of x itself
fn cut(x: [..]) -> [..] {
  x - 0.5 * detach(x)
}

module Half(Out, heads = 2)(x: [B, T, D]) -> [B, T, Out]
  where heads divides D
{
  state seen : [D] = 0
  if training { seen <- seen + (mean(x) over [B, T]) }
  x -> LayerNorm -> Dense(Out) -> tanh -> dropout(0.5)
}
`;

describe("a block is checked", () => {
  const codes = (text: string): string[] => checkText(text).diagnostics.map((d) => `${d.code} ${d.message}`);

  test("all settings", () => {
    const { flow, diagnostics } = checkText(`${half}
check Half {
  gradient  within = 1e-4
  same      across = [reference, wasm], within = 2 * 1e-5
  golden    file("half.json"), within = 1e-3
}
`);
    expect(renderAll(diagnostics)).toBe("");
    expect(flow.checks.map(({ plan }) => plan)).toMatchObject([
      {
        name: "Half",
        gradient: { within: 1e-4 },
        same: { across: ["reference", "wasm"], within: 2e-5 },
        overfit: undefined,
        golden: { file: "half.json", within: 1e-3 },
      },
    ]);
  });

  test.each([
    ["no such name", "check Hlaf {\n  gradient\n}", "DLM0101"],
    ["no model, module or function", "let n = 3\n\ncheck n {\n  gradient\n}", "DLM0121"],
    ["a parameter that is no size", "check cosine {\n  gradient\n}", "DLM0121"],
    ["a setting that does not exist", "check Half {\n  gradients\n}", "DLM0104"],
    ["a backend that does not exist", "check Half {\n  same across = [wasm, metal]\n}", "DLM0121"],
    ["a tolerance of nothing", "check Half {\n  gradient within = 0\n}", "DLM0121"],
    ["a golden text", 'check Half {\n  golden "x.json"\n}', "DLM0121"],
    ["nothing to train", "check Half {\n  overfit steps = 3\n}", "DLM0121"],
  ])("%s", (_, block, code) => {
    expect(codes(`${half}\n${block}\n`).map((each) => each.slice(0, 7))).toEqual([code]);
  });

  test("where the declaration has a mistake, that is the one message", () => {
    const text = half.replace("-> tanh", "-> tahn");
    expect(codes(`${text}\ncheck Half {\n  gradient\n}\n`).map((each) => each.slice(0, 7))).toEqual([
      "DLM0101",
    ]);
  });
});

describe("dlmc check --run", () => {
  const lines = `
check Half {
  gradient  within = 1e-6
  same      across = [reference, wasm]
  golden    file("half.json")
}
`;

  test("gradients, backends and recorded results, with status 0", async () => {
    const first = await run("half.dlm", half + lines);
    expect(first.status).toBe(1);
    expect(first.out).toContain("failed  golden    there is no half.json");
    expect(first.out).toContain("dlmc check --run --record");
    expect(existsSync(join(folder, "half.json"))).toBe(false);
    expect((await run("half.dlm", half + lines, "--record")).status).toBe(0);
    const { status, out, err } = await run("half.dlm", half + lines);
    expect(err).toBe("");
    expect(out).toMatch(
      /^ok {2}half.dlm\nHalf\n {2}ok {6}gradient {2}.*\n {2}ok {6}same {6}.*\n {2}ok {6}golden {4}.*half.json/,
    );
    expect(status).toBe(0);
  });

  test("results that changed", async () => {
    await run("golden.dlm", (half + lines).replace("half.json", "golden.json"), "--record");
    const recorded = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as { outputs: { out: { data: number[] } } }; // prettier-ignore
    recorded.outputs.out.data[1]! += 0.01;
    writeFileSync(join(folder, "golden.json"), JSON.stringify(recorded));
    const { status, out } = await run("golden.dlm", (half + lines).replace("half.json", "golden.json"));
    expect(out).toMatch(/failed {2}golden {4}out is off by a part of .* in golden.json, 0.00001 is allowed/);
    expect(out).toContain("golden.dlm:19:3");
    expect(status).toBe(1);
    writeFileSync(join(folder, "golden.json"), "{}");
    const damaged = await run("golden.dlm", (half + lines).replace("half.json", "golden.json"));
    expect(damaged.status).toBe(1);
    expect(damaged.err).toContain("golden.json");
  });

  test("what is detached counts as a constant; f32 is not as fine as f64", async () => {
    const text = `${half}\ncheck cut {\n  gradient\n  same within = 1e-12\n}\n`;
    const { status, out } = await run("wrong.dlm", text, "--json");
    expect(jsonLines(out)).toMatchObject([
      { of: "cut", check: "gradient", ok: true, within: 1e-3, line: 17 },
      { of: "cut", check: "same", ok: false, within: 1e-12, line: 18 },
    ]);
    expect(status).toBe(1);
  });

  test("a model learns a batch by heart, or does not", async () => {
    writeFlowers(folder);
    const block = (line: string): string => `${flowers}\ncheck Kind {\n  ${line}\n}\n`;
    const learned = await run("learned.dlm", block("overfit steps = 500, part = 50%"));
    expect(learned.err).toBe("");
    expect(learned.out).toMatch(/ok {6}overfit {3}the loss of 8 rows fell from .* to .* in \d+ steps$/m);
    expect(learned.status).toBe(0);
    const not = await run("not.dlm", block("overfit steps = 2, part = 1%"));
    expect(not.out).toMatch(/failed {2}overfit {3}the loss of 8 rows fell from .* in 2 steps, 1.00 % of it/);
    expect(not.status).toBe(1);
  });

  test("a program with a mistake is not run", async () => {
    const { status, out, err } = await run("bad.dlm", `${half.replace("tanh", "tahn")}${lines}`);
    expect(status).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("DLM0101");
  });
});
