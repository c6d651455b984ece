/** Sizes that are free: what is promised of them, what is demanded of those who use them, what an artifact takes. */
import { describe, expect, test } from "vitest";
import { checkProgram } from "../compiler/check/check-program.ts";
import { compileModel } from "../compiler/compile.ts";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { renderAll } from "../grammar/render.ts";
import { load } from "../runtime/index.ts";
import { checkText } from "./support/check-text.ts";
import { mended } from "./support/mended.ts";

const codes = (text: string): string[] => checkText(text).diagnostics.map(({ code }) => code);

const along = (signature: string, body: string, where: string): string =>
  `dlm 1\n\nmodel M(x: f32[B, T, D=1]) -> ${signature}${where && ` where ${where}`} {\n  x -> ${body}\n}\n`;

async function artifact(text: string): Promise<Uint8Array> {
  const path = "main.dlm";
  const checked = checkProgram({ path, read: (wanted) => (wanted === path ? { path, text } : undefined) });
  expect(renderAll(checked.diagnostics)).toBe("");
  const { session, scope, models } = checked;
  const made = modelGraphs({
    session,
    scope: scope!,
    model: models[0]!,
    train: undefined,
    data: [],
    entries: ["init", "infer"],
  });
  return (await compileModel(made, { version: "test", relaxed: false })).strict!.artifact!;
}

