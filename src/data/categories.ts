/** Categories: texts or integers of a column -> ids that count from 0, and their names. */
import { DataError } from "./error.ts";
import { type Column, isMissing, placeOfRow, type Table } from "./table.ts";

export interface Categories {
  readonly names: readonly string[];
  /** one a row of the table; -1 in rows that were not asked for */
  readonly ids: Int32Array;
}

/**
 * Ids for `rows`. The names are those declared, else the distinct values of the train split: numbers rising, texts in
 * the order of their code units. A column of integers with declared names holds ids already, unless the names are
 * integers themselves. Errors: DataError at the first value that is no category.
 */
export function categoriesOf(
  table: Table,
  column: Column,
  train: Int32Array,
  rows: readonly Int32Array[],
  declared?: readonly string[],
): Categories {
  if (column.kind === "array") {
    throw new DataError("an array is no category", { file: table.parts[0]?.file ?? "", column: column.name });
  }
  const areIds =
    column.kind === "number" && declared !== undefined && !declared.every((name) => /^-?\d+$/.test(name));
  if (areIds) return { names: declared, ids: checkedIds(table, column, declared.length, rows) };
  const names = declared ?? distinctNames(table, column, train);
  const idOf = new Map(names.map((name, id) => [name, id]));
  const ids = new Int32Array(table.rows).fill(-1);
  for (const part of rows) {
    for (const row of part) {
      const name = nameAt(table, column, row);
      const id = idOf.get(name);
      if (id === undefined) {
        const known = declared ? "the declared categories" : "the categories of the train split";
        throw new DataError(
          `"${name}" is not among ${known}${listed(names)}`,
          placeOfRow(table, row, column.name),
        );
      }
      ids[row] = id;
    }
  }
  return { names, ids };
}

/** Integers from 0 below `count`, as `int<N>` columns hold them. Errors: DataError at the first that is none. */
export function checkedIds(
  table: Table,
  column: Column,
  count: number,
  rows: readonly Int32Array[],
): Int32Array {
  const ids = new Int32Array(table.rows).fill(-1);
  for (const part of rows) {
    for (const row of part) {
      const value = column.kind === "number" ? column.data[row]! : NaN;
      if (!Number.isInteger(value) || value < 0 || value >= count) {
        const shown = column.kind === "text" ? `"${column.data[row]}"` : String(value);
        const reason = `label ${shown} does not exist in int<${count}>: labels run from 0 to ${count - 1}`;
        throw new DataError(reason, placeOfRow(table, row, column.name));
      }
      ids[row] = value;
    }
  }
  return ids;
}

type ScalarColumn = Exclude<Column, { readonly kind: "array" }>;

function nameAt(table: Table, column: ScalarColumn, row: number): string {
  if (isMissing(column, row))
    throw new DataError("the category is missing", placeOfRow(table, row, column.name));
  const value = column.data[row]!;
  if (typeof value === "string") return value;
  if (!Number.isInteger(value)) {
    throw new DataError(
      `${value} is no category: these are texts or integers`,
      placeOfRow(table, row, column.name),
    );
  }
  return String(value);
}

function distinctNames(table: Table, column: ScalarColumn, train: Int32Array): string[] {
  const names = new Set<string>();
  for (const row of train) names.add(nameAt(table, column, row));
  const order = (a: string, b: string): number => (a < b ? -1 : 1);
  return [...names].sort(column.kind === "number" ? (a, b) => Number(a) - Number(b) : order);
}

const listed = (names: readonly string[]): string =>
  names.length <= 8
    ? ` (${names.join(", ")})`
    : ` (${names.slice(0, 7).join(", ")} and ${names.length - 7} more)`;
