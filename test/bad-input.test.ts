/** What is wrong outside a program's text: one clear error with its place, the exit status, and nothing lost. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../src/weights/safetensors.ts";
import { root } from "./source-files.ts";
import {
  builtCommand,
  dlmc,
  isBuilt,
  stackTrace,
  type Ended,
  type StartOptions,
} from "./support/command-line.ts";
import { program, table, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlmc-bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string, options: Partial<StartOptions> = {}): Promise<Ended> =>
  dlmc(args.split(" "), { cwd: folder, ...options });

/** A project of its own, trained from no weights. */
function project(name: string, change: Parameters<typeof writeFlowers>[1] = {}): string {
  return writeFlowers(join(folder, name), change);
}

function failed(result: Ended, message: RegExp): void {
  expect(result.status, result.out + result.err).toBe(1);
  expect(result.err).toMatch(message);
  expect(result.err).not.toMatch(stackTrace);
  expect(result.err.match(/^error/gm)).toHaveLength(1);
}

const weights = join(folder, "runs", "flowers", "best.safetensors");

beforeAll(async () => {
  writeFlowers(folder);
  expect((await run("train flowers.dlm --epochs 1")).status).toBe(0);
  expect((await run(`compile flowers.dlm --weights ${weights}`)).status).toBe(0);
});

describe("data", () => {
  const rows = table();
  const changed = (row: number, text: string): string =>
    rows.map((line, i) => (i === row ? text : line)).join("\n");
  test.each([
    ["a row with too few cells", changed(4, "1.0,2.0"), /flowers\.csv:5/],
    ["text among numbers", changed(7, "1.0,wide,aster"), /"wide" is not a number[^]*flowers\.csv:8:width/],
    ["a missing value", changed(9, "1.0,,aster"), /missing[^]*flowers\.csv:10:width/],
    ["no rows", rows[0]!, /flowers\.csv/],
    ["no such column", rows.join("\n").replace("width", "breadth"), /width/],
  ])("%s", async (name, text, message) => {
    const where = project(`data-${name.replaceAll(" ", "-")}`, { table: text + "\n" });
    failed(await run("train flowers.dlm --epochs 1", { cwd: where }), message);
  });

  test("no such file", async () => {
    const where = project("data-none");
    rmSync(join(where, "flowers.csv"));
    failed(await run("train flowers.dlm", { cwd: where }), /no such file or folder[^]*flowers\.csv/);
  });
});

describe("a loss or gradient that is not finite", () => {
  const hot = program.replace("cross_entropy(out, kind)", "cross_entropy(out, kind) * log(length[0] * 0)");
  const wild = program.replace("adam(1e-2)", "sgd(1e30)");

  test("stops with epoch, step and the first layer, and leaves the weights as they were", async () => {
    const where = project("wild", { program: wild });
    const result = await run("train flowers.dlm -o run", { cwd: where });
    failed(result, /is not finite in epoch \d+, step \d+; the first value that is not: .* in \w+/);
    const { tensors } = readSafetensors(readFileSync(join(where, "run", "last.safetensors")), "last");
    for (const [path, { data }] of tensors)
      expect(
        [...data].every((x) => Number.isFinite(x)),
        path,
      ).toBe(true);
  });

  test("--on-nan skip goes on", async () => {
    const where = project("skip", { program: wild });
    expect((await run("train flowers.dlm -o run --epochs 1 --on-nan skip", { cwd: where })).status).toBe(0);
  });

  test("a loss that the checker cannot read is refused before", async () => {
    const where = project("hot", { program: hot });
    expect((await run("check flowers.dlm", { cwd: where })).status).toBe(1);
  });
});

describe("weights", () => {
  const bytes = (): Uint8Array => readFileSync(weights);
  test.each<[string, () => Uint8Array, RegExp]>([
    ["truncated", () => bytes().subarray(0, bytes().length - 9), /w\.safetensors/],
    ["cut in the header", () => bytes().subarray(0, 40), /w\.safetensors/],
    ["a header that lies", () => bytes().map((b, i) => (i === 1 ? 0xff : b)), /w\.safetensors/],
    ["no weights at all", () => new TextEncoder().encode("hello, I am a text"), /w\.safetensors/],
    [
      "of another shape",
      () => {
        const { tensors } = readSafetensors(bytes(), "w");
        const other = new Map(tensors).set("dense0.kernel", {
          dtype: "f32",
          shape: [3, 8],
          data: new Float32Array(24),
        });
        return writeSafetensors(other);
      },
      /has shape \[3, 8\], the model needs \[2, 8\][^]*dense0\.kernel/,
    ],
    [
      "one missing",
      () => {
        const { tensors } = readSafetensors(bytes(), "w");
        return writeSafetensors(new Map([...tensors].filter(([name]) => name !== "dense1.shift")));
      },
      /1 of 6 tensors of the model are not in this file: dense1\.shift/,
    ],
  ])("%s", async (_, make, message) => {
    writeFileSync(join(folder, "w.safetensors"), make());
    failed(await run("evaluate flowers.dlm --weights w.safetensors"), message);
  });
});

