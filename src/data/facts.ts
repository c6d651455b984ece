/** Data -> what the checker may know of it: first of a table alone, then of the prepared rows of its splits. */
import type { ColumnFacts, DataFacts } from "../../compiler/check/flow/facts.ts";
import type { Dataset } from "./dataset.ts";
import { firstEqualRows, sharedRows } from "./equal-rows.ts";
import { type Column, sizeOf, type Table } from "./table.ts";

function columnFacts(column: Column, textFile: boolean): ColumnFacts {
  const at = textFile ? { at: { line: 1, column: 1 } } : {};
  if (column.kind === "text") return { kind: "text", ...at };
  const { data } = column;
  let least = Infinity;
  let greatest = -Infinity;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const range = least <= greatest ? { least, greatest } : {};
  return column.kind === "number"
    ? { kind: "number", dtype: column.dtype, ...range, ...at }
    : { kind: "array", dtype: column.dtype, shape: column.shape, ...range };
}

/** Of a source alone, before anything is known of splits. */
export function tableFacts(table: Table): DataFacts {
  const textFile = table.header === true;
  const file = table.parts[0]?.file;
  return {
    ...(file === undefined ? {} : { file }),
    ...(table.whole ? {} : { rows: table.rows }),
    columns: new Map(table.columns.map((column) => [column.name, columnFacts(column, textFile)])),
  };
}

/** Of the splits too: categories, sizes, rows that splits share. Columns are known by their declared names as well. */
export function datasetFacts(dataset: Dataset): DataFacts {
  const { table, splits } = dataset;
  const known = tableFacts(table);
  const columns = new Map(known.columns);
  for (const [name, ready] of dataset.columns) {
    const facts = columns.get(name) ?? {
      kind: ready.plan.kind === "category" ? "number" : ready.plan.kind,
      ...(ready.plan.kind === "array" ? { shape: ready.plan.shape } : {}),
    };
    columns.set(name, {
      ...facts,
      ...(ready.classes ? { categories: ready.classes } : {}),
      ...(ready.plan.kind === "number" ? { trainLeast: leastOf(ready.data, splits.train) } : {}),
    });
  }
  return {
    ...known,
    rows: splits.train.length + splits.valid.length + splits.test.length,
    columns,
    splits: { train: splits.train.length, valid: splits.valid.length, test: splits.test.length },
    shared: sharedInputs(dataset),
  };
}

function leastOf(data: ArrayLike<number>, rows: Int32Array): number {
  let least = Infinity;
  for (const row of rows) least = Math.min(least, data[row]!);
  return least;
}

/** How many rows of valid and test have the same inputs as a row of train. */
function sharedInputs(dataset: Dataset): { valid: number; test: number } {
  const { splits, table } = dataset;
  // windows of a text that are alike are what the language is like
  if (dataset.plan.text) return { valid: 0, test: 0 };
  const inputs = [...dataset.columns.values()]
    .filter(({ plan }) => plan.role === "input")
    .map(({ plan, data, size, texts }): Column => {
      // what two texts have in common in a window is not all of them
      if (texts) return { kind: "text", name: plan.name, dtype: "text", shape: [], data: texts };
      const dtype = data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "u8";
      return size === 1 && plan.shape.length === 0
        ? { kind: "number", name: plan.name, dtype, shape: [], data }
        : { kind: "array", name: plan.name, dtype, shape: plan.shape, data };
    })
    .filter((column) => sizeOf(column.shape) > 0);
  if (inputs.length === 0) return { valid: 0, test: 0 };
  const firsts = firstEqualRows(table, inputs);
  return {
    valid: sharedRows(firsts, splits.valid, splits.train).length,
    test: sharedRows(firsts, splits.test, splits.train).length,
  };
}
