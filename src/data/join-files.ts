/** Tables of several files, each for a split of its own -> one table with these splits given. */
import { DataError } from "./error.ts";
import { type Column, type RowRange, type SplitName, type Table } from "./table.ts";

export interface SplitTable {
  readonly split: SplitName;
  readonly table: Table;
}

/** Names of columns that hold numbers in one file and texts in another. */
export function mixedColumns(tables: readonly Table[]): ReadonlySet<string> {
  const [first, ...others] = tables;
  const names = (first?.columns ?? []).flatMap(({ name, kind }) =>
    others.some((other) => {
      const same = other.columns.find((column) => column.name === name);
      return same && (same.kind === "text") !== (kind === "text");
    })
      ? [name]
      : [],
  );
  return new Set(names);
}

/**
 * Columns of the first file that the others have too, in its order. Errors: DataError where one that is `wanted` is missing
 * in another file or holds something else there.
 */
export function joinFiles(parts: readonly SplitTable[], wanted: (name: string) => boolean): Table {
  const given: Partial<Record<SplitName, RowRange>> = {};
  let rows = 0;
  for (const { split, table } of parts) {
    given[split] = [rows, rows + table.rows];
    rows += table.rows;
  }
  const [first] = parts as [SplitTable, ...SplitTable[]];
  const columns = first.table.columns.flatMap((column): Column[] => {
    const all = parts.map(({ table }) => table.columns.find(({ name }) => name === column.name));
    for (const [i, other] of all.entries()) {
      if (other && isLike(other, column)) continue;
      if (!wanted(column.name)) return [];
      const file = parts[i]!.table.parts[0]?.file ?? "";
      throw other
        ? new DataError(`it holds something else than in ${first.table.parts[0]?.file}`, {
            file,
            column: column.name,
          })
        : new DataError(`there is no column ${column.name}`, { file });
    }
    return [joined(all as Column[])];
  });
  return { ...first.table, rows, columns, parts: parts.flatMap(({ table }) => table.parts), given };
}

function isLike(a: Column, b: Column): boolean {
  return a.kind === b.kind && a.shape.join() === b.shape.join();
}

function joined(columns: readonly Column[]): Column {
  const [first] = columns as [Column, ...Column[]];
  if (first.kind === "text")
    return { ...first, data: columns.flatMap((column) => (column.kind === "text" ? column.data : [])) };
  const data = new Float64Array(columns.reduce((sum, column) => sum + column.data.length, 0));
  let at = 0;
  for (const column of columns) {
    if (column.kind !== "text") data.set(column.data, at);
    at += column.data.length;
  }
  return first.kind === "number" ? { ...first, dtype: "f64", data } : { ...first, dtype: "f64", data };
}
