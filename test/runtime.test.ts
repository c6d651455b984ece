/** The runtime on an artifact made by hand: calls, their order, their errors, weights, and what a call allocates. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { type ErrorCode, load } from "../runtime/index.ts";
import { sha256 } from "../runtime/artifact.ts";
import { hasRelaxedSimd } from "../runtime/platform.ts";
import { handMadeArtifact, safetensors } from "./artifacts.ts";

const artifact = await handMadeArtifact();
const folder = await mkdtemp(join(tmpdir(), "dlm-runtime-"));
afterAll(() => rm(folder, { recursive: true }));

const whole = { w: { shape: [], data: [3] }, b: { shape: [1], data: [1] }, seen: { shape: [], data: [7] } };
const line = new Map([
  ["w", [2]],
  ["b", [1]],
  ["seen", [0]],
]);
const lineModel = (max?: number) =>
  load(artifact, { weights: line, ...(max === undefined ? {} : { max: { B: max } }) });

/** Expects a rejection with this code and words. */
async function refused(work: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: "DlmError", code });
  await expect(work).rejects.toThrow(words);
}

describe("run", () => {
  test("takes typed arrays, numbers, nested numbers, by name or alone", async () => {
    const model = await lineModel();
    for (const x of [
      Float32Array.of(1, 2),
      Float64Array.of(1, 2),
      [1, 2],
      [[1], [2]],
      [Float32Array.of(1), [2]],
    ])
      for (const inputs of [x, { x }]) expect(await model.run(inputs)).toEqual({ y: Float32Array.of(3, 5) });
  });

  test("gives fresh arrays, or fills those given", async () => {
    const model = await lineModel();
    const first = await model.run([1]);
    const into = { y: new Float32Array(1) };
    expect(await model.run([2], { into })).toBe(into);
    expect(first["y"]).toEqual(Float32Array.of(3));
    expect(into.y).toEqual(Float32Array.of(5));
    await refused(model.run([1, 2], { into }), "input", /into\.y must be a Float32Array of 2/);
  });

  test("runs more rows than the maximum in chunks", async () => {
    const model = await lineModel(3);
    const x = Float32Array.from({ length: 10 }, (_, i) => i);
    const expected = x.map((value) => 2 * value + 1);
    const into = { y: new Float32Array(10) };
    expect((await model.run(x))["y"]).toEqual(expected);
    expect((await model.run({ x }, { into, signal: new AbortController().signal }))["y"]).toBe(into.y);
    expect(into.y).toEqual(expected);
    expect((await model.run([5]))["y"]).toEqual(Float32Array.of(11));
  });

  test("refuses more rows where they depend on each other", async () => {
    const model = await lineModel(2);
    await refused(
      model.step({ x: [1, 2, 3] }),
      "dims",
      /B is 3, the maximum is 2; load with max: \{ B: 3 \}/,
    );
  });

  test("keeps the order of calls, also behind one in chunks", async () => {
    const model = await lineModel(1);
    const done: string[] = [];
    const slow = model.run([1, 2, 3], { signal: new AbortController().signal }).then((result) => {
      done.push("slow");
      return result;
    });
    const quick = model.run([4]).then((result) => {
      done.push("quick");
      return result;
    });
    expect((await quick)["y"]).toEqual(Float32Array.of(9));
    expect((await slow)["y"]).toEqual(Float32Array.of(3, 5, 7));
    expect(done).toEqual(["slow", "quick"]);
  });

  test("stops where the signal says so", async () => {
    const model = await lineModel(1);
    await refused(model.run([1], { signal: AbortSignal.abort() }), "aborted", /infer was aborted/);
    const abort = new AbortController();
    const run = model.run([1, 2, 3], { signal: abort.signal });
    abort.abort("enough");
    await expect(run).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    expect((await model.run([1]))["y"]).toEqual(Float32Array.of(3));
  });

  test("names the input and what it takes", async () => {
    const model = await lineModel();
    const wrong = (inputs: unknown, words: RegExp) => refused(model.run(inputs as never), "input", words);
    await wrong(undefined, /x is f32\[B, 1\]: give a Float32Array or numbers in an array, not undefined/);
    await wrong({}, /give a Float32Array/);
    await wrong({ x: null }, /not null/);
    await wrong({ x: "1" }, /not String/);
    await wrong(Int32Array.of(1), /not Int32Array/);
    await wrong({ z: [1] }, /there is no input z; infer takes x/);
    await wrong([], /0 numbers do not fit, B = 0/);
    await wrong([1, Number.NaN], /number 1 is NaN/);
    await wrong(Float32Array.of(1, 2, Infinity), /number 2 is Infinity/);
    await wrong(["one"], /number 0 is one/);
    await wrong([1, null], /number 1 is null/);
    await wrong([1e39], /number 0 is 1e\+39/);
    await refused(model.run([1, 2], { dims: { B: 3 } }), "input", /2 numbers do not fit, B = 3/);
  });

  test("names an entry that is not there", async () => {
    const model = await lineModel();
    await refused(model.measure({}), "entry", /line has no measure, only init, prepare, infer, train/);
  });

  test("allocates nothing for a call that fills given arrays, but its promises", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const model = await load(artifact, { weights: line, max: { B: 4096 } });
    const inputs = { x: new Float32Array(4096) };
    const options = { into: { y: new Float32Array(4096) } };
    for (let i = 0; i < 100; i++) await model.run(inputs, options);
    collect();
    const before = process.memoryUsage();
    for (let i = 0; i < 1000; i++) await model.run(inputs, options);
    const after = process.memoryUsage();
    expect(after.arrayBuffers).toBeLessThanOrEqual(before.arrayBuffers);
    // one copy of the 16 KiB would be 16 MB here
    expect(after.heapUsed - before.heapUsed).toBeLessThan(4e6);
  });
});

