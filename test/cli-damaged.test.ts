/** Weights, checkpoints and artifacts that are not whole, too little memory, and outputs that cannot be written. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest, writeArtifact, type Manifest } from "../runtime/artifact.ts";
import type { HostArray } from "../src/data/table.ts";
import { readSafetensors, writeSafetensors } from "../src/weights/safetensors.ts";
import { dlmc, stackTrace, type Ended, type StartOptions } from "./support/command-line.ts";
import { program, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string, options: Partial<StartOptions> = {}): Promise<Ended> =>
  dlmc(args.split(" "), { cwd: folder, ...options });

/** One error and no more, with exit status 1. */
function refused(result: Ended, message: RegExp): void {
  expect(result.err).toMatch(message);
  expect(result.err.match(/^(internal )?error/gm)).toEqual(["error"]);
  expect(result.err).not.toMatch(stackTrace);
  expect(result.status).toBe(1);
}

const read = (...path: string[]): Buffer => readFileSync(join(folder, ...path));

beforeAll(async () => {
  writeFlowers(folder);
  writeFileSync(join(folder, "two.csv"), "length,width\n1,3\n5,1\n");
  expect((await run("train flowers.dlm --epochs 1 -o run")).status).toBe(0);
  expect((await run("compile flowers.dlm --weights run/best.safetensors --no-relaxed")).status).toBe(0);
  expect(readdirSync(join(folder, "dist")).sort()).toEqual([
    "Kind.d.ts",
    "Kind.js",
    "Kind.safetensors",
    "Kind.wasm",
  ]);
});

/** The file with some of its tensors changed, without digests. */
function withTensors(file: Uint8Array, change: (tensors: Map<string, HostArray>) => void): Uint8Array {
  const { tensors, metadata } = readSafetensors(file, "file");
  const changed = new Map(tensors);
  change(changed);
  return writeSafetensors(changed, new Map([...metadata].filter(([key]) => !key.startsWith("sha256"))));
}

const flipped = (file: Uint8Array, at: number): Uint8Array =>
  file.map((byte, i) => (i === at ? byte ^ 1 : byte));

describe("weights", () => {
  const kernel = (shape: number[], value: number): HostArray => ({
    dtype: "f32",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  });
  test.each<[string, (file: Uint8Array) => Uint8Array, RegExp]>([
    [
      "truncated",
      (f) => f.subarray(0, f.length - 9),
      /the file is truncated: .*\n.*┌─ .*Kind\.safetensors$/m,
    ],
    ["with a header's byte altered", (f) => flipped(f, 9), /the header|the metadata|this file/],
    ["with a number altered", (f) => flipped(f, f.length - 3), /the file is not as it was written/],
    [
      "of another shape",
      (f) => withTensors(f, (t) => t.set("dense0.kernel", kernel([3, 8], 0))),
      /it has shape \[3, 8\], the model needs \[2, 8\]\n.*Kind\.safetensors:dense0\.kernel$/m,
    ],
    [
      "with one missing",
      (f) => withTensors(f, (t) => t.delete("dense1.shift")),
      /1 of 6 tensors of the model are not in this file: dense1\.shift\n/,
    ],
    [
      "with a NaN",
      (f) => withTensors(f, (t) => t.set("dense0.kernel", kernel([2, 8], NaN))),
      /number 1 is NaN, no model can use it\n.*Kind\.safetensors:dense0\.kernel$/m,
    ],
  ])("%s are refused", async (name, change, message) => {
    const own = `weights-${name.replaceAll(/\W/g, "-")}`;
    cpSync(join(folder, "dist"), join(folder, own), { recursive: true });
    writeFileSync(join(folder, own, "Kind.safetensors"), change(read("dist", "Kind.safetensors")));
    refused(await run(`run ${own} --input two.csv`), message);
  });

  test("of another model are refused by every command that takes them", async () => {
    writeFileSync(join(folder, "wide.dlm"), program.replace("Dense(8)", "Dense(9)"));
    const message =
      /it has shape \[2, 8\], the model needs \[2, 9\]\n.*run\/best\.safetensors:dense0\.kernel$/m;
    const weights = "--weights run/best.safetensors";
    const results = await Promise.all(
      [`evaluate wide.dlm ${weights}`, `train wide.dlm ${weights} -o wide`].map((args) => run(args)),
    );
    for (const result of results) refused(result, message);
    expect(existsSync(join(folder, "wide"))).toBe(false);
  });
});

