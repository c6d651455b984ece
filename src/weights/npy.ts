/**
 * .npy and .npz, NumPy's files: a magic, a header that is a Python literal, numbers.
 * Format: NumPy Enhancement Proposal 1. Pickled objects are refused, not executed.
 */
import { checkedCount, decode, storedBytes, type StoredType } from "../data/decode.ts";
import { DataError, type DataPlace } from "../data/error.ts";
import { type HostArray, type NumberType, sizeOf } from "../data/table.ts";
import { readZip, writeZip } from "./zip.ts";

/** Texts, as `<U12` arrays hold them. */
export interface TextArray {
  readonly dtype: "text";
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

const types: Readonly<Record<string, StoredType>> = {
  f2: "f16",
  f4: "f32",
  f8: "f64",
  i1: "i8",
  i2: "i16",
  i4: "i32",
  i8: "i64",
  u1: "u8",
  u2: "u16",
  u4: "u32",
  u8: "u64",
  b1: "bool",
};

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

export const isNpy = (bytes: Uint8Array): boolean => magic.every((byte, at) => bytes[at] === byte);

interface Header {
  readonly description: string;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** where the numbers start */
  readonly start: number;
}

function readHeader(bytes: Uint8Array, place: DataPlace): Header {
  if (!isNpy(bytes)) throw new DataError("this is not a .npy file: its first bytes differ", place);
  const wide = (bytes[6] ?? 0) >= 2;
  const textStart = wide ? 12 : 10;
  if (bytes.length < textStart) throw new DataError("the file ends inside its header", place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = textStart + length;
  if (start > bytes.length) throw new DataError("the file ends inside its header", place);
  const text = new TextDecoder("latin1").decode(bytes.subarray(textStart, start));
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (description === undefined && /'descr'\s*:\s*\[/.test(text)) {
    throw new DataError("arrays of records are not supported; save each field as its own array", place);
  }
  if (description === undefined || order === undefined || shape === undefined) {
    throw new DataError("the header does not give a type, an order and a shape", place);
  }
  const sizes = shape
    .split(",")
    .map((size) => size.replace("L", "").trim())
    .filter((size) => size !== "")
    .map(Number);
  return { description, columnMajor: order === "True", shape: sizes, start };
}

/** Reads one array. `place` names it in errors. */
export function readNpy(bytes: Uint8Array, place: DataPlace): HostArray | TextArray {
  const { description, columnMajor, shape, start } = readHeader(bytes, place);
  const body = bytes.subarray(start);
  const littleEndian = description[0] !== ">";
  const code = description.replace(/^[<>|=]/, "");
  const text = /^U([1-9]\d{0,5})$/.exec(code);
  if (text) {
    const width = 4 * Number(text[1]);
    checkedCount(shape, width, body.length, place);
    const texts = readTexts(body, width, littleEndian, place);
    return { dtype: "text", shape, data: columnMajor ? rowMajor(texts, shape, [...texts]) : texts };
  }
  const stored = types[code];
  if (stored === undefined) {
    const reason = code.startsWith("O")
      ? "the array holds pickled Python objects, which are not read"
      : `numbers of type ${description} are not supported`;
    throw new DataError(reason, place);
  }
  checkedCount(shape, storedBytes[stored], body.length, place);
  const array = decode(body, stored, shape, littleEndian, place);
  if (!columnMajor || shape.length < 2) return array;
  return { ...array, data: rowMajor(array.data, shape, array.data.slice()) };
}

/** Fixed-width UTF-32, padded with zeros. */
function readTexts(body: Uint8Array, width: number, littleEndian: boolean, place: DataPlace): string[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < body.length; at += width) {
    let text = "";
    for (let i = at; i < at + width; i += 4) {
      const code = view.getUint32(i, littleEndian);
      if (code === 0) break;
      if (code > 0x10ffff) throw new DataError(`row ${at / width + 1} is not text`, place);
      text += String.fromCodePoint(code);
    }
    texts.push(text);
  }
  return texts;
}

/** Fills `into` with the elements of a column-major array in row-major order. */
function rowMajor<Element extends string | number, Target extends { [index: number]: Element }>(
  from: ArrayLike<Element>,
  shape: readonly number[],
  into: Target,
): Target {
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  for (let i = 0; i < from.length; i++) {
    into[i] = from[index.reduce((sum, position, axis) => sum + position * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return into;
}

const descriptions: Readonly<Record<NumberType, string>> = {
  f32: "<f4",
  f64: "<f8",
  i32: "<i4",
  u8: "|u1",
  bool: "|b1",
};

/** One array as a .npy file, version 1.0, header padded to a multiple of 64 bytes. */
export function writeNpy(array: HostArray): Uint8Array {
  const shape = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(", ");
  const header = `{'descr': '${descriptions[array.dtype]}', 'fortran_order': False, 'shape': (${shape}), }`;
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const { data } = array;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...magic, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${header.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/** The arrays of a .npz file by name, without the ending .npy. */
export function readNpz(bytes: Uint8Array, file: string): Map<string, HostArray | TextArray> {
  const arrays = new Map<string, HostArray | TextArray>();
  for (const [entry, content] of readZip(bytes, file)) {
    const name = entry.replace(/\.npy$/, "");
    arrays.set(name, readNpy(content, { file, column: name }));
  }
  return arrays;
}

export function writeNpz(arrays: ReadonlyMap<string, HostArray>): Uint8Array {
  return writeZip(new Map([...arrays].map(([name, array]) => [`${name}.npy`, writeNpy(array)])));
}