describe("integers and classes", () => {
  const model = handMadeArtifact((m) => ({
    ...m,
    entries: m.entries.map((entry) =>
      entry.name === "infer"
        ? {
            ...entry,
            inputs: [{ ...entry.inputs[0]!, dtype: "u8" as const, classes: ["no", "yes"] }],
            outputs: [{ ...entry.outputs[0]!, dtype: "i32" as const, classes: ["cat", "dog"] }],
          }
        : entry,
    ),
  })).then((bytes) => load(bytes, { weights: line }));

  test("are checked", async () => {
    const wrong = async (x: never, words: RegExp) => refused((await model).run(x), "input", words);
    await wrong([256] as never, /number 0 is 256/);
    await wrong([1.5] as never, /number 0 is 1\.5/);
    await wrong(["maybe"] as never, /number 0 is maybe, the classes are "no", "yes"$/);
    await wrong(["yess"] as never, /number 0 is yess, the classes are "no", "yes"; did you mean "yes"\?$/);
    await wrong(Uint8Array.of(0, 2) as never, /number 1 is 2/);
    await expect((await model).run(["yes", "no", 1, true])).resolves.toBeDefined();
    await expect((await model).run(Uint8ClampedArray.of(1))).resolves.toBeDefined();
  });

  test("come out by name", async () => {
    const scored = await load(
      await handMadeArtifact((m) => ({
        ...m,
        entries: m.entries.map((entry) =>
          entry.name === "infer"
            ? {
                ...entry,
                inputs: [{ ...entry.inputs[0]!, shape: [[[1, ["B"]]]] }],
                outputs: [{ ...entry.outputs[0]!, classes: ["cat", "dog"] }],
              }
            : entry,
        ),
      })),
      { weights: line },
    );
    expect(await scored.predict([1, 2, 4, 3])).toEqual({
      y: [
        { class: "dog", index: 1, score: 5, scores: { cat: 3, dog: 5 } },
        { class: "cat", index: 0, score: 9, scores: { cat: 9, dog: 7 } },
      ],
    });
  });
});

