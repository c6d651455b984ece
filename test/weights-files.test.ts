/** Files of weights and arrays: safetensors, npy, npz; round trips, other writers' forms, damage of every kind. */
import { describe, expect, test } from "vitest";
import { arraysTable } from "../src/data/arrays.ts";
import { readCsv } from "../src/data/csv.ts";
import { fromHalf } from "../runtime/safetensors.ts";
import { DataError } from "../src/data/error.ts";
import { readIdx } from "../src/data/idx.ts";
import type { HostArray } from "../src/data/table.ts";
import { readNpy, readNpz, writeNpy, writeNpz } from "../src/weights/npy.ts";
import { toHalf } from "../src/weights/half.ts";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "../src/weights/safetensors.ts";
import { gzipSync } from "node:zlib";
import { complaint } from "./support/complaint.ts";

const arrays = new Map<string, HostArray>([
  ["bytes", { dtype: "u8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ["kernel", { dtype: "f32", shape: [2, 2], data: Float32Array.of(1, -0, NaN, 1e-45) }],
  ["step", { dtype: "i32", shape: [], data: Int32Array.of(-7) }],
  ["wide", { dtype: "f64", shape: [1, 1, 2], data: Float64Array.of(Math.PI, -Infinity) }],
  ["none", { dtype: "f32", shape: [0, 5], data: new Float32Array(0) }],
  ["flags", { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) }],
]);

/** A .safetensors file out of any header text. */
function safetensors(header: string, numbers: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + numbers.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(numbers, 8 + text.length);
  return bytes;
}

/** A .npy file with any header text, as other programs write it. */
function npy(header: string, numbers: readonly number[], version = 1): Uint8Array {
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length, 0, 0, 0];
  return Uint8Array.of(
    0x93,
    ...Buffer.from("NUMPY"),
    version,
    0,
    ...length,
    ...Buffer.from(header),
    ...numbers,
  );
}

