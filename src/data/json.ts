/**
 * JSON -> a table: an array of rows as objects, JSON lines (an object a line), an object of columns, or one row alone.
 * `null` and what is left out are missing.
 */
import { unpacked } from "./compressed.ts";
import type { ColumnKind } from "./bind.ts";
import { utf8Text } from "./csv.ts";
import { DataError, type DataPlace } from "./error.ts";
import { brokenAt } from "./json-errors.ts";
import { type Column, sizeOf, type Table } from "./table.ts";

type JsonRow = Readonly<Record<string, unknown>>;

/** Rows with the lines they stand on; rows of one JSON value are numbered instead. */
interface Rows {
  readonly rows: readonly JsonRow[];
  readonly lines: Int32Array | undefined;
}

/**
 * Columns that are declared hold what is declared, or it is an error. Of the others those are taken that hold numbers,
 * arrays of numbers of one shape, or texts. Errors: DataError with file, row and column.
 */
export function readJson(
  packed: Uint8Array,
  file: string,
  declared: ReadonlyMap<string, ColumnKind> = new Map(),
): Table {
  const text = utf8Text(unpacked(packed, file), file).replace(/^\ufeff/, "");
  if (text.trim() === "") throw new DataError("the file is empty", { file });
  const { rows, lines } = hasLines(text, file) ? rowsOfLines(text, file) : rowsOf(text, file);
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  const placeOf = (row: number, column: string): DataPlace => ({
    file,
    row: lines?.[row] ?? row + 1,
    column,
  });
  const columns = [...names].flatMap((name): Column[] => {
    const cells = rows.map((row) => (Object.hasOwn(row, name) ? row[name] : undefined));
    const found = columnOf(name, cells, declared.get(name));
    if ("data" in found) return [found];
    if (!declared.has(name)) return [];
    throw new DataError(found.wrong, placeOf(found.row, name));
  });
  const part = { file, rows: rows.length, ...(lines ? { lines } : {}) };
  return { rows: rows.length, columns, parts: [part], byName: true };
}

// ---------------------------------------------------------------- rows

function parsed(text: string, file: string, firstLine = 1): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = brokenAt(text);
    const row = firstLine + (text.slice(0, at).match(/\n/g)?.length ?? 0);
    const rest = /^\S{1,12}/.exec(text.slice(at))?.[0];
    throw new DataError(
      rest === undefined ? "the JSON text breaks off" : `${JSON.stringify(rest)} has no place in a JSON text`,
      { file, row },
    );
  }
}

/** Told by the name of the file, else by a first line that is an object by itself with more behind it. */
function hasLines(text: string, file: string): boolean {
  if (/\.(jsonl|ndjson)(\.gz)?$/i.test(file)) return true;
  const [, first = "", more = ""] = /^\s*(\{.*\})[ \t\r]*\n\s*(\S)?/.exec(text) ?? [];
  if (more === "") return false;
  try {
    return isObject(JSON.parse(first));
  } catch {
    return false;
  }
}

function rowsOfLines(text: string, file: string): Rows {
  const rows: JsonRow[] = [];
  const lines: number[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const row = parsed(line, file, i + 1);
    if (!isObject(row)) throw new DataError("a row is an object, this is none", { file, row: i + 1 });
    rows.push(row);
    lines.push(i + 1);
  });
  return { rows, lines: Int32Array.from(lines) };
}

function rowsOf(text: string, file: string): Rows {
  const value = parsed(text, file);
  if (Array.isArray(value)) {
    const wrong = value.findIndex((row) => !isObject(row));
    if (wrong >= 0) throw new DataError("a row is an object, this is none", { file, row: wrong + 1 });
    return { rows: value as JsonRow[], lines: undefined };
  }
  if (!isObject(value)) throw new DataError("an array of rows, or an object of columns, is needed", { file });
  const columns = Object.entries(value);
  if (columns.length === 0 || !columns.every(([, cells]) => Array.isArray(cells)))
    return { rows: [value], lines: undefined };
  const [first] = columns as [string, unknown[]][];
  for (const [name, cells] of columns as [string, unknown[]][])
    if (cells.length !== first![1].length)
      throw new DataError(`it has ${cells.length} rows, ${first![0]} has ${first![1].length}`, {
        file,
        column: name,
      });
  return {
    rows: first![1].map((_, i) =>
      Object.fromEntries(columns.map(([name, cells]) => [name, (cells as unknown[])[i]])),
    ),
    lines: undefined,
  };
}

function isObject(value: unknown): value is JsonRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// ---------------------------------------------------------------- columns

/** What keeps cells from being a column. */
interface Wrong {
  readonly wrong: string;
  readonly row: number;
}

const isMissing = (cell: unknown): cell is null | undefined => cell === null || cell === undefined;

function columnOf(name: string, cells: readonly unknown[], kind: ColumnKind | undefined): Column | Wrong {
  const other = cells.findIndex((cell) => typeof cell !== "string" && !isMissing(cell));
  if (other < 0 && kind !== "number" && kind !== "array")
    return {
      kind: "text",
      name,
      dtype: "text",
      shape: [],
      data: cells.map((cell) => (isMissing(cell) ? undefined : (cell as string))),
    };
  // rows of tokens may be given as numbers
  if (kind === "text" && !Array.isArray(cells[other]))
    return { wrong: `${shown(cells[other])} is no text`, row: other };
  return numbers(name, cells);
}

function numbers(name: string, cells: readonly unknown[]): Column | Wrong {
  const first = Math.max(
    0,
    cells.findIndex((cell) => !isMissing(cell)),
  );
  const shape: number[] = [];
  for (let cell = cells[first]; Array.isArray(cell); cell = cell[0]) shape.push(cell.length);
  const size = sizeOf(shape);
  const data = new Float64Array(cells.length * size).fill(NaN);
  let at = 0;
  const put = (cell: unknown, depth: number): string | undefined => {
    if (depth < shape.length) {
      if (!Array.isArray(cell) || cell.length !== shape[depth])
        return `its rows are not all [${shape.join(", ")}], as that of row ${first + 1}`;
      for (const each of cell) {
        const wrong = put(each, depth + 1);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    }
    const isNumber = typeof cell === "number" && Number.isFinite(cell);
    if (!isNumber && typeof cell !== "boolean" && !isMissing(cell)) return `${shown(cell)} is not a number`;
    data[at++] = isMissing(cell) ? NaN : Number(cell);
    return undefined;
  };
  for (const [row, cell] of cells.entries()) {
    at = row * size;
    const wrong = isMissing(cell) ? undefined : put(cell, 0);
    if (wrong !== undefined) return { wrong, row };
  }
  return shape.length === 0
    ? { kind: "number", name, dtype: "f64", shape: [], data }
    : { kind: "array", name, dtype: "f64", shape, data };
}

function shown(cell: unknown): string {
  const text = typeof cell === "number" ? String(cell) : JSON.stringify(cell);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
