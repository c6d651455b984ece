/** What is written beside a compiled model runs as it lies, and its types hold. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { emitModel } from "../src/emit/index.ts";
import type { Model } from "../runtime/index.ts";
import { readManifest } from "../runtime/artifact.ts";
import { weightsFile } from "../src/emit/weights.ts";
import { handMadeArtifact } from "./artifacts.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "dlm-emit-"));
afterAll(() => rmSync(folder, { recursive: true }));

const strict = await handMadeArtifact((m) => ({
  ...m,
  entries: m.entries.map((e) =>
    e.name === "infer" ? { ...e, outputs: [{ ...e.outputs[0]!, classes: ["a*/", 'b"'] }] } : e,
  ),
}));
const relaxed = await handMadeArtifact((m) => ({ ...m, relaxed: true }));
const weights = weightsFile(
  readManifest(strict).manifest,
  new Map([
    ["optimizer.m", Float32Array.of(9)],
    ["seen", Float32Array.of(0)],
    ["b", Float32Array.of(1)],
    ["w", Float32Array.of(3)],
  ]),
);
const written = emitModel(folder, { strict, relaxed }, weights);

describe("the files of a compiled model", () => {
  test("are named after it", () => {
    expect(readdirSync(folder).sort()).toEqual([
      "line.d.ts",
      "line.js",
      "line.relaxed.wasm",
      "line.safetensors",
      "line.wasm",
    ]);
    expect(written.map(({ path }) => path).sort()).toEqual(readdirSync(folder).map((f) => join(folder, f)).sort()); // prettier-ignore
  });

  test("run where they lie, with the weights beside them", async () => {
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "line.js")).href)) as {
      load: (options?: object) => Promise<Model>;
      meta: object;
      DlmError: new () => Error;
    };
    const model = await module.load();
    expect(await model.run([1])).toEqual({ y: Float32Array.of(4) });
    expect(module.meta).toMatchObject({
      name: "line",
      parameters: 2,
      outputs: { y: { classes: ["a*/", 'b"'] } },
    });
    await expect(model.run([Number.NaN])).rejects.toBeInstanceOf(module.DlmError);
    const own = await module.load({ weights: new Map([["w", [0]], ["b", [5]], ["seen", [0]]]) }); // prettier-ignore
    expect(await own.run([1])).toEqual({ y: Float32Array.of(5) });
  });

  test("refuse weights that were altered", async () => {
    const { load } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "line.js")).href)) as {
      load: (options?: object) => Promise<Model>;
    };
    const altered = weights.slice();
    altered[altered.length - 1]! ^= 1;
    await expect(load({ weights: altered })).rejects.toThrow(/altered or cut off/);
    expect(() => weightsFile(readManifest(strict).manifest, new Map([["w", Float32Array.of(3)]]))).toThrow(/b has no numbers/); // prettier-ignore
  });

  test("leave nothing of an earlier model of the name", () => {
    const other = mkdtempSync(join(tmpdir(), "dlm-emit-"));
    emitModel(other, { strict, relaxed }, weights);
    emitModel(other, { strict });
    expect(readdirSync(other).sort()).toEqual(["line.d.ts", "line.js", "line.wasm"]);
    expect(readFileSync(join(other, "line.js"), "utf8")).not.toMatch(/relaxed\.wasm|safetensors",/);
    rmSync(other, { recursive: true });
  });

  test("have types that accept right use and refuse wrong use", async () => {
    const right = `import { load, DlmError, meta, type YClass } from "./line.js";
      const model = await load({ max: { B: 2 } });
      const y: Float32Array = (await model.run({ x: [[1], [2]] }, { into: { y: new Float32Array(2) } })).y;
      const { ok }: { ok: boolean } = await model.step({ x: Float32Array.of(1) }, { control: { seed: 1 } });
      const name: YClass = (await model.predict([1, 2])).y[0]!.class;
      model.control.rate_factor = 0.5; await model.init(1);
      if (new Error() instanceof DlmError) throw new Error(meta.outputs.y.classes[0]);
      export { y, ok, name };\n`;
    const wrong = `import { load } from "./line.js";
      const model = await load({ max: { T: 2 } });
      await model.run({ z: [1] });
      (await model.predict([1])).y[0]!.class === "c";
      await model.measure({});
      export {};\n`;
    writeFileSync(join(folder, "right.ts"), right);
    writeFileSync(join(folder, "wrong.ts"), wrong);
    const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "..", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom", "--types", ""]; // prettier-ignore
    const check = (file: string): Promise<string> =>
      run(process.execPath, [tsc, ...options, file], { cwd: folder }).then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    expect(await check("right.ts")).toBe("");
    const errors = await check("wrong.ts");
    expect([...errors.matchAll(/^wrong\.ts\((\d)/gm)].map(([, line]) => line)).toEqual(["2", "3", "4", "5"]);
  });
});
