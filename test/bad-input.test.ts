/** Data that is missing or malformed, and numbers that are not finite: one clear error with its place, nothing changed. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostArray } from "../src/data/table.ts";
import { writeNpz } from "../src/weights/npy.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { dlmc, jsonLines, stackTrace, type Ended } from "./support/command-line.ts";
import { program, table, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string, cwd = folder): Promise<Ended> => dlmc(args.split(" "), { cwd });

/** One error and no more, with exit status 1. */
function refused(result: Ended, message: RegExp): void {
  expect(result.err).toMatch(message);
  expect(result.err.match(/^(internal )?error/gm)).toEqual(["error"]);
  expect(result.err).not.toMatch(stackTrace);
  expect(result.status).toBe(1);
}

describe("tables", () => {
  const rows = table();
  const withRow = (line: number, text: string): string =>
    rows.map((row, i) => (i + 1 === line ? text : row)).join("\n") + "\n";

  /** name -> the table, what is said of it, and where: behind the name of the file */
  const cases: Readonly<
    Record<string, readonly [text: string | Uint8Array, message: string, place: string]>
  > = {
    ragged: [withRow(7, "1.2,3.4"), "this line has 2 cells, the header has 3", ":7"],
    text: [withRow(7, "1.2,wide,aster"), '"wide" is not a number', ":7:width"],
    missing: [withRow(7, "1.2,,aster"), "the value is missing; `drop missing`", ":7:width"],
    nan: [withRow(7, "NaN,2,aster"), "the value is missing; `drop missing`", ":7:length"],
    infinite: [withRow(7, "Infinity,2,aster"), '"Infinity" is not a number', ":7:length"],
    large: [withRow(7, "1e39,2,aster"), "1e+39 is too large for 32-bit numbers", ":7:length"],
    category: [withRow(60, "1,2,rose"), '"rose" is not among the categories of the train split', ":60:kind"],
    quote: [withRow(7, '"1,2,aster'), "a quote is opened and never closed", ":7"],
    twice: [withRow(1, "length,length,kind"), "two columns are called length", ":1:length"],
    empty: ["", "the file is empty", ""],
    header: [rows[0]! + "\n", "there are no rows in it", ""],
    binary: [Uint8Array.of(0x6c, 0x0a, 0xff, 0xfe, 0x0a), "the text is not UTF-8", ":2"],
  };

  test("are refused with file, row and column", async () => {
    const names = Object.keys(cases);
    for (const name of names) writeFlowers(join(folder, name), { table: cases[name]![0] });
    const { status, out, err } = await run(`check ${names.map((name) => `${name}/flowers.dlm`).join(" ")}`);
    expect(err).not.toMatch(stackTrace);
    expect(err.match(/^error/gm)).toHaveLength(names.length);
    for (const [name, [, message, place]] of Object.entries(cases)) {
      const line = err.split("\n").findIndex((each) => each === `  ┌─ ${name}/flowers.csv${place}`);
      expect(line, `${name}: the place in\n${err}`).toBeGreaterThan(0);
      expect(err.split("\n")[line - 1]).toContain(`error: ${message}`);
    }
    expect(out).toBe("");
    expect(status).toBe(1);
  });

  test("are refused by train as well, before anything is written", async () => {
    writeFlowers(join(folder, "gone"));
    rmSync(join(folder, "gone", "flowers.csv"));
    const [ragged, gone] = await Promise.all([
      run("train flowers.dlm", join(folder, "ragged")),
      run("train flowers.dlm", join(folder, "gone")),
    ]);
    refused(ragged, /the header has 3\n {2}┌─ flowers\.csv:7$/m);
    refused(gone, /no such file or folder\n {2}┌─ flowers\.csv$/m);
    expect(() => readFileSync(join(folder, "gone", "dlm.lock"))).toThrow();
  });
});

