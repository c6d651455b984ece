/** Arrays that are columns, or the parts of a column by split -> one table, rows in the order train, valid, test. */
import type { TextArray } from "../weights/npy.ts";
import { DataError } from "./error.ts";
import {
  type Column,
  emptyNumbers,
  type HostArray,
  type NumberType,
  type Part,
  type RowRange,
  sizeOf,
  type SplitName,
  splitNames,
  type Table,
} from "./table.ts";

export interface Piece {
  readonly file: string;
  readonly split: SplitName | undefined;
  readonly name: string;
  readonly array: HostArray | TextArray;
}

/** Errors: DataError, naming the piece that does not fit. `source` is named where there is nothing at all. */
export function joinSplits(pieces: readonly Piece[], source: string): Table {
  if (pieces.length === 0) throw new DataError("there are no arrays here", { file: source });
  for (const { array, file, name } of pieces) {
    if (array.shape.length === 0) throw new DataError("a single number has no rows", { file, column: name });
    refuseInfinite(array, file, name);
  }
  const order = [undefined, ...splitNames].filter((split) => pieces.some((piece) => piece.split === split));
  const names = [...new Set(pieces.map(({ name }) => name))];
  const parts: Part[] = [];
  const given: Partial<Record<SplitName, RowRange>> = {};
  let rows = 0;
  for (const split of order) {
    const inSplit = pieces.filter((piece) => piece.split === split);
    const first = inSplit[0]!;
    const count = first.array.shape[0]!;
    for (const { array, file, name } of inSplit) {
      if (array.shape[0] === count) continue;
      const reason = `it has ${array.shape[0]} rows, ${first.name} of ${first.file} has ${count}`;
      throw new DataError(reason, { file, column: name });
    }
    for (const name of names) {
      if (!inSplit.some((piece) => piece.name === name)) {
        throw new DataError(`there is no ${name} for the split ${split}`, { file: first.file });
      }
    }
    if (split !== undefined) given[split] = [rows, rows + count];
    parts.push({
      file: first.file,
      rows: count,
      files: new Map(inSplit.map(({ name, file }) => [name, file])),
    });
    rows += count;
  }
  const columns = names.map((name) =>
    columnOf(
      name,
      order.map((split) => onlyPiece(pieces, split, name)),
      rows,
    ),
  );
  return Object.keys(given).length > 0 ? { rows, columns, parts, given } : { rows, columns, parts };
}

function onlyPiece(pieces: readonly Piece[], split: SplitName | undefined, name: string): Piece {
  const [first, second] = pieces.filter((piece) => piece.split === split && piece.name === name);
  if (second)
    throw new DataError(`${name} is in ${first!.file} as well`, { file: second.file, column: name });
  return first!;
}

function columnOf(name: string, pieces: readonly Piece[], rows: number): Column {
  const first = pieces[0]!;
  const shape = first.array.shape.slice(1);
  for (const { array, file } of pieces) {
    const other = array.shape.slice(1);
    if (other.join() === shape.join()) continue;
    const reason = `its rows are [${other.join(", ")}], those of ${first.file} are [${shape.join(", ")}]`;
    throw new DataError(reason, { file, column: name });
  }
  const numbers = pieces.map(({ array }) => array).filter((array) => array.dtype !== "text");
  if (numbers.length < pieces.length) return textColumn(name, pieces, shape);
  const dtype = commonType(numbers.map((array) => array.dtype));
  const data = emptyNumbers(dtype, rows * sizeOf(shape));
  let at = 0;
  for (const array of numbers) {
    data.set(array.data, at);
    at += array.data.length;
  }
  return shape.length === 0
    ? { kind: "number", name, dtype, shape: [], data }
    : { kind: "array", name, dtype, shape, data };
}

function textColumn(name: string, pieces: readonly Piece[], shape: readonly number[]): Column {
  const place = { file: pieces[0]!.file, column: name };
  if (shape.length > 0) throw new DataError("only one text a row is supported", place);
  const data = pieces.flatMap(({ array, file }) => {
    if (array.dtype !== "text")
      throw new DataError("it is numbers here and text elsewhere", { file, column: name });
    return array.data;
  });
  return { kind: "text", name, dtype: "text", shape: [], data };
}

function commonType(types: readonly NumberType[]): NumberType {
  const first = types[0]!;
  return types.every((type) => type === first) ? first : "f64";
}

/** NaN is a missing number; infinity is none. */
function refuseInfinite(array: HostArray | TextArray, file: string, name: string): void {
  if (array.dtype !== "f32" && array.dtype !== "f64") return;
  const at = array.data.findIndex((value) => value === Infinity || value === -Infinity);
  if (at < 0) return;
  const row = Math.floor(at / sizeOf(array.shape.slice(1))) + 1;
  throw new DataError("the number is infinite", { file, row, column: name });
}