describe("a checkpoint", () => {
  test.each<[string, (file: Uint8Array) => Uint8Array, RegExp]>([
    ["truncated", (f) => f.subarray(0, f.length >> 1), /truncated/],
    [
      "whose counters were altered",
      (f) => altered(f, '"iteration\\":5', '"iteration\\":9'),
      /not as it was written/,
    ],
  ])("%s is refused by --resume and stays as it is", async (name, change, message) => {
    const own = `resume-${name.replaceAll(/\W/g, "-")}`;
    cpSync(join(folder, "run"), join(folder, own), { recursive: true });
    const file = change(read("run", "last.safetensors"));
    writeFileSync(join(folder, own, "last.safetensors"), file);
    refused(await run(`train flowers.dlm --resume ${own}`), message);
    expect(Buffer.compare(read(own, "last.safetensors"), file)).toBe(0);
    expect(Buffer.compare(read(own, "metrics.jsonl"), read("run", "metrics.jsonl"))).toBe(0);
  });

  test("that is not there is told as that", async () => {
    refused(
      await run("train flowers.dlm --resume nowhere"),
      /there is no run to go on with in nowhere\nhelp: --resume/,
    );
  });
});

/** A text in the file, which must be there, replaced by another of the same length. */
function altered(file: Uint8Array, from: string, to: string): Uint8Array {
  const at = Buffer.from(file).indexOf(from);
  expect(at).toBeGreaterThan(0);
  expect(to.length).toBe(from.length);
  const bytes = Uint8Array.from(file);
  bytes.set(new TextEncoder().encode(to), at);
  return bytes;
}

