/**
 * .safetensors: a little-endian u64 with the header's length, a JSON header, numbers.
 * Format: huggingface.co/docs/safetensors. Offsets are checked; nothing is read past what the header may claim.
 */
import { checkedCount, decode, storedBytes, type StoredType } from "../data/decode.ts";
import { DataError, type DataPlace } from "../data/error.ts";
import type { HostArray, NumberType } from "../data/table.ts";

export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  /** in the order of their bytes */
  readonly tensors: ReadonlyMap<string, HostArray>;
}

export interface TensorHeader {
  /** as the file says it: `F16` */
  readonly type: string;
  readonly shape: readonly number[];
  /** from the start of the file */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorHeader>;
}

/** The format's own limit. */
const longestHeader = 100_000_000;

const types: Readonly<Record<string, StoredType>> = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I16: "i16",
  I8: "i8",
  U64: "u64",
  U32: "u32",
  U16: "u16",
  U8: "u8",
  BOOL: "bool",
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Names, types and shapes, and that the numbers lie behind each other and end with the file. */
export function readSafetensorsHeader(bytes: Uint8Array, file: string): SafetensorsHeader {
  const place = { file };
  if (bytes.length < 8) throw new DataError("the file is too short for a .safetensors header", place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > longestHeader || 8 + length > bytes.length) {
    const reason = `the header says it is ${length.toLocaleString("en")} bytes long, the file has ${bytes.length.toLocaleString("en")}`;
    throw new DataError(`${reason}; it is truncated or no .safetensors file`, place);
  }
  const header = parseHeader(bytes.subarray(8, 8 + length), place);
  const metadata = new Map<string, string>();
  const found: [string, TensorHeader][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(entry)) throw new DataError("the header's metadata is not a record of texts", place);
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== "string") throw new DataError(`the header's metadata ${key} is not text`, place);
        metadata.set(key, value);
      }
    } else {
      const tensor = readEntry(entry, { file, column: name });
      found.push([name, { ...tensor, start: tensor.start + 8 + length, end: tensor.end + 8 + length }]);
    }
  }
  found.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let at = 8 + length;
  for (const [name, { start, end }] of found) {
    if (start !== at || end < start) {
      throw new DataError("its numbers do not begin where those of the tensor before end", {
        file,
        column: name,
      });
    }
    at = end;
  }
  if (at !== bytes.length) {
    const more = at > bytes.length ? "truncated" : "longer than its header says";
    throw new DataError(
      `the file is ${more}: ${bytes.length.toLocaleString("en")} bytes, ${at.toLocaleString("en")} expected`,
      place,
    );
  }
  return { metadata, tensors: new Map(found) };
}

function parseHeader(bytes: Uint8Array, place: DataPlace): Readonly<Record<string, unknown>> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new DataError("the header is not JSON; the file is damaged or no .safetensors file", place);
  }
  if (!isRecord(header)) throw new DataError("the header is not a JSON object", place);
  return header;
}

/** Offsets still count from the end of the header. */
function readEntry(entry: unknown, place: DataPlace): TensorHeader {
  const damaged = new DataError("the header's entry has no type, shape and offsets", place);
  if (!isRecord(entry)) throw damaged;
  const { dtype: type, shape, data_offsets: offsets } = entry;
  const sizes = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (typeof type !== "string" || !sizes(shape) || !sizes(offsets) || offsets.length !== 2) throw damaged;
  return { type, shape, start: offsets[0]!, end: offsets[1]! };
}

/** All tensors as numbers of the host: F16 and BF16 become f32, the smaller integers i32. */
export function readSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const { metadata, tensors } = readSafetensorsHeader(bytes, file);
  const read = new Map<string, HostArray>();
  for (const [name, { type, shape, start, end }] of tensors) {
    const place = { file, column: name };
    const stored = types[type];
    if (stored === undefined) throw new DataError(`numbers of type ${type} are not supported`, place);
    checkedCount(shape, storedBytes[stored], end - start, place);
    read.set(name, decode(bytes.subarray(start, end), stored, shape, true, place));
  }
  return { metadata, tensors: read };
}

/** Numbers of 16 bits, as `toHalf` makes them. */
export interface HalfArray {
  readonly dtype: "f16";
  readonly shape: readonly number[];
  readonly data: Uint16Array;
}

const typeNames: Readonly<Record<NumberType | "f16", string>> = {
  f16: "F16",
  f64: "F64",
  f32: "F32",
  i32: "I32",
  u8: "U8",
  bool: "BOOL",
};

/** The file's bytes. Wider elements come first, so that each tensor is aligned; the header is padded to 8 bytes. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, HostArray | HalfArray>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const width = (array: HostArray | HalfArray): number => array.data.BYTES_PER_ELEMENT;
  const ordered = [...tensors].sort(([, a], [, b]) => width(b) - width(a));
  const entries: [string, unknown][] =
    metadata.size > 0 ? [["__metadata__", Object.fromEntries(metadata)]] : [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    entries.push([name, { dtype: typeNames[dtype], shape, data_offsets: [at, at + data.byteLength] }]);
    at += data.byteLength;
  }
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + at).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(header, 8);
  at = 8 + headerLength;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
