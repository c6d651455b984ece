/** Rows for `dlmc run`, from a file: columns named as the model's inputs. */
import { extname } from "node:path";
import { type Entry, evaluatePolynomial, type TextRule } from "../../runtime/artifact.ts";
import { encodeRows } from "../../runtime/tokens.ts";
import { readBytes, shownPath } from "../files.ts";
import { readNpy, isNpy } from "../weights/npy.ts";
import { bindColumns, type DeclaredColumn } from "./bind.ts";
import { categoriesOf } from "./categories.ts";
import { DataError } from "./error.ts";
import { readSource } from "./read.ts";
import { isMissing, placeOfRow, type Column, type Table } from "./table.ts";

interface InputColumn extends DeclaredColumn {
  readonly classes: readonly string[] | undefined;
  /** how its texts become rows of tokens */
  readonly text: TextRule | undefined;
}

/** The columns that an entry's inputs are read from: the leading axis is the row. */
export function inputColumns(entry: Entry): InputColumn[] {
  return entry.inputs.map(({ name, dtype, shape, classes, text }) => ({
    name,
    kind: text ? "text" : classes ? "category" : shape.length > 1 ? "array" : "number",
    shape: shape.slice(1).map((axis) => evaluatePolynomial(axis, {})),
    ...(classes ? {} : { dtype: dtype === "f16" ? "f32" : dtype }),
    classes,
    text,
  }));
}

export interface ReadRows {
  readonly rows: number;
  readonly inputs: Record<string, Float32Array | Int32Array | Uint8Array>;
}

/** Errors: DataError with file, row and column. */
export function readInputs(path: string, columns: readonly InputColumn[]): ReadRows {
  const table = readTable(path, columns);
  if (table.rows === 0) throw new DataError("there are no rows in it", { file: shownPath(path) });
  const bound = bindColumns(table, columns.map(asGiven(table)));
  for (const column of bound)
    for (let row = 0; row < table.rows; row++)
      if (isMissing(column, row))
        throw new DataError("the value is missing", placeOfRow(table, row, column.name));
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
  const inputs: ReadRows["inputs"] = {};
  columns.forEach((declared, i) => {
    const column = bound[i]!;
    if (declared.text && column.kind === "text")
      inputs[declared.name] = encodeRows(
        column.data,
        declared.classes ?? [],
        declared.text,
        declared.shape[0]!,
      );
    else if (declared.classes && !declared.text)
      inputs[declared.name] = categoriesOf(table, column, rows, [rows], declared.classes).ids;
    else inputs[declared.name] = numbersOf(column);
  });
  return { rows: table.rows, inputs };
}

/** Rows of tokens may be given as the numbers that they are. */
function asGiven(table: Table): (column: InputColumn) => DeclaredColumn {
  return (column) =>
    column.text && table.columns.some(({ name, kind }) => name === column.name && kind === "array")
      ? { ...column, kind: "array", dtype: "i32" }
      : column;
}

function numbersOf(column: Column): Float32Array | Int32Array | Uint8Array {
  if (column.kind === "text") throw new Error(`${column.name}: text was bound to a column of numbers`);
  return column.data instanceof Float64Array ? Float32Array.from(column.data) : column.data;
}

function readTable(path: string, columns: readonly InputColumn[]): Table {
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]));
  switch (extname(path).toLowerCase()) {
    case ".csv":
      return readSource({ kind: "csv", path, columns: kinds }, ".").table;
    case ".json":
    case ".jsonl":
      return readSource({ kind: "json", path, columns: kinds }, ".").table;
    case ".npz":
    case ".safetensors":
      return readSource({ kind: "arrays", path }, ".").table;
    case ".npy": {
      const bytes = readBytes(path);
      const place = { file: shownPath(path) };
      if (!isNpy(bytes)) throw new DataError("this is no .npy file", place);
      const array = readNpy(bytes, place);
      if (!("data" in array) || columns.length !== 1 || array.dtype === undefined)
        throw new DataError("a .npy file fills a model with one input of numbers; .npz names several", place);
      return arrayTable(columns[0]!.name, array as Parameters<typeof arrayTable>[1], place.file);
    }
    default:
      throw new DataError("rows are read from .csv, .json, .jsonl, .npy, .npz or .safetensors", {
        file: shownPath(path),
      });
  }
}

function arrayTable(
  name: string,
  {
    shape,
    data,
    dtype,
  }: {
    shape: readonly number[];
    data: Float32Array | Float64Array | Int32Array | Uint8Array;
    dtype: "f32" | "f64" | "i32" | "u8" | "bool";
  },
  file: string,
): Table {
  const rows = shape[0] ?? 1;
  const column: Column =
    shape.length <= 1
      ? { kind: "number", name, dtype, shape: [], data }
      : { kind: "array", name, dtype, shape: shape.slice(1), data };
  return { rows, columns: [column], parts: [{ file, rows }] };
}