/** The artifact with a manifest that is not its own and a digest that is right. */
async function rewritten(
  file: Uint8Array,
  change: (manifest: Manifest) => Partial<Manifest>,
): Promise<Uint8Array> {
  const { manifest } = readManifest(file);
  let size = 0;
  let at = 9;
  for (let shift = 0; ; shift += 7) {
    const byte = file[at++]!;
    size += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  const module = Uint8Array.from([...file.subarray(0, 8), ...file.subarray(at + size)]);
  const { digest: _, ...rest } = { ...manifest, ...change(manifest) };
  return writeArtifact(module, rest);
}

describe("an artifact", () => {
  const outside = (m: Manifest): Partial<Manifest> => ({
    weights: m.weights.map((weight) => ({ ...weight, offset: 2 ** 40 })),
  });
  const huge = (m: Manifest): Partial<Manifest> => ({
    entries: m.entries.map((entry) => ({ ...entry, bytes: [[2 ** 45, []]] })),
  });
  test.each<[string, (file: Uint8Array) => Uint8Array | Promise<Uint8Array>, RegExp]>([
    [
      "of a newer format",
      (f) => altered(f, '"format":1', '"format":9'),
      /a newer compiler wrote this artifact/,
    ],
    [
      "truncated",
      (f) => f.subarray(0, f.length >> 1),
      /not a whole artifact: its bytes were altered or cut off/,
    ],
    ["with its code altered", (f) => flipped(f, f.length - 20), /its bytes were altered or cut off/],
    [
      "with its manifest altered",
      (f) => altered(f, '"dense0.', '"dense7.'),
      /its bytes were altered or cut off/,
    ],
    ["whose weights lie outside its memory", (f) => rewritten(f, outside), /lies outside its memory/],
    [
      "that asks for all memory there is",
      (f) => rewritten(f, huge),
      /needs [\d.]+ MiB of memory, more than there is/,
    ],
  ])("%s is refused", async (name, change, message) => {
    const own = `artifact-${name.replaceAll(/\W/g, "-")}`;
    cpSync(join(folder, "dist"), join(folder, own), { recursive: true });
    writeFileSync(join(folder, own, "Kind.wasm"), await change(read("dist", "Kind.wasm")));
    const result = await run(`run ${own} --input two.csv`);
    refused(result, message);
    expect(result.err).toContain(`┌─ ${own}/Kind.wasm\n`);
  });

  test("runs when nothing was changed, from its folder and from its .wasm", async () => {
    writeFileSync(join(folder, "same.wasm"), await rewritten(read("dist", "Kind.wasm"), () => ({})));
    const [one, other] = await Promise.all([
      run("run dist --input two.csv --json"),
      run("run same.wasm --weights dist/Kind.safetensors --input two.csv --json"),
    ]);
    expect([one.status, other.status]).toEqual([0, 0]);
    expect(one.out).toBe(other.out);
  });

  test.each([
    ["1,3\n5,\n", /the value is missing\n.*rows\.csv:3:width$/m],
    ["", /there are no rows in it\n.*rows\.csv$/m],
  ])("refuses rows such as %j", async (rows, message) => {
    writeFileSync(join(folder, "rows.csv"), `length,width\n${rows}`);
    refused(await run("run dist --input rows.csv"), message);
  });
});

test("a program over 4 GB is refused when it is compiled, with its largest buffers", async () => {
  writeFileSync(
    join(folder, "large.dlm"),
    `dlm 1

model Large(x: [B, D=100_000]) -> [B, 10] {
  x -> wide: Dense(20_000) -> relu -> Dense(10)
}
`,
  );
  const [weights, rows] = await Promise.all([
    run("compile large.dlm -o large"),
    run("compile flowers.dlm --dim B=300000000 -o large"),
  ]);
  expect([weights.status, rows.status]).toEqual([1, 1]);
  expect(weights.err).toMatch(/^error\[DLM0904\]: this model needs [\d.]+ GB, wasm gives at most 4\.3 GB/);
  expect(weights.err).toMatch(/ = 8\.0 GB {2}wide\.kernel$/m);
  expect(rows.err).toMatch(/^error\[DLM0904\]/);
  expect(rows.err).toMatch(/ = [\d.]+ GB {2}\S+/);
  expect(existsSync(join(folder, "large"))).toBe(false);
});

describe("output", () => {
  test("that is a file, or lies below one, is refused, and the file stays", async () => {
    writeFileSync(join(folder, "taken"), "mine");
    const weights = "--weights run/best.safetensors";
    const [train, below, compile, predictions] = await Promise.all([
      run("train flowers.dlm -o taken"),
      run("train flowers.dlm -o taken/below"),
      run(`compile flowers.dlm ${weights} -o taken`),
      run("run dist --input two.csv --output taken/out.json"),
    ]);
    refused(train, /cannot be made: a file of this name is in the way\n {2}┌─ taken$/m);
    refused(below, /cannot be made: a part of the path is a file, not a folder\n {2}┌─ taken\/below$/m);
    refused(compile, /cannot be written: a file of this name is in the way\n {2}┌─ taken\/Kind\.wasm$/m);
    refused(predictions, /cannot be written: .*\n {2}┌─ taken\/out\.json$/m);
    expect(read("taken").toString()).toBe("mine");
  });

  const sums = (name: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(folder, name)).map((file) => [
        file,
        createHash("sha256").update(read(name, file)).digest("hex"),
      ]),
    );
  /** A limit under the size of the largest file of a folder, in blocks of 1,024 bytes. */
  const limitFor = (name: string): string => {
    const sizes = readdirSync(join(folder, name)).map((file) => read(name, file).length);
    return `ulimit -f ${Math.ceil(Math.max(...sizes) / 1024) - 1}`;
  };

  test.skipIf(process.platform === "win32")("on a full disk leaves the artifact that was there", async () => {
    const before = sums("dist");
    writeFileSync(join(folder, "other.dlm"), program.replace("Dense(8) -> relu", "Dense(8) -> tanh"));
    const result = await run("compile other.dlm --no-relaxed", { limit: limitFor("dist") });
    refused(result, /cannot be written: the file would be larger than the system allows\n {2}┌─ dist\/Kind/);
    expect(sums("dist")).toEqual(before);
  });

  test.skipIf(process.platform === "win32")(
    "on a full disk leaves the last checkpoint, from which training goes on",
    async () => {
      writeFileSync(join(folder, "wide.dlm"), program.replace("Dense(8)", "Dense(300)"));
      expect((await run("train wide.dlm --steps 2 -o full")).status).toBe(0);
      const before = sums("full");
      const result = await run("train wide.dlm --resume full", { limit: limitFor("full") });
      refused(
        result,
        /cannot be written: the file would be larger than the system allows\n {2}┌─ full\/last\.safetensors$/m,
      );
      for (const name of ["last.safetensors", "best.safetensors"])
        expect(sums("full")[name], name).toBe(before[name]);
      expect(readdirSync(join(folder, "full")).sort()).toEqual(Object.keys(before).sort());
      const again = await run("train wide.dlm --resume full");
      expect(again.err).toBe("");
      expect(again.status).toBe(0);
    },
  );
});