describe("artifacts", () => {
  test.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ["altered", (b) => b.map((byte, i) => (i === b.length - 20 ? byte ^ 1 : byte)), /digest|altered|damaged/],
    ["truncated", (b) => b.subarray(0, b.length >> 1), /truncated|damaged|past|end/],
    [
      "of a newer format",
      (b) =>
        new Uint8Array(
          Buffer.from(Buffer.from(b).toString("latin1").replace('"format":1', '"format":9'), "latin1"),
        ),
      /newer|format 9/,
    ],
  ])("%s", async (name, change, message) => {
    const where = join(folder, `artifact-${name.replaceAll(" ", "-")}`);
    mkdirSync(where);
    writeFileSync(join(where, "Kind.wasm"), change(readFileSync(join(folder, "dist", "Kind.wasm"))));
    cpSync(join(folder, "dist", "Kind.safetensors"), join(where, "Kind.safetensors"));
    writeFileSync(join(folder, "two.csv"), "length,width\n1,3\n5,1\n");
    failed(await run(`run ${where} --input two.csv`), message);
  });
});

describe("memory and disk", () => {
  test("a plan over 4 GB is refused with its largest buffers", async () => {
    writeFileSync(
      join(folder, "wide.dlm"),
      "dlm 1\n\nmodel Wide(x: [B, D=1024]) -> [B, 2] {\n  x -> Dense(2_000_000) -> relu -> Dense(2)\n}\n",
    );
    const result = await run("compile wide.dlm -o wide");
    expect(result.status).toBe(1);
    expect(result.err).toMatch(/^error\[DLM0904\]/);
    expect(result.err).toContain("8.2 GB  dense0.kernel");
    expect(existsSync(join(folder, "wide"))).toBe(false);
  });

  test("an output that is a file, or lies where nothing can be made", async () => {
    writeFileSync(join(folder, "taken"), "mine");
    failed(await run(`compile flowers.dlm --weights ${weights} -o taken`), /taken/);
    failed(await run("train flowers.dlm -o taken"), /taken/);
    expect(readFileSync(join(folder, "taken"), "utf8")).toBe("mine");
  });

  test("a full disk leaves the artifact that was there", async () => {
    cpSync(join(folder, "dist"), join(folder, "full"), { recursive: true });
    const before = readFileSync(join(folder, "full", "Kind.wasm"));
    // blocks of 1,024 bytes: less than the module needs
    const result = await run("compile flowers.dlm -o full", { limit: "trap '' XFSZ; ulimit -f 8" });
    failed(result, /full\/Kind/);
    expect(readFileSync(join(folder, "full", "Kind.wasm"))).toEqual(before);
  });
});

test("Node 20 checks, compiles and runs the artifact", async (context) => {
  const paths = (process.env["PATH"] ?? "").split(delimiter).filter((path) => !path.startsWith(root));
  const node = paths
    .map((path) => join(path, "node"))
    .find(
      (path) =>
        existsSync(path) && /^v20\./.test(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout),
    );
  if (node === undefined || !isBuilt()) {
    console.warn(
      node === undefined
        ? "no Node 20 on this machine: not tried"
        : `${builtCommand} is out of date: not tried`,
    );
    context.skip();
  }
  expect((await run("check flowers.dlm", { node: node! })).status).toBe(0);
  const compiled = await run(`compile flowers.dlm --weights ${weights} -o old`, { node: node! });
  expect(compiled.status, compiled.err).toBe(0);
  const script = `
    import { load } from "./old/Kind.js";
    const model = await load();
    const { out } = await model.run({ length: [1, 5], width: [3, 1] });
    console.log(out.length, out.every(Number.isFinite));`;
  const result = spawnSync(node!, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" });
  expect(result.stderr).toBe("");
  expect(result.stdout).toBe("6 true\n");
});
