/** CSV (RFC 4180, UTF-8, a header line) -> a table. Cells that are empty, `NA`, `NaN` or `?` are missing; of declared texts the empty ones alone. */
import { CsvError, parse } from "csv-parse/sync";
import { unpacked } from "./compressed.ts";
import { DataError } from "./error.ts";
import type { Column, Table } from "./table.ts";

export interface CsvOptions {
  /** default: a comma */
  readonly delimiter?: string;
  /** false: there is no header line and columns are called c1, c2, ... */
  readonly header?: boolean;
  /**
   * What is known of columns: a `text` is taken as it stands, a `name` is never a number. The others hold numbers where every
   * cell is one, else names.
   */
  readonly kinds?: ReadonlyMap<string, "number" | "name" | "text">;
}

const missing = new Set(["", "NA", "NaN", "nan", "?"]);
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Decimal notation alone; undefined: not a finite number. */
export function toNumber(cell: string): number | undefined {
  if (!number.test(cell)) return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

/** Errors: DataError with the line that is not UTF-8. */
export function utf8Text(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    let row = 1;
    const lenient = new TextDecoder("utf-8").decode(bytes);
    for (let i = 0; i < lenient.indexOf("\ufffd"); i++) if (lenient[i] === "\n") row++;
    throw new DataError("the text is not UTF-8", { file, row });
  }
}

interface Parsed {
  readonly records: readonly (readonly string[])[];
  /** the line on which each record starts */
  readonly lines: Int32Array;
}

function parseRecords(text: string, delimiter: string, file: string): Parsed {
  const starts: number[] = [];
  let end = 0;
  try {
    const records = parse(text, {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      // A record ends on line `lines`; those inside its cells are its own.
      on_record(record: string[], { lines }: { lines: number }) {
        end = lines;
        starts.push(lines - record.reduce((count, cell) => count + lineBreaks(cell), 0));
        return record;
      },
    });
    return { records, lines: Int32Array.from(starts) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Where a quote stays open the parser has read on to the end of the file: the record's own line is meant.
    let row = Number(error["lines"] ?? end + 1);
    if (error.code === "CSV_QUOTE_NOT_CLOSED") {
      const after = text.split("\n").slice(end);
      row =
        end +
        1 +
        Math.max(
          0,
          after.findIndex((line) => line.trim() !== ""),
        );
    }
    throw new DataError(csvMessages[error.code] ?? "the quotes of this line do not match", { file, row });
  }
}

const lineBreaks = (cell: string): number => (cell.includes("\n") ? cell.split("\n").length - 1 : 0);

const csvMessages: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened and never closed",
  CSV_INVALID_CLOSING_QUOTE: "text stands behind a closing quote",
  INVALID_OPENING_QUOTE: "a quote stands inside a cell that does not begin with one",
  CSV_MAX_RECORD_SIZE: "the line is too long",
};

export function readCsv(packed: Uint8Array, file: string, options: CsvOptions = {}): Table {
  const text = utf8Text(unpacked(packed, file), file).replace(/^\ufeff/, "");
  const { records, lines } = parseRecords(text, options.delimiter ?? ",", file);
  const first = records[0];
  if (first === undefined) throw new DataError("the file is empty", { file });
  const hasHeader = options.header ?? true;
  const names = hasHeader ? headerNames(first, file) : first.map((_, at) => `c${at + 1}`);
  const skipped = hasHeader ? 1 : 0;
  for (let i = skipped; i < records.length; i++) {
    const cells = records[i]!.length;
    if (cells !== names.length) {
      const reason = `this line has ${cells} cell${cells === 1 ? "" : "s"}, the ${hasHeader ? "header" : "first line"} has ${names.length}`;
      throw new DataError(reason, { file, row: lines[i]! });
    }
  }
  const rows = records.length - skipped;
  const rowLines = lines.subarray(skipped);
  const columns = names.map((name, at): Column => {
    const kind = options.kinds?.get(name);
    const cells = Array.from({ length: rows }, (_, row) => records[row + skipped]![at]!);
    if (kind === "text") return textColumn(name, cells, (cell) => cell.trim() === "");
    return columnOf(
      name,
      cells.map((cell) => cell.trim()),
      kind,
      (row) => ({ file, row: rowLines[row]!, column: name }),
    );
  });
  return {
    rows,
    columns,
    parts: [{ file, rows, lines: rowLines }],
    byName: true,
    ...(hasHeader ? { header: true } : {}),
  };
}

function headerNames(header: readonly string[], file: string): string[] {
  const names = header.map((cell, at) => cell.trim() || `c${at + 1}`);
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new DataError(`two columns are called ${name}`, { file, row: 1, column: name });
    seen.add(name);
  }
  return names;
}

function columnOf(
  name: string,
  cells: readonly string[],
  declared: "number" | "name" | undefined,
  placeOf: (row: number) => { file: string; row: number; column: string },
): Column {
  const data = new Float64Array(cells.length);
  let numeric = declared !== "name";
  for (let row = 0; row < cells.length && numeric; row++) {
    const cell = cells[row]!;
    const value = missing.has(cell) ? NaN : toNumber(cell);
    if (value !== undefined) data[row] = value;
    else if (declared === "number") throw new DataError(`"${shortened(cell)}" is not a number`, placeOf(row));
    else numeric = false;
  }
  if (numeric) return { kind: "number", name, dtype: "f64", shape: [], data };
  return textColumn(name, cells, (cell) => missing.has(cell));
}

function textColumn(name: string, cells: readonly string[], isMissing: (cell: string) => boolean): Column {
  const data = cells.map((cell) => (isMissing(cell) ? undefined : cell));
  return { kind: "text", name, dtype: "text", shape: [], data };
}

const shortened = (cell: string): string => (cell.length > 40 ? `${cell.slice(0, 37)}...` : cell);
