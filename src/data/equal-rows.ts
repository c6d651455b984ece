/** Which rows of a table are equal: for `drop duplicates`, and for finding rows that two splits share. */
import { type Column, sizeOf, type Table } from "./table.ts";

/**
 * For each row the first row that equals it in all of the columns (itself, where there is none before). Numbers are
 * equal when their bits are.
 */
export function firstEqualRows(table: Table, columns: readonly Column[]): Int32Array {
  const hashes = new Uint32Array(2 * table.rows);
  const readers = columns.map(readerOf);
  for (const { hash } of readers) {
    for (let row = 0; row < table.rows; row++) hash(row, hashes);
  }
  const firsts = new Map<number, number[]>();
  const result = new Int32Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const key = hashes[2 * row]! * 2 ** 21 + (hashes[2 * row + 1]! >>> 11);
    const candidates = firsts.get(key);
    const found = candidates?.find((other) => readers.every(({ equal }) => equal(row, other)));
    result[row] = found ?? row;
    if (found !== undefined) continue;
    if (candidates) candidates.push(row);
    else firsts.set(key, [row]);
  }
  return result;
}

interface RowReader {
  /** mixes the row's cell into its two words of hash */
  hash(row: number, hashes: Uint32Array): void;
  equal(a: number, b: number): boolean;
}

/** FNV-1a, with a second multiplier for the second word. */
function mix(hashes: Uint32Array, row: number, value: number): void {
  hashes[2 * row] = Math.imul(hashes[2 * row]! ^ value, 0x01000193) ^ (hashes[2 * row]! >>> 15);
  hashes[2 * row + 1] = Math.imul(hashes[2 * row + 1]! ^ value, 0x5bd1e995) ^ (hashes[2 * row + 1]! >>> 13);
}

function readerOf(column: Column): RowReader {
  if (column.kind === "text") {
    const { data } = column;
    return {
      hash(row, hashes) {
        const text = data[row];
        mix(hashes, row, text === undefined ? -1 : text.length);
        for (let i = 0; i < (text?.length ?? 0); i++) mix(hashes, row, text!.charCodeAt(i));
      },
      equal: (a, b) => data[a] === data[b],
    };
  }
  const { data } = column;
  const words =
    data.BYTES_PER_ELEMENT === 1 ? data : new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const perRow = (sizeOf(column.shape) * data.BYTES_PER_ELEMENT) / words.BYTES_PER_ELEMENT;
  return {
    hash(row, hashes) {
      for (let i = row * perRow; i < (row + 1) * perRow; i++) mix(hashes, row, words[i]!);
    },
    equal(a, b) {
      for (let i = 0; i < perRow; i++) if (words[a * perRow + i] !== words[b * perRow + i]) return false;
      return true;
    },
  };
}

/** The rows of `among` that equal some row of `others`. */
export function sharedRows(firstEqual: Int32Array, among: Int32Array, others: Int32Array): Int32Array {
  const groups = new Set(others.map((row) => firstEqual[row]!));
  return among.filter((row) => groups.has(firstEqual[row]!));
}
