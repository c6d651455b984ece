/** Rows for `dlmc run`, from a file: columns named as the model's inputs. */
import { extname } from "node:path";
import { type Entry, evaluatePolynomial } from "../../runtime/artifact.ts";
import { readBytes, shownPath } from "../files.ts";
import { readNpy, isNpy } from "../weights/npy.ts";
import { bindColumns, type DeclaredColumn } from "./bind.ts";
import { categoriesOf } from "./categories.ts";
import { DataError } from "./error.ts";
import { readSource } from "./read.ts";
import { isMissing, placeOfRow, type Column, type Table } from "./table.ts";

interface InputColumn extends DeclaredColumn {
  readonly classes: readonly string[] | undefined;
}

/** The columns that an entry's inputs are read from: the leading axis is the row. */
export function inputColumns(entry: Entry): InputColumn[] {
  return entry.inputs.map(({ name, dtype, shape, classes }) => ({
    name,
    kind: classes ? "category" : shape.length > 1 ? "array" : "number",
    shape: shape.slice(1).map((axis) => evaluatePolynomial(axis, {})),
    ...(classes ? {} : { dtype: dtype === "f16" ? "f32" : dtype }),
    classes,
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
  const bound = bindColumns(table, columns);
  for (const column of bound)
    for (let row = 0; row < table.rows; row++)
      if (isMissing(column, row))
        throw new DataError("the value is missing", placeOfRow(table, row, column.name));
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
  const inputs: ReadRows["inputs"] = {};
  columns.forEach((declared, i) => {
    const column = bound[i]!;
    if (declared.classes)
      inputs[declared.name] = categoriesOf(table, column, rows, [rows], declared.classes).ids;
    else inputs[declared.name] = numbersOf(column);
  });
  return { rows: table.rows, inputs };
}

function numbersOf(column: Column): Float32Array | Int32Array | Uint8Array {
  if (column.kind === "text") throw new Error(`${column.name}: text was bound to a column of numbers`);
  return column.data instanceof Float64Array ? Float32Array.from(column.data) : column.data;
}

function readTable(path: string, columns: readonly InputColumn[]): Table {
  switch (extname(path).toLowerCase()) {
    case ".csv":
      return readSource({ kind: "csv", path }, ".").table;
    case ".json":
      return jsonTable(path);
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
      throw new DataError("rows are read from .csv, .json, .npy, .npz or .safetensors", {
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

/** `[{ "carat": 0.3, "cut": "Ideal" }, ...]`, `{ "image": [[...], ...] }` (columns), or one row as an object. */
function jsonTable(path: string): Table {
  const file = shownPath(path);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readBytes(path)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new DataError(`this is not JSON: ${error.message}`, { file });
    throw error;
  }
  const rows = rowsOfJson(value, file);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => jsonColumn(name, rows, file));
  return { rows: rows.length, columns, parts: [{ file, rows: rows.length }] };
}

type JsonRow = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rowsOfJson(value: unknown, file: string): JsonRow[] {
  if (Array.isArray(value) && value.every(isObject)) return value;
  if (!isObject(value)) throw new DataError("an array of rows, or an object of columns, is needed", { file });
  const columns = Object.entries(value);
  const rows = columns.every(([, v]) => Array.isArray(v))
    ? ((columns[0]?.[1] as unknown[] | undefined)?.length ?? 0)
    : -1;
  if (rows < 0) return [value];
  for (const [name, cells] of columns)
    if ((cells as unknown[]).length !== rows)
      throw new DataError(`it has ${(cells as unknown[]).length} rows, the first column has ${rows}`, {
        file,
        column: name,
      });
  return Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(columns.map(([name, cells]) => [name, (cells as unknown[])[i]])),
  );
}

function jsonColumn(name: string, rows: readonly JsonRow[], file: string): Column {
  const cells = rows.map((row) => row[name]);
  if (cells.every((cell) => typeof cell === "string" || cell === null || cell === undefined))
    return {
      kind: "text",
      name,
      dtype: "text",
      shape: [],
      data: cells.map((c) => (typeof c === "string" ? c : undefined)),
    };
  const shape: number[] = [];
  for (let cell = cells[0]; Array.isArray(cell); cell = cell[0]) shape.push(cell.length);
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float64Array(rows.length * size);
  cells.forEach((cell, row) => {
    const flat = [cell].flat(Infinity);
    if (flat.length !== size)
      throw new DataError(`it has ${flat.length} numbers, the first row has ${size}`, {
        file,
        row: row + 1,
        column: name,
      });
    flat.forEach((x, i) => {
      if (typeof x !== "number" && typeof x !== "boolean" && x !== null && x !== undefined)
        throw new DataError(`${JSON.stringify(x)} is not a number`, { file, row: row + 1, column: name });
      data[row * size + i] = x === null || x === undefined ? NaN : Number(x);
    });
  });
  return shape.length === 0
    ? { kind: "number", name, dtype: "f64", shape: [], data }
    : { kind: "array", name, dtype: "f64", shape, data };
}