describe("an artifact takes what its model promises", () => {
  const run = async (bytes: Uint8Array, size: number, max?: number): Promise<number[] | string> => {
    try {
      const model = await load(bytes, max === undefined ? {} : { max: { T: max } });
      if (model.manifest.weights.length > 0) await model.init(1);
      const x = Float32Array.from({ length: 2 * size }, (_, i) => i);
      return [...(await model.run(x, { dims: { B: 2 } }))["out"]!];
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("multiples, up to the largest, by the name that the program has", async () => {
    const bytes = await artifact(
      along(
        "[B, T, 1]",
        "[B, (S P=2), D] => [B, S, P, D] -> [B, S, P, D] => [B, (S P), D]",
        "2 divides T, T <= 9",
      ),
    );
    expect(await run(bytes, 2)).toEqual([0, 1, 2, 3]);
    expect(await run(bytes, 8)).toHaveLength(16);
    expect(await run(bytes, 4, 4)).toHaveLength(8);
    expect(await run(bytes, 3)).toBe("T is 3, and the model is for sizes where 2 divides T");
    expect(await run(bytes, 10)).toBe("T is 10, and the model is for sizes where T <= 9");
    expect(await run(bytes, 2, 7)).toBe("T is 7, and the model is for sizes where 2 divides T");
  });

  test("not less than the least", async () => {
    const bytes = await artifact(
      along("[B, _, 1]", "Conv1(1, 5, pad = valid, bias = false, init = ones)", "5 <= T"),
    );
    expect(await run(bytes, 5)).toEqual([10, 35]);
    expect(await run(bytes, 6, 6)).toEqual([10, 15, 40, 45]);
    expect(await run(bytes, 4, 6)).toBe("T is 4, and the model is for sizes where 5 <= T");
    expect(await run(bytes, 4, 4)).toBe("T is 4, and the model is for sizes where 5 <= T");
  });
});

describe("what a free size may be too small for", () => {
  test.each([
    ["Conv1(2, 5, pad = valid)", "[B, _, 2]", "where 5 <= T"],
    ["crop(2, 3) over T", "[B, _, 1]", "where 6 <= T"],
    ["pad(0, 7) over D -> [B, T, W] => [B, T, W, 1] -> maxpool(4)", "[B, _, _, 1]", "where 2 <= T"],
    ["Conv1(2, 2, stride = 2, pad = valid) -> Conv1(2, 3, pad = valid)", "[B, _, 2]", "where 2 <= T"],
  ])("%s", (body, result, promise) => {
    const text = along(result, body, "");
    const [found] = checkText(text).diagnostics;
    expect(found).toMatchObject({ code: "DLM0206" });
    expect(found!.helps[0]!.text).toBe(`promise it to the caller: ${promise}`);
    let now: string | undefined = text;
    for (let i = 0; i < 2 && now !== undefined && codes(now).length > 0; i++)
      now = mended(now, checkText(now).diagnostics[0]);
    expect(codes(now!)).toEqual([]);
  });

  test("never large enough is no promise", () => {
    const [found] = checkText(along("[B, _, 2]", "Conv1(2, 5, pad = valid)", "T <= 4")).diagnostics;
    expect(found).toMatchObject({ code: "DLM0206" });
    expect(found!.helps.every(({ edits }) => !edits)).toBe(true);
  });
});

describe("a module's where is demanded of those who use it", () => {
  const half = `dlm 1

module Half(x: [B, D]) -> [B, D / 4] where 4 divides D {
  x -> [B, (E P=4)] => [B, E, P] -> sum over P
}

`;

  test.each([
    ["module", "module Outer(x: [B, F]) -> _ {\n  x -> Half\n}\n"],
    ["model", "model Outer(x: [B, F]) -> _ {\n  x -> Half\n}\n"],
  ])("a %s that promises nothing", (_, outer) => {
    const [found] = checkText(half + outer).diagnostics;
    expect(found).toMatchObject({ code: "DLM0202" });
    expect(found!.message).toMatch(/^cannot prove that/);
    expect(found!.helps[0]!.text).toBe("promise it to the caller: where 4 divides F");
    expect(codes(mended(half + outer, found)!)).toEqual([]);
  });

  test.each([
    ["8 divides F", []],
    ["2 divides F", ["DLM0202"]],
    ["F == 6", ["DLM0202"]],
  ])("where %s", (where, expected) => {
    expect(codes(`${half}module Outer(x: [B, F]) -> _ where ${where} {\n  x -> Half\n}\n`)).toEqual(expected);
  });

  test("an optimizer that nothing uses", () => {
    expect(codes("dlm 1\n\noptimizer o(rate) {\n  w <- w - rate * gradient\n}\n")).toEqual(["DLM0101"]);
    expect(codes("dlm 1\n\noptimizer o(rate) {\n  w <- w - rate * g\n}\n")).toEqual([]);
  });
});

describe("in the words of the program", () => {
  const down = (where: string): string =>
    `dlm 1\n\nmodule M(x: [B, H, W, C]) -> [B, H, W, C]${where} {\n  up = x -> maxpool(2) -> Upconv(C, 2)\n  up -> + x\n}\n`;

  test.each(["", " where 20 <= H, 20 <= W"])("all axes of two sizes, a witness and an edit%s", (where) => {
    const [found] = checkText(down(where)).diagnostics;
    expect(found).toMatchObject({ code: "DLM0204" });
    expect(found!.notes[0]).toMatch(/^they differ for H = \d+/);
    expect(found!.helps[0]!.text).toMatch(/2 divides H, 2 divides W$/);
    expect(codes(mended(down(where), found)!)).toEqual([]);
  });

  test("half of a size, rounded up, in two ways", () => {
    expect(
      codes(along("[B, floor((T + 1) / 2), 1]", "Conv1(1, 2, stride = 2, pad = same_upper)", "")),
    ).toEqual([]);
  });

  test("packs", () => {
    const [found] = checkText(
      "dlm 1\n\nmodule R(x: [..R, D]) -> [..R, D] {\n  x -> Dense(3)\n}\n",
    ).diagnostics;
    expect(found!.message).toBe("the body gives [..R, 3], the signature promises [..R, D]");
    expect(found!.notes).toEqual(["3 and D differ for D = 7"]);
  });

  test("images of any size are made larger", async () => {
    for (const stage of ["upsample_bilinear(2)", "Upconv(1, 3, stride = 2, bias = false, init = ones)"])
      await load(
        await artifact(
          `dlm 1\n\nmodel M(x: f32[B, H, W, C=1]) -> [B, H=2 * H, W=2 * W, 1] {\n  x -> ${stage}\n}\n`,
        ),
      );
  });
});
