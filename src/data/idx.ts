/**
 * IDX, the format of MNIST: two zero bytes, a type, the number of axes, sizes and numbers in big-endian order.
 * http://yann.lecun.com/exdb/mnist describes it.
 */
import { checkedCount, decode, storedBytes, type StoredType } from "./decode.ts";
import { DataError } from "./error.ts";
import { unpacked } from "./compressed.ts";
import type { HostArray } from "./table.ts";

const types: Readonly<Record<number, StoredType>> = {
  0x08: "u8",
  0x09: "i8",
  0x0b: "i16",
  0x0c: "i32",
  0x0d: "f32",
  0x0e: "f64",
};

/** Reads one IDX file, gzipped or not. */
export function readIdx(packed: Uint8Array, file: string): HostArray {
  const bytes = unpacked(packed, file);
  const place = { file };
  const stored = types[bytes[2] ?? 0];
  const axes = bytes[3] ?? 0;
  if (bytes[0] !== 0 || bytes[1] !== 0 || stored === undefined || axes === 0) {
    throw new DataError(
      "this is not an IDX file: it does not begin with 0, 0, a type and a number of axes",
      place,
    );
  }
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw new DataError(`the file ends inside the sizes of its ${axes} axes`, place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  checkedCount(shape, storedBytes[stored], bytes.length - start, place);
  return decode(bytes.subarray(start), stored, shape, false, place);
}
