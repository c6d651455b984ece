/** A `data` block's rows, ready for use: read, bound, prepared, categories as ids; batches by row. */
import { dirname } from "node:path";
import type {
  AugmentPlan,
  ColumnPlan,
  DataPlan,
  SplitName,
  TextPlan,
} from "../../compiler/check/flow/plans.ts";
import { augment } from "./augment.ts";
import { bindColumns } from "./bind.ts";
import { categoriesOf, checkedIds } from "./categories.ts";
import { DataError } from "./error.ts";
import { prepare } from "./prepare.ts";
import { readSource, type ReadSource, type SourceSpec } from "./read.ts";
import { rowTexts, tokensOf } from "./row-texts.ts";
import { textRows } from "./windows.ts";
import { emptyNumbers, type Column, type Numbers, sizeOf, splitNames, type Table } from "./table.ts";

/** One column as batches hold it: `size` numbers a row of the table. */
export interface ReadyColumn {
  readonly plan: ColumnPlan;
  readonly size: number;
  readonly data: Float32Array | Int32Array | Uint8Array;
  /** names of the ids, where the column is a category or holds tokens */
  readonly classes: readonly string[] | undefined;
  /** of a column of texts: those of the table's rows */
  readonly texts?: readonly (string | undefined)[];
}

export interface Dataset {
  readonly plan: DataPlan;
  readonly fingerprint: string;
  readonly table: Table;
  readonly splits: Readonly<Record<SplitName, Int32Array>>;
  readonly columns: ReadonlyMap<string, ReadyColumn>;
  readonly dropped: { readonly missing: number; readonly duplicates: number };
  /** what gaps were filled with, by column */
  readonly fills: ReadonlyMap<string, number | string>;
}

/** The folder that a block's paths are relative to. */
export function folderOf(plan: DataPlan, root: string): string {
  return root === "" ? dirname(plan.reader.span.source.path) : root;
}

export function specOf(plan: DataPlan): SourceSpec {
  const { kind, path, also, given, delimiter } = plan.reader;
  if (kind === "app") throw new Error(`the rows of ${plan.name} are given by an app`);
  const columns = new Map(plan.columns.map((column) => [column.name, column.kind]));
  return { kind, path, also, given, delimiter, columns };
}

/** Errors: DataError with file, row and column. */
export function openDataset(plan: DataPlan, folder: string, read?: ReadSource): Dataset {
  const { table, fingerprint } = read ?? readSource(specOf(plan), folder);
  if (table.rows === 0)
    throw new DataError("there are no rows in it", { file: table.parts[0]?.file ?? folder });
  if (plan.text) return textDataset({ ...plan, text: plan.text }, table, fingerprint);
  const bound = bindColumns(
    table,
    plan.columns.map(({ name, kind, shape, dtype }) => ({
      name,
      kind,
      shape,
      ...(kind === "category" || kind === "text" ? {} : { dtype }),
    })),
  );
  const { splits, columns, dropped, fills } = prepare(table, bound, plan);
  const rows = splitNames.map((name) => splits[name]);
  const names = tokensOf(plan, columns, table, splits.train);
  const ready = new Map<string, ReadyColumn>();
  plan.columns.forEach((column, i) => {
    const data = columns[i]!;
    ready.set(
      column.name,
      column.text && data.kind === "text"
        ? rowTexts({ ...column, text: column.text }, data, names, rows)
        : readyColumn(column, data, table, splits.train, rows),
    );
  });
  return { plan, fingerprint, table, splits, columns: ready, dropped, fills };
}

function textDataset(
  plan: DataPlan & { readonly text: TextPlan },
  files: Table,
  fingerprint: string,
): Dataset {
  const { table, splits, names } = textRows(files, plan, plan.columns[0]?.classes?.names);
  const columns = new Map<string, ReadyColumn>();
  plan.columns.forEach((column, i) => {
    const data = table.columns[i]!.data as Int32Array;
    columns.set(column.name, { plan: column, size: plan.text.window, data, classes: names });
  });
  const dropped = { missing: 0, duplicates: 0 };
  return { plan, fingerprint, table, splits, columns, dropped, fills: new Map() };
}

function readyColumn(
  plan: ColumnPlan,
  column: Column,
  table: Table,
  train: Int32Array,
  rows: readonly Int32Array[],
): ReadyColumn {
  if (plan.kind === "category") {
    const { names, ids } = categoriesOf(table, column, train, rows, plan.classes?.names);
    return { plan, size: 1, data: ids, classes: names };
  }
  if (column.kind === "text") throw new Error(`${plan.name}: text was bound to a column of numbers`);
  const size = sizeOf(plan.shape);
  const numbers = column.data;
  if (plan.dtype === "i32" && plan.classes?.size !== undefined && plan.shape.length === 0)
    return { plan, size, data: checkedIds(table, column, plan.classes.size, rows), classes: undefined };
  const data =
    numbers instanceof Float64Array
      ? Float32Array.from(numbers)
      : (numbers as Float32Array | Int32Array | Uint8Array);
  return { plan, size, data, classes: undefined };
}

/** The named columns of some rows, behind each other; arrays of the columns' types. */
export function rowsOf(
  dataset: Dataset,
  rows: Int32Array,
  columns: Iterable<string>,
  random?: { readonly plans: readonly AugmentPlan[]; readonly seed: number; readonly epoch: number },
): Record<string, Float32Array | Int32Array | Uint8Array> {
  const batch: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  for (const name of columns) {
    const column = dataset.columns.get(name);
    if (!column) throw new Error(`the data has no column ${name}`);
    const { size, data, plan } = column;
    const dtype = data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "u8";
    const taken = emptyNumbers(dtype, rows.length * size) as Float32Array | Int32Array | Uint8Array;
    const changes = random?.plans.filter((p) => p.column === name) ?? [];
    rows.forEach((row, i) => {
      if (size === 1) taken[i] = data[row]!;
      else taken.set(data.subarray(row * size, (row + 1) * size) as Numbers, i * size);
      if (random && changes.length > 0)
        augment(taken.subarray(i * size, (i + 1) * size), plan.shape, changes, {
          seed: random.seed,
          row,
          epoch: random.epoch,
        });
    });
    batch[name] = taken;
  }
  return batch;
}
