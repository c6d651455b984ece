/** A table: named columns of the same number of rows, and where each row came from. */
import type { DataPlace } from "./error.ts";

export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
export type NumberType = "f32" | "f64" | "i32" | "u8" | "bool";

/** Numbers of one shape, row-major. */
export interface HostArray {
  readonly dtype: NumberType;
  readonly shape: readonly number[];
  readonly data: Numbers;
}

/** One number a row; NaN stands for a missing cell. */
export interface NumberColumn {
  readonly kind: "number";
  readonly name: string;
  readonly dtype: NumberType;
  readonly shape: readonly [];
  readonly data: Numbers;
}

/** One text a row; undefined stands for a missing cell. */
export interface TextColumn {
  readonly kind: "text";
  readonly name: string;
  readonly dtype: "text";
  readonly shape: readonly [];
  readonly data: readonly (string | undefined)[];
}

/** One array a row, row-major behind each other: `data` holds rows * product(shape) numbers. */
export interface ArrayColumn {
  readonly kind: "array";
  readonly name: string;
  readonly dtype: NumberType;
  /** of one row, not empty */
  readonly shape: readonly number[];
  readonly data: Numbers;
}

export type Column = NumberColumn | TextColumn | ArrayColumn;

/** Rows that lie behind each other in one file. */
export interface Part {
  readonly file: string;
  readonly rows: number;
  /** the file of a column where it is another one */
  readonly files?: ReadonlyMap<string, string>;
  /** line of each row in a text file; without it rows count from 1 */
  readonly lines?: Int32Array;
}

/** Half-open range of rows. */
export type RowRange = readonly [start: number, end: number];
export type SplitName = "train" | "valid" | "test";
export const splitNames: readonly SplitName[] = ["train", "valid", "test"];

export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** columns are found by their names alone, as the file gives them */
  readonly byName?: true;
  /** the names stand in the first line */
  readonly header?: true;
  /** rows are whole files */
  readonly whole?: true;
  /** in the order of rows; their rows add up to the table's */
  readonly parts: readonly Part[];
  /** the splits that the source itself makes (`split test = given`) */
  readonly given?: Partial<Readonly<Record<SplitName, RowRange>>>;
}

/** Where a row of a table stands in its file. */
export function placeOfRow(table: Table, row: number, column?: string): DataPlace {
  let first = 0;
  for (const part of table.parts) {
    if (row < first + part.rows) {
      const file = part.files?.get(column ?? "") ?? part.file;
      const inFile = part.lines?.[row - first] ?? row - first + 1;
      return column === undefined ? { file, row: inFile } : { file, row: inFile, column };
    }
    first += part.rows;
  }
  throw new Error(`row ${row} of a table of ${table.rows} rows`);
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Is the cell missing? For an array: is any of its numbers. */
export function isMissing(column: Column, row: number): boolean {
  if (column.kind === "text") return column.data[row] === undefined;
  if (column.data instanceof Int32Array || column.data instanceof Uint8Array) return false;
  const size = sizeOf(column.shape);
  for (let i = row * size; i < (row + 1) * size; i++) if (Number.isNaN(column.data[i])) return true;
  return false;
}

export function emptyNumbers(dtype: NumberType, length: number): Numbers {
  switch (dtype) {
    case "f32":
      return new Float32Array(length);
    case "f64":
      return new Float64Array(length);
    case "i32":
      return new Int32Array(length);
    case "u8":
    case "bool":
      return new Uint8Array(length);
  }
}