describe("arrays", () => {
  const rowsProgram = `dlm 1

data Rows from arrays("rows.npz") {
  input   x : f32[D=4]
  target  y : category("no", "yes")
}
`;
  const imagesProgram = `dlm 1

data Images from idx("images/") {
  input   image : u8[H=2, W=2, C=1]
  target  label : category("a", "b")
}
`;
  const x = (width: number, wrong?: number): HostArray => {
    const data = Float32Array.from({ length: 8 * width }, (_, i) => i);
    if (wrong !== undefined) data[9] = wrong;
    return { dtype: "f32", shape: [8, width], data };
  };
  const y = (...ids: number[]): HostArray => ({
    dtype: "i32",
    shape: [ids.length],
    data: Int32Array.from(ids),
  });
  const labels = y(0, 1, 0, 1, 0, 1, 0, 1);
  const npz = (...arrays: HostArray[]): Uint8Array =>
    writeNpz(new Map(arrays.map((array, i) => [i === 0 ? "x" : "y", array])));
  const whole = npz(x(4), labels);
  const idx = (sizes: number[], numbers: number[]): Uint8Array =>
    Uint8Array.of(
      0,
      0,
      8,
      sizes.length,
      ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255]),
      ...numbers,
    );
  const images = idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

  test.each<[string, Uint8Array, RegExp]>([
    ["a truncated archive", whole.subarray(0, whole.length >> 1), /archive is damaged.*\n.*rows\.npz$/m],
    ["rows of another shape", npz(x(3), labels), /a row is \[3\], x is declared as \[4\]\n.*rows\.npz:x$/m],
    ["a NaN", npz(x(4, NaN), labels), /the value is missing.*\n.*rows\.npz:3:x$/m],
    [
      "a label out of range",
      npz(x(4), y(0, 1, 0, 1, 0, 2, 0, 1)),
      /label 2 does not exist.*\n.*rows\.npz:6:y$/m,
    ],
  ])("%s in .npz", async (_, bytes, message) => {
    const own = mkdtempSync(join(folder, "npz-"));
    writeFileSync(join(own, "rows.dlm"), rowsProgram);
    writeFileSync(join(own, "rows.npz"), bytes);
    refused(await run("fit rows.dlm", own), message);
  });

  test.each<[string, Uint8Array, number[], RegExp]>([
    [
      "truncated images",
      images.subarray(0, 20),
      [0, 1, 0],
      /needs 12 bytes, the file has 4\n.*images-idx3-ubyte$/m,
    ],
    ["too few labels", images, [0, 1], /it has 2 rows, image of .* has 3\n.*labels-idx1-ubyte:label$/m],
    ["a label out of range", images, [0, 9, 0], /label 9 does not exist.*\n.*labels-idx1-ubyte:2:label$/m],
  ])("%s in IDX", async (_, pictures, ids, message) => {
    const own = mkdtempSync(join(folder, "idx-"));
    mkdirSync(join(own, "images"));
    writeFileSync(join(own, "images.dlm"), imagesProgram);
    writeFileSync(join(own, "images", "train-images-idx3-ubyte"), pictures);
    writeFileSync(join(own, "images", "train-labels-idx1-ubyte"), idx([ids.length], ids));
    refused(await run("fit images.dlm", own), message);
  });
});

describe("a loss or gradient that is not finite", () => {
  const at = join(folder, "finite");
  const write = (name: string, from: string, to: string): void => {
    const changed = program.replace(from, to);
    expect(changed).not.toBe(program);
    writeFileSync(join(at, name), changed);
  };
  const tensors = (name: string): ReadonlyMap<string, HostArray> =>
    readSafetensors(readFileSync(join(at, name, "last.safetensors")), name).tensors;

  beforeAll(() => {
    writeFlowers(at);
    write("wild.dlm", "adam(1e-2)", "sgd(1e30)");
    write("log.dlm", "cross_entropy(out, kind)", "mean(log(relu(out) - relu(out))) over [..]");
    write("deep.dlm", "Dense(8) -> relu", "Dense(8) -> exp -> exp -> exp -> exp");
  });

  test("changes no weight, stops, and names epoch, step and the first layer", async () => {
    const [stopped, one] = await Promise.all([
      run("train wild.dlm -o wild", at),
      run("train wild.dlm -o one --steps 1", at),
    ]);
    expect(one.status).toBe(0);
    refused(
      stopped,
      /the loss \(NaN\) is not finite in epoch 1, step 2; the first value that is not: \S+ in dense1\n {2}┌─ wild\.dlm:14:8\n/,
    );
    expect(stopped.err).toMatch(/help: no weight was changed, and wild\/last\.safetensors holds them/);
    expect(tensors("wild")).toEqual(tensors("one"));
  });

  test("is told at the very function that gave it", async () => {
    const [log, deep] = await Promise.all([
      run("train log.dlm -o log --json", at),
      run("train deep.dlm -o deep", at),
    ]);
    refused(log, /epoch 1, step 1; the first value that is not: -Infinity in log\n {2}┌─ log\.dlm:18:19\n/);
    expect(jsonLines(log.out).map((event) => event["event"])).toEqual(["start", "end"]);
    expect(jsonLines(log.out)[1]).toMatchObject({ epoch: 1, step: 0, reason: "not-finite" });
    refused(deep, /the first value that is not: Infinity in exp\n {2}┌─ deep\.dlm:13:\d+\n/);
  });

  test("is passed over with --on-nan skip, which says how often", async () => {
    const { status, out, err } = await run("train wild.dlm -o skip --epochs 2 --on-nan skip --json", at);
    expect(err).toBe("note: 9 of 10 steps were not finite and changed no weight\n");
    expect(status).toBe(0);
    const epochs = jsonLines(out).filter((event) => event["event"] === "epoch");
    expect(epochs).toMatchObject([
      { epoch: 1, skipped: 4 },
      { epoch: 2, skipped: 9, train: { loss: null } },
    ]);
    expect(tensors("skip")).toEqual(tensors("one"));
  });
});