describe("weights", () => {
  test("come from the seed where none are given", async () => {
    const model = await load(artifact, { seed: 5 });
    expect(model.weights()).toEqual(
      new Map([
        ["w", Float32Array.of(5)],
        ["b", Float32Array.of(0.5)],
        ["seen", Float32Array.of(0)],
      ]),
    );
    await model.init(6);
    expect(model.weights().get("w")).toEqual(Float32Array.of(6));
  });

  test("come from a file, an address or bytes", async () => {
    const file = join(folder, "line.safetensors");
    const bytes = safetensors({ ...whole, "optimizer.m": { shape: [], data: [1] } });
    await writeFile(file, bytes);
    await writeFile(join(folder, "line.wasm"), artifact);
    for (const weights of [bytes, Buffer.from(bytes), file, pathToFileURL(file)])
      expect((await (await load(join(folder, "line.wasm"), { weights })).run([1]))["y"]).toEqual(
        Float32Array.of(4),
      );
    const digest = await sha256(bytes.subarray(bytes.length - 16));
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("of another model, or cut off, are refused with the name of the tensor", async () => {
    const wrong = (weights: Uint8Array, words: RegExp) =>
      refused(load(artifact, { weights }), "weights", words);
    await wrong(safetensors({ w: whole.w, b: whole.b }), /seen is missing, and this model needs F32\[\]/);
    await wrong(safetensors({ ...whole, c: whole.w }), /there is c, which this model does not have/);
    await wrong(safetensors({ ...whole, b: { shape: [2], data: [1, 2] } }), /b is F32\[2\].*needs F32\[1\]/);
    await wrong(safetensors(whole, { sha256: "0".repeat(64) }), /altered or cut off/);
    const bytes = safetensors(whole);
    for (let length = 0; length < bytes.length; length++)
      await refused(load(artifact, { weights: bytes.subarray(0, length) }), "weights", /in the weights file/);
    for (const json of [
      "null",
      "3",
      "[]",
      '{"w":null}',
      '{"w":{"dtype":"F32","shape":[],"data_offsets":[-4,0]}}',
    ]) {
      const hostile = new Uint8Array(8 + json.length + 12);
      hostile[0] = json.length;
      hostile.set(new TextEncoder().encode(json), 8);
      await refused(load(artifact, { weights: hostile }), "weights", /in the weights file/);
    }
  });

  test("are copied out and in, and prepared again when they changed", async () => {
    const model = await lineModel();
    model.weights().get("w")![0] = 99;
    expect((await model.run([1]))["y"]).toEqual(Float32Array.of(3));
    model.setWeights(new Map([["w", [10]]]));
    expect((await model.run([1]))["y"]).toEqual(Float32Array.of(11));
    expect(() => model.setWeights(new Map([["w", [7]], ["q", [1]]]))).toThrow(/q has no numbers in line, not 1/); // prettier-ignore
    expect(() => model.setWeights(new Map([["b", [1, 2]]]))).toThrow(/b has 1 numbers in line, not 2/);
    expect(model.weights().get("w")).toEqual(Float32Array.of(10));
  });

  test("must be there before a call", async () => {
    const bytes = await handMadeArtifact((m) => ({
      ...m,
      entries: m.entries.filter((e) => e.name !== "init"),
    }));
    const model = await load(bytes);
    await refused(model.run([1]), "weights", /line has no weights yet: w is not set/);
    model.setWeights(line);
    expect((await model.run([1]))["y"]).toEqual(Float32Array.of(3));
  });

  test("stay as they are in the middle of a call", async () => {
    const model = await lineModel(1);
    const run = model.run([1, 2], { signal: new AbortController().signal });
    expect(() => model.setWeights(line)).toThrow(/no call is under way/);
    await run;
    model.setWeights(line);
  });
});

describe("step", () => {
  test("updates weights and states, counts, and reads the control", async () => {
    const model = await lineModel();
    expect(await model.step({ x: [4] }, { control: { rate_factor: 0.5 } })).toEqual({
      loss: 4,
      gradientNorm: 1,
      ok: true,
      updated: true,
    });
    expect(await model.step({ x: [3] })).toEqual({ loss: 3, gradientNorm: 2, ok: true, updated: true });
    expect(model.control).toMatchObject({ iteration: 2, step: 3, rate_factor: 0.5 });
    expect(model.weights({ optimizer: true })).toEqual(
      new Map([
        ["w", Float32Array.of(1)],
        ["b", Float32Array.of(1)],
        ["seen", Float32Array.of(2)],
        ["optimizer.m", Float32Array.of(0.5)],
      ]),
    );
    expect((await model.run([1]))["y"]).toEqual(Float32Array.of(2));
  });

  test("each step is an update, where the program does not put several together", async () => {
    const model = await lineModel();
    for (const call of [model.step({ x: [1] }, { update: false }), model.update()])
      await expect(call).rejects.toMatchObject({
        code: "entry",
        message: "each step of train is an update of its own",
      });
    expect(model.control).toMatchObject({ iteration: 0, step: 1 });
  });

  test("says when nothing was updated", async () => {
    const model = await lineModel();
    expect(await model.step({ x: [-1] })).toMatchObject({ loss: -1, ok: false, updated: false });
    expect(model.control).toMatchObject({ iteration: 1, step: 1 });
    expect(model.weights().get("w")).toEqual(Float32Array.of(2));
  });
});

describe("failures", () => {
  test("after a trap every call rejects with the first cause", async () => {
    const model = await lineModel();
    const trap = await model.step({ x: [13] }).catch((error: unknown) => error);
    expect(trap).toMatchObject({ code: "trap", entry: "train", cause: expect.any(WebAssembly.RuntimeError) });
    for (const call of [model.run([1]), model.step({ x: [1] }), model.init(0)])
      expect(await call.catch((error: unknown) => error)).toBe(trap);
    expect(() => model.weights()).toThrow(trap as Error);
  });

  test("after destroy every call rejects", async () => {
    const model = await lineModel();
    model.destroy();
    await refused(model.run([1]), "destroyed", /destroyed/);
  });

  test("sizes that are not possible, and too much memory, are refused before anything starts", async () => {
    await refused(load(artifact, { max: { B: 0 } }), "dims", /max\.B must be a whole number from 1/);
    await refused(load(artifact, { max: { B: 1.5 } }), "dims", /not 1\.5/);
    await refused(load(artifact, { max: { T: 1 } }), "dims", /no free dim T/);
    await refused(load(artifact, { max: { B: 2 ** 30 } }), "memory", /needs 524288\.0 MiB of memory/);
    const planned = await handMadeArtifact((m) => ({
      ...m,
      entries: m.entries.map((e) => ({ ...e, dims: e.dims.map((d) => ({ ...d, max: 8 })) })),
    }));
    await refused(load(planned, { max: { B: 9 } }), "dims", /from 1 to 8, not 9/);
  });

  test("files that are not there, and aborted loads", async () => {
    await refused(load(join(folder, "none.wasm")), "read", /none\.wasm could not be read/);
    await refused(load(artifact, { signal: AbortSignal.abort() }), "aborted", /loading was aborted/);
  });
});

test("the twin with relaxed SIMD is taken where the engine has it", async () => {
  const relaxed = await handMadeArtifact((m) => ({ ...m, relaxed: true }));
  const { manifest } = await load({ strict: artifact, relaxed });
  expect(manifest.relaxed).toBe(hasRelaxedSimd());
  expect((await load({ strict: artifact })).manifest.relaxed).toBe(false);
});

test("the bundled runtime stays small", async () => {
  const { runtimeText } = await import("../src/emit/runtime-text.ts");
  expect(runtimeText).not.toMatch(/\bimport\b/);
  // a kilobyte of it makes texts, half of one reads weights that are stored as f16; texts as rows, noise as an input and
  // updates apart from steps took another half; a device that answers later takes 100 bytes
  expect(gzipSync(runtimeText, { level: 9 }).length).toBeLessThan(8.35 * 1024);
});
