/** Readers of data: csv, idx, npy, npz, safetensors and folders of them; what they give and how they complain. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arraysTable, splitOfName } from "../src/data/arrays.ts";
import { bindColumns } from "../src/data/bind.ts";
import { readCsv } from "../src/data/csv.ts";
import { readIdx } from "../src/data/idx.ts";
import { fingerprintSource, readSource } from "../src/data/read.ts";
import { isMissing, placeOfRow, type HostArray } from "../src/data/table.ts";
import { writeNpy, writeNpz } from "../src/weights/npy.ts";
import { writeSafetensors } from "../src/weights/safetensors.ts";
import { root } from "./source-files.ts";
import { complaint } from "./support/complaint.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const csv = (text: string, options = {}) => readCsv(utf8(text), "t.csv", options);
const u8 = (shape: number[], ...data: number[]): HostArray => ({
  dtype: "u8",
  shape,
  data: Uint8Array.from(data),
});
const f32 = (shape: number[], ...data: number[]): HostArray => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(data),
});

describe("csv", () => {
  test("infers numbers and texts, and keeps gaps", () => {
    const table = csv("a,b,c\n1,x,3\n,NA,-2.5e-1\n?,z,.5\nNaN,,1\n");
    expect(table.rows).toBe(4);
    expect(table.columns.map(({ kind }) => kind)).toEqual(["number", "text", "number"]);
    expect(table.columns.map(({ data }) => [...data])).toEqual([
      [1, NaN, NaN, NaN],
      ["x", undefined, "z", undefined],
      [3, -0.25, 0.5, 1],
    ]);
    expect([0, 1, 2, 3].map((row) => isMissing(table.columns[1]!, row))).toEqual([false, true, false, true]);
    expect(isMissing(table.columns[0]!, 1)).toBe(true);
  });

  test("keeps the spelling of a declared text column", () => {
    const [id] = csv("id,x\n007,1\n07,2\n", { kinds: new Map([["id", "text"]]) }).columns;
    expect(id).toMatchObject({ kind: "text", data: ["007", "07"] });
  });

  test("reads quotes, line ends of both kinds, a byte order mark, gzip and other delimiters", () => {
    const right = csv('\ufeffname;n\r\n"a;""b"";\nc";1\r\n\r\nd;2', { delimiter: ";" });
    expect(right.columns.map(({ data }) => [...data])).toEqual([
      ['a;"b";\nc', "d"],
      [1, 2],
    ]);
    expect([0, 1].map((row) => placeOfRow(right, row).row)).toEqual([2, 5]);
    expect(readCsv(gzipSync("a\n5\n"), "t.csv.gz").columns[0]!.data[0]).toBe(5);
    expect(csv("1,2\n3,4", { header: false }).columns.map(({ name }) => name)).toEqual(["c1", "c2"]);
  });

  const kinds = new Map([["b", "number"]] as const);
  test.each([
    ["", "t.csv: the file is empty"],
    ["a,a\n1,2\n", "t.csv:1:a: two columns are called a"],
    ["a,b\n1,2\n3\n", "t.csv:3: this line has 1 cell, the header has 2"],
    ['a,b\n1,2\n\n3,"4\n5,6\n', "t.csv:4: a quote is opened and never closed"],
    ['a,b\n1,2\n3,4"5"\n', "t.csv:3: a quote stands inside a cell that does not begin with one"],
    ['a,b\n1,"2"3\n', "t.csv:2: text stands behind a closing quote"],
    ["a,b\n1,2\n\n3,four\n", 't.csv:4:b: "four" is not a number'],
    ["a,b\n1,0x10\n", 't.csv:2:b: "0x10" is not a number'],
    ["a,b\n1,Infinity\n", 't.csv:2:b: "Infinity" is not a number'],
    ["a,b\n1,1e999\n", 't.csv:2:b: "1e999" is not a number'],
  ])("refuses %j", (text, message) => {
    expect(complaint(() => csv(text, { kinds }))).toBe(message);
  });

  test("refuses bytes that are no text", () => {
    expect(complaint(() => readCsv(Uint8Array.of(97, 10, 49, 10, 255, 10), "t.csv"))).toBe(
      "t.csv:3: the text is not UTF-8",
    );
  });
});

describe("idx", () => {
  test("reads every type in big-endian order", () => {
    expect(readIdx(Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 255), "f")).toEqual(
      u8([2, 1], 7, 255),
    );
    const read = (type: number, ...bytes: number[]) => [
      ...readIdx(Uint8Array.of(0, 0, type, 1, 0, 0, 0, 1, ...bytes), "f").data,
    ];
    expect(read(9, 255)).toEqual([-1]);
    expect(read(0x0b, 1, 2)).toEqual([258]);
    expect(read(0x0c, 255, 255, 255, 254)).toEqual([-2]);
    expect(read(0x0d, 0x3f, 0xc0, 0, 0)).toEqual([1.5]);
    expect(read(0x0e, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0)).toEqual([-0.5]);
  });

  test.each([
    [[], "f: this is not an IDX file: it does not begin with 0, 0, a type and a number of axes"],
    [[0, 0, 8, 3, 0, 0], "f: the file ends inside the sizes of its 3 axes"],
    [[0, 0, 8, 1, 0, 0, 0, 3, 1], "f: [3] needs 3 bytes, the file has 1"],
    [
      [0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255],
      "f: [4294967295, 4294967295] needs more bytes than files have, the file has 0",
    ],
  ])("refuses %j", (bytes, message) => {
    expect(complaint(() => readIdx(Uint8Array.from(bytes), "f"))).toBe(message);
  });

  test("refuses damaged gzip", () => {
    const packed = gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5));
    expect(complaint(() => readIdx(packed.subarray(0, packed.length - 3), "f.gz"))).toBe(
      "f.gz: the gzip data is damaged or truncated",
    );
  });
});

describe("sources in a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-data-"));
  const put = (name: string, bytes: Uint8Array): void => writeFileSync(join(folder, name), bytes);
  const idxLabels = (...labels: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, labels.length, ...labels);
  const idxImages = (count: number, first: number) =>
    Uint8Array.of(
      0,
      0,
      8,
      3,
      0,
      0,
      0,
      count,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      2,
      ...new Uint8Array(2 * count).fill(first),
    );

  beforeAll(() => {
    for (const name of ["idx", "half", "split", "npy", "empty", "uneven"]) mkdirSync(join(folder, name));
    put("idx/train-images-idx3-ubyte", idxImages(3, 1));
    put("idx/train-labels-idx1-ubyte.gz", gzipSync(idxLabels(0, 1, 2)));
    put("idx/t10k-images-idx3-ubyte", idxImages(2, 9));
    put("idx/t10k-images-idx3-ubyte.gz", Uint8Array.of(1, 2, 3));
    put("idx/t10k-labels.idx1-ubyte", idxLabels(3, 4));
    put("idx/README", utf8("not data"));
    put("half/images-idx3-ubyte", idxImages(3, 1));
    put("half/labels-idx1-ubyte", idxLabels(1, 2));
    put("split/train.npz", writeNpz(new Map([["x", f32([2], 1, 2)]])));
    put("split/test.npz", writeNpz(new Map([["x", f32([1], 3)]])));
    put("npy/train_x.npy", writeNpy(f32([2, 1], 1, 2)));
    put("npy/test_x.npy", writeNpy(f32([1, 1], 3)));
    put("uneven/train.safetensors", writeSafetensors(new Map([["x", f32([1], 1)]])));
    put("uneven/test.safetensors", writeSafetensors(new Map([["y", f32([1], 1)]])));
    put("x.safetensors", writeSafetensors(new Map([["inf", f32([2], 1, Infinity)]])));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("a folder named as MNIST's gives splits and columns for one row", () => {
    const { table } = readSource({ kind: "idx", path: "idx" }, folder);
    expect(table.given).toEqual({ train: [0, 3], test: [3, 5] });
    expect(table.columns.map(({ name, kind, shape }) => ({ name, kind, shape }))).toEqual([
      { name: "image", kind: "array", shape: [1, 2] },
      { name: "label", kind: "number", shape: [] },
    ]);
    expect([...table.columns[0]!.data]).toEqual([1, 1, 1, 1, 1, 1, 9, 9, 9, 9]);
    expect([...table.columns[1]!.data]).toEqual([0, 1, 2, 3, 4]);
    expect(placeOfRow(table, 4, "label")).toMatchObject({ row: 2, column: "label" });
    expect(placeOfRow(table, 4, "label").file).toMatch(/t10k-labels\.idx1-ubyte$/);
  });

  test("files train and test, and names train_x and test_x, give splits", () => {
    for (const path of ["split", "npy"]) {
      const { table } = readSource({ kind: "arrays", path }, folder);
      expect(table.given, path).toEqual({ train: [0, 2], test: [2, 3] });
      expect(table.columns.map(({ name, data }) => [name, ...data])).toEqual([["x", 1, 2, 3]]);
    }
    expect(["train_image", "x_test", "val-labels", "training", "image"].map(splitOfName)).toEqual([
      { split: "train", rest: "image" },
      { split: "test", rest: "x" },
      { split: "valid", rest: "labels" },
      { split: undefined, rest: "training" },
      { split: undefined, rest: "image" },
    ]);
    const alone = arraysTable([{ file: "a", name: "train_x.npy", bytes: writeNpy(f32([1], 1)) }]);
    expect(alone.columns[0]!.name).toBe("train_x");
    expect(alone.given).toBeUndefined();
  });

  test("the fingerprint follows from the bytes", () => {
    const before = fingerprintSource({ kind: "arrays", path: "npy" }, folder);
    expect(readSource({ kind: "arrays", path: "npy" }, folder).fingerprint).toBe(before);
    put("npy/test_x.npy", writeNpy(f32([1, 1], 4)));
    expect(fingerprintSource({ kind: "arrays", path: "npy" }, folder)).not.toBe(before);
  });

  test.each([
    ["idx", "missing", /missing: no such file or folder$/],
    ["idx", "empty", /empty: the folder has no files like train-images-idx3-ubyte/],
    ["idx", "half", /labels-idx1-ubyte:label: it has 2 rows, image of .*images-idx3-ubyte has 3$/],
    ["csv", "empty", /empty: this is a folder, not a \.csv file$/],
    ["arrays", "uneven", /there is no \w for the split \w+$/],
    ["arrays", "x.safetensors", /x\.safetensors:2:inf: the number is infinite$/],
    ["arrays", "idx/README", /README: this is none of \.npy, \.npz and \.safetensors$/],
  ] as const)("%s(%j) is refused", (kind, path, message) => {
    expect(complaint(() => readSource({ kind, path }, folder))).toMatch(message);
  });
});

describe("the committed digits", () => {
  test("are 1,797 images of 8 x 8 with values up to 16, about 180 of each digit", () => {
    const { table } = readSource({ kind: "arrays", path: "examples/digits/digits.npz" }, root);
    const [image, label] = bindColumns(table, [
      { name: "image", kind: "array", shape: [8, 8, 1], dtype: "u8" },
      { name: "label", kind: "category", shape: [] },
    ]);
    expect([table.rows, image!.data.length]).toEqual([1797, 1797 * 64]);
    expect(image!.data.slice(0, 8)).toEqual(Uint8Array.of(0, 0, 5, 13, 9, 1, 0, 0));
    expect(Math.max(...(image!.data as Uint8Array))).toBe(16);
    const counts = Array.from(
      { length: 10 },
      (_, digit) => [...label!.data].filter((each) => each === digit).length,
    );
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});

describe("binding declared columns", () => {
  const arrays = arraysTable([
    {
      file: "a.npz",
      name: "a.npz",
      bytes: writeNpz(
        new Map<string, HostArray>([
          ["pictures", u8([2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8)],
          ["y", { dtype: "i32", shape: [2], data: Int32Array.of(1, 300) }],
        ]),
      ),
    },
  ]);

  test("takes the declared name and shape; sizes of 1 do not matter", () => {
    const [image, y] = bindColumns(arrays, [
      { name: "image", kind: "array", shape: [2, 2, 1], dtype: "f32" },
      { name: "y", kind: "number", shape: [] },
    ]);
    expect(image).toMatchObject({ kind: "array", name: "image", dtype: "f32", shape: [2, 2, 1] });
    expect([...image!.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(y).toMatchObject({ kind: "number", dtype: "i32" });
  });

  test("complains with the place", () => {
    const bind = (name: string, shape: number[], dtype?: "u8") => () =>
      bindColumns(arrays, [
        { name, kind: shape.length ? "array" : "number", shape, ...(dtype ? { dtype } : {}) },
      ]);
    expect(complaint(bind("y", [], "u8"))).toBe("a.npz:2:y: 300 is not a number of type u8");
    expect(complaint(bind("pictures", [4]))).toBe(
      "a.npz:pictures: a row is [2, 2], pictures is declared as [4]",
    );
    expect(complaint(bind("z", [3]))).toBe("a.npz: there is no column z; there are pictures, y");
    const table = csv("a,b\n1,2\n3,0x1\n");
    expect(complaint(() => bindColumns(table, [{ name: "b", kind: "number", shape: [] }]))).toBe(
      't.csv:3:b: "0x1" is not a number',
    );
    expect(complaint(() => bindColumns(table, [{ name: "c", kind: "number", shape: [] }]))).toBe(
      "t.csv:1: there is no column c; there are a, b",
    );
  });
});