describe("safetensors", () => {
  test("a round trip keeps bits, shapes and metadata, and every tensor is aligned", () => {
    const metadata = new Map([
      ["step", "12"],
      ["note", "é \u0000"],
    ]);
    const bytes = writeSafetensors(arrays, metadata);
    const read = readSafetensors(bytes, "w");
    expect(read.metadata).toEqual(metadata);
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...arrays].sort()));
    for (const [name, { start }] of readSafetensorsHeader(bytes, "w").tensors) {
      expect(start % arrays.get(name)!.data.BYTES_PER_ELEMENT, name).toBe(0);
    }
    expect(writeSafetensors(read.tensors, metadata)).toEqual(bytes);
  });

  test("reads what other programs store", () => {
    const read = (type: string, ...numbers: number[]) => {
      const entry = { dtype: type, shape: [1], data_offsets: [0, numbers.length] };
      return readSafetensors(safetensors(JSON.stringify({ t: entry }), numbers), "w").tensors.get("t");
    };
    expect(read("F16", 0, 0x3e)).toEqual({ dtype: "f32", shape: [1], data: Float32Array.of(1.5) });
    expect(read("BF16", 0xc0, 0xbf)).toEqual({ dtype: "f32", shape: [1], data: Float32Array.of(-1.5) });
    expect(read("I64", 255, 255, 255, 255, 255, 255, 255, 255)?.data).toEqual(Int32Array.of(-1));
    expect(read("U32", 255, 255, 255, 255)?.data).toEqual(Float64Array.of(4294967295));
    expect(read("I8", 128)?.data).toEqual(Int32Array.of(-128));
    expect(complaint(() => read("F8_E4M3", 1))).toBe("w:t: numbers of type F8_E4M3 are not supported");
    expect(complaint(() => read("U64", 0, 0, 0, 0, 0, 0, 0, 128))).toBe(
      "w:t: the integer 9223372036854775808 is too large to be kept exactly",
    );
  });

  test("half precision is exact", () => {
    expect([0, 1, 0x3ff, 0x400, 0x7bff, 0xfc00, 0x8001].map(fromHalf)).toEqual([
      0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      65504,
      -Infinity,
      -(2 ** -24),
    ]);
    expect(fromHalf(0x7e00)).toBeNaN();
  });

  test("half precision that is written is the nearest, ties to even", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
      // halfway to the next number, which for the last one is infinity
      const next = bits % 0x8000 === 0x7bff ? Math.sign(value) * 65536 : fromHalf(bits + 1);
      if ((bits & 0x7fff) < 0x7c00) expect(toHalf((value + next) / 2)).toBe(bits % 2 === 0 ? bits : bits + 1);
    }
    expect(toHalf(NaN)).toBe(0x7e00);
    expect([65519, 65520, 1e9, -Infinity].map(toHalf)).toEqual([0x7bff, 0x7c00, 0x7c00, 0xfc00]);
  });

  const one = (shape: unknown, offsets: unknown, type: unknown = "U8") =>
    JSON.stringify({ t: { dtype: type, shape, data_offsets: offsets } });
  test.each([
    [Uint8Array.of(1, 2), "w: the file is too short for a .safetensors header"],
    [
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255),
      /^w: the header says it is [\d,]+ bytes long, the file has 8; it is truncated or no .safetensors file$/,
    ],
    [safetensors("nothing"), "w: the header is not JSON; the file is damaged or no .safetensors file"],
    [safetensors("[]"), "w: the header is not a JSON object"],
    [safetensors('{"t": 1}'), "w:t: the header's entry has no type, shape and offsets"],
    [safetensors(one([-1], [0, 1]), [1]), "w:t: the header's entry has no type, shape and offsets"],
    [safetensors(one([1], [0])), "w:t: the header's entry has no type, shape and offsets"],
    [safetensors(one([2], [0, 1]), [1]), "w:t: [2] needs 2 bytes, the file has 1"],
    [safetensors(one([1], [1, 2]), [1, 2]), /its numbers do not begin where those of the tensor before end$/],
    [safetensors(one([2], [0, 2]), [1]), /^w: the file is truncated: \d+ bytes, \d+ expected$/],
    [safetensors(one([1], [0, 1]), [1, 2]), /^w: the file is longer than its header says: /],
    [safetensors('{"__metadata__": {"a": 1}}'), "w: the header's metadata a is not text"],
  ])("refuses damage %#", (bytes, message) => {
    if (typeof message === "string") expect(complaint(() => readSafetensors(bytes, "w"))).toBe(message);
    else expect(complaint(() => readSafetensors(bytes, "w"))).toMatch(message);
  });
});

