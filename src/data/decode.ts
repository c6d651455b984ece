/** Bytes of a file -> numbers of the host. Element types that the host lacks become the next wider one that holds them. */
import { fromHalf } from "../../runtime/safetensors.ts";
import { DataError, type DataPlace } from "./error.ts";
import type { HostArray, NumberType } from "./table.ts";

/** What files store: width in bits behind the letter. */
export type StoredType =
  "f16" | "bf16" | "f32" | "f64" | "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "bool";

export const storedBytes: Readonly<Record<StoredType, number>> = {
  f16: 2,
  bf16: 2,
  f32: 4,
  f64: 8,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  bool: 1,
};

/**
 * The number of elements of a shape that a file claims, once it is known that so many fit in `bytes`.
 * Sizes are not trusted: nothing is allocated before this.
 */
export function checkedCount(
  shape: readonly number[],
  elementBytes: number,
  bytes: number,
  place: DataPlace,
): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw new DataError(`${size} is not a size`, place);
    count *= size;
  }
  if (shape.includes(0)) count = 0;
  const needed = count * elementBytes;
  if (needed !== bytes) {
    const size = Number.isSafeInteger(needed)
      ? `${needed.toLocaleString("en")} bytes`
      : "more bytes than files have";
    const text = `[${shape.join(", ")}] needs ${size}, the file has ${bytes.toLocaleString("en")}`;
    throw new DataError(text, place);
  }
  return count;
}

/** The numbers in `bytes`, which hold exactly the elements of `shape` (see checkedCount). Copies; never a view. */
export function decode(
  bytes: Uint8Array,
  stored: StoredType,
  shape: readonly number[],
  littleEndian: boolean,
  place: DataPlace,
): HostArray {
  const width = storedBytes[stored];
  const count = bytes.length / width;
  const copy = new Uint8Array(bytes);
  if (stored === "u8" || stored === "bool") return { dtype: stored, shape, data: copy };
  if (!littleEndian) swapBytes(copy, width);
  const buffer = copy.buffer;
  const made = (dtype: NumberType, data: HostArray["data"]): HostArray => ({ dtype, shape, data });
  switch (stored) {
    case "f32":
      return made("f32", new Float32Array(buffer));
    case "f64":
      return made("f64", new Float64Array(buffer));
    case "i32":
      return made("i32", new Int32Array(buffer));
    case "i8":
      return made("i32", Int32Array.from(new Int8Array(buffer)));
    case "i16":
      return made("i32", Int32Array.from(new Int16Array(buffer)));
    case "u16":
      return made("i32", Int32Array.from(new Uint16Array(buffer)));
    case "f16":
      return made("f32", Float32Array.from(new Uint16Array(buffer), fromHalf));
    case "bf16": {
      const wide = new Uint32Array(count);
      const halves = new Uint16Array(buffer);
      for (let i = 0; i < count; i++) wide[i] = halves[i]! << 16;
      return made("f32", new Float32Array(wide.buffer));
    }
    case "u32":
      return narrowest(Float64Array.from(new Uint32Array(buffer)), shape);
    case "i64":
    case "u64": {
      const wide = stored === "i64" ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
      const numbers = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        numbers[i] = Number(wide[i]!);
        if (!Number.isSafeInteger(numbers[i])) {
          throw new DataError(`the integer ${wide[i]} is too large to be kept exactly`, place);
        }
      }
      return narrowest(numbers, shape);
    }
  }
}

/** Integers as i32 where all of them fit, else as f64. */
function narrowest(numbers: Float64Array, shape: readonly number[]): HostArray {
  for (const value of numbers) if (value !== (value | 0)) return { dtype: "f64", shape, data: numbers };
  return { dtype: "i32", shape, data: Int32Array.from(numbers) };
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}