describe("npy and npz", () => {
  test("round trips keep bits and shapes", () => {
    for (const [name, array] of arrays) expect(readNpy(writeNpy(array), { file: "a" }), name).toEqual(array);
    expect(readNpz(writeNpz(arrays), "a")).toEqual(arrays);
    expect(writeNpy(arrays.get("kernel")!).length % 64).toBe(16);
  });

  test("reads column-major order, big-endian numbers, version 2, i64 and texts", () => {
    const place = { file: "a" };
    const header = (type: string, shape: string, order = "False") =>
      `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
    expect(readNpy(npy(header("|u1", "2, 3", "True"), [1, 2, 3, 4, 5, 6]), place).data).toEqual(
      Uint8Array.of(1, 3, 5, 2, 4, 6),
    );
    expect(readNpy(npy(header(">i2", "1,"), [1, 2], 2), place).data).toEqual(Int32Array.of(258));
    expect(readNpy(npy(header("<i8", "1,"), [5, 0, 0, 0, 0, 0, 0, 0]), place)).toEqual({
      dtype: "i32",
      shape: [1],
      data: Int32Array.of(5),
    });
    const text = [..."ab", ..."ü\0"].flatMap((letter) => [letter.charCodeAt(0), 0, 0, 0]);
    expect(readNpy(npy(header("<U2", "2,"), text), place)).toEqual({
      dtype: "text",
      shape: [2],
      data: ["ab", "ü"],
    });
    expect(readNpy(npy(header("<f4", ""), [0, 0, 128, 63]), place).data).toEqual(Float32Array.of(1));
  });

  test.each([
    ["<f4", "3,", "a: [3] needs 12 bytes, the file has 4"],
    ["<f4", "4000000000, 4000000000, 0", "a: [4000000000, 4000000000, 0] needs 0 bytes, the file has 4"],
    ["|O", "1,", "a: the array holds pickled Python objects, which are not read"],
    ["<c8", "1,", "a: numbers of type <c8 are not supported"],
    ["<M8[ns]", "1,", "a: numbers of type <M8[ns] are not supported"],
    ["<f4", "-1,", "a: the header does not give a type, an order and a shape"],
  ])("refuses %s (%s)", (type, shape, message) => {
    const bytes = npy(`{'descr': '${type}', 'fortran_order': False, 'shape': (${shape}), }\n`, [1, 2, 3, 4]);
    expect(complaint(() => readNpy(bytes, { file: "a" }))).toBe(message);
  });

  test("refuses a header beyond the end, records, and archives with a wrong checksum", () => {
    const whole = writeNpy(arrays.get("kernel")!);
    expect(complaint(() => readNpy(whole.subarray(0, 40), { file: "a" }))).toBe(
      "a: the file ends inside its header",
    );
    const records = npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", [1, 2, 3, 4]);
    expect(complaint(() => readNpy(records, { file: "a" }))).toMatch(/arrays of records/);
    const archive = writeNpz(new Map([["x", arrays.get("kernel")!]]));
    const wrong = Uint8Array.from(archive);
    const directory = wrong.length - 22 - 46 - "x.npy".length;
    wrong[directory + 16]! ^= 1;
    expect(complaint(() => readNpz(wrong, "a"))).toBe(
      "a: the archive is damaged: the checksum of x.npy differs",
    );
    expect(complaint(() => readNpz(archive.subarray(0, archive.length - 1), "a"))).toBe(
      "a: the archive is damaged: its directory is missing, so it may be truncated",
    );
  });
});

describe("damage anywhere", () => {
  const csvText = 'a,b,c\n1,"x\ny",2.5\n,"q""q",3\r\n4,z,NA\n';
  const readers: readonly { name: string; bytes: Uint8Array; read: (bytes: Uint8Array) => unknown }[] = [
    {
      name: "safetensors",
      bytes: writeSafetensors(arrays, new Map([["k", "v"]])),
      read: (b) => readSafetensors(b, "f"),
    },
    { name: "npy", bytes: writeNpy(arrays.get("wide")!), read: (b) => readNpy(b, { file: "f" }) },
    { name: "npz", bytes: writeNpz(arrays), read: (b) => readNpz(b, "f") },
    {
      name: "idx",
      bytes: Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4),
      read: (b) => readIdx(b, "f"),
    },
    {
      name: "idx gz",
      bytes: gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 3, 4)),
      read: (b) => readIdx(b, "f"),
    },
    { name: "csv", bytes: new TextEncoder().encode(csvText), read: (b) => readCsv(b, "f") },
    {
      name: "arrays table",
      bytes: writeNpz(
        new Map([
          ["train_x", arrays.get("bytes")!],
          ["test_x", arrays.get("bytes")!],
        ]),
      ),
      read: (b) => arraysTable([{ file: "f", name: "f.npz", bytes: b }]),
    },
  ];

  test.each(readers)(
    "$name: truncated at every byte, each byte changed: read or refused, never a crash",
    (reader) => {
      reader.read(reader.bytes);
      let refused = 0;
      const attempt = (bytes: Uint8Array): void => {
        try {
          reader.read(bytes);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          expect(error.message).toMatch(/^f/);
          refused++;
        }
      };
      for (let length = 0; length < reader.bytes.length; length++) attempt(reader.bytes.slice(0, length));
      for (let at = 0; at < reader.bytes.length; at++) {
        for (const flip of [1, 0x80, 0xff]) {
          const changed = reader.bytes.slice();
          changed[at]! ^= flip;
          attempt(changed);
        }
      }
      expect(refused).toBeGreaterThan(0);
      // A text stays a text without its end; of every other format no beginning is a whole file.
      if (reader.name !== "csv") expect(refused).toBeGreaterThanOrEqual(reader.bytes.length);
    },
  );
});
