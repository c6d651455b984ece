/** `drop`, `fill` and `split`: a table and what the program says -> the rows of each split, and what fills gaps. */
import type { DataPlan, SplitPart, SplitPlan } from "../../compiler/check/flow/plans.ts";
import { DataError } from "./error.ts";
import { firstEqualRows } from "./equal-rows.ts";
import { shuffled } from "./random.ts";
import {
  type Column,
  isMissing,
  placeOfRow,
  type RowRange,
  sizeOf,
  type SplitName,
  splitNames,
  type Table,
} from "./table.ts";

export type Plan = Pick<DataPlan, "drop" | "fill" | "split">;

export interface Prepared {
  /** rows of the table, rising, without those that were dropped */
  readonly splits: Readonly<Record<SplitName, Int32Array>>;
  /** the columns in the plan's order, with their gaps filled */
  readonly columns: readonly Column[];
  /** what each filled column was filled with; means and medians are those of the train split */
  readonly fills: ReadonlyMap<string, number | string>;
  readonly dropped: { readonly missing: number; readonly duplicates: number };
}

/**
 * `columns` are the declared ones: no other is looked at for gaps or compared. Errors: DataError, for splits that do
 * not fit the rows and for cells that stay missing.
 */
export function prepare(table: Table, columns: readonly Column[], plan: Plan): Prepared {
  let rows: Int32Array = Int32Array.from({ length: table.rows }, (_, row) => row);
  const all = rows.length;
  if (plan.drop.missing) rows = withoutMissing(rows, columns, plan.fill);
  const complete = rows.length;
  if (plan.drop.duplicates) rows = withoutDuplicates(rows, table, columns);
  const dropped = { missing: all - complete, duplicates: complete - rows.length };
  const splits = splitRows(table, rows, plan.split);
  const fills = new Map<string, number | string>();
  const filledColumns = columns.map((column) => {
    const fill = plan.fill[column.name];
    if (!fill) return column;
    const value = fill.with === "value" ? fill.value : statistic(table, column, fill.with, splits.train);
    fills.set(column.name, value);
    return filled(table, column, value);
  });
  for (const column of filledColumns) refuseMissing(table, column, splits);
  return { splits, columns: filledColumns, fills, dropped };
}

function withoutMissing(rows: Int32Array, columns: readonly Column[], fill: Plan["fill"]): Int32Array {
  const watched = columns.filter((column) => !(column.name in fill));
  return rows.filter((row) => !watched.some((column) => isMissing(column, row)));
}

function withoutDuplicates(rows: Int32Array, table: Table, columns: readonly Column[]): Int32Array {
  const firsts = firstEqualRows(table, columns);
  const kept = new Set<number>();
  return rows.filter((row) => {
    const first = firsts[row]!;
    if (kept.has(first)) return false;
    kept.add(first);
    return true;
  });
}

const inRange = (rows: Int32Array, [start, end]: RowRange): Int32Array =>
  rows.filter((row) => row >= start && row < end);

/**
 * Parts other than `given` are drawn from the rows that no given split takes, at random unless `shuffle` is off; the
 * split that is the `rest` takes what the others leave. Without a plan the source's own splits are used, else every row
 * is in train.
 */
function splitRows(
  table: Table,
  rows: Int32Array,
  plan: SplitPlan | undefined,
): Record<SplitName, Int32Array> {
  const file = table.parts[0]?.file ?? "";
  const nothing = new Int32Array(0);
  const splits: Record<SplitName, Int32Array> = { train: nothing, valid: nothing, test: nothing };
  const { given } = table;
  if (plan === undefined) {
    if (!given) return { ...splits, train: rows };
    for (const name of splitNames) if (given[name]) splits[name] = inRange(rows, given[name]);
    return splits;
  }
  const { parts, seed, shuffle } = plan;
  let pool = rows;
  for (const name of splitNames) {
    if (parts[name]?.kind !== "given") continue;
    const range = given?.[name];
    if (!range) throw new DataError(`the source gives no split ${name}`, { file });
    splits[name] = inRange(rows, range);
    pool = pool.filter((row) => row < range[0] || row >= range[1]);
  }
  const sizes = splitSizes(parts, pool.length, file);
  const order = shuffle ? shuffled(pool, seed, "split") : pool;
  let at = 0;
  for (const name of splitNames) {
    const size = sizes[name];
    if (size === undefined) continue;
    splits[name] = order.slice(at, at + size).sort();
    at += size;
  }
  return splits;
}

/** Fractions are of `rows`; their borders are rounded, so that parts of 100 % use every row. */
export function splitSizes(
  parts: SplitPlan["parts"],
  rows: number,
  file: string,
): Partial<Record<SplitName, number>> {
  const sizes: Partial<Record<SplitName, number>> = {};
  const texts = splitNames.flatMap((name) => (parts[name] ? [`${name} = ${partText(parts[name])}`] : []));
  let border = 0;
  let sum = 0;
  for (const name of splitNames) {
    const part = parts[name];
    if (part?.kind !== "count" && part?.kind !== "fraction") continue;
    if (!(part.value >= 0) || (part.kind === "count" && !Number.isInteger(part.value))) {
      throw new DataError(`${name} = ${partText(part)} is no part of the rows`, { file });
    }
    if (part.kind === "count") sizes[name] = part.value;
    else {
      // 1e-6 of a row: 0.7 + 0.1 + 0.2 is not quite 1.
      const next = border + part.value * rows;
      sizes[name] = Math.round(next + 1e-6) - Math.round(border + 1e-6);
      border = next;
    }
    sum += sizes[name]!;
  }
  if (border > rows * (1 + 1e-9) || sum > rows) {
    const [needed, found] = [sum.toLocaleString("en"), rows.toLocaleString("en")];
    throw new DataError(`the splits (${texts.join(", ")}) need ${needed} rows, there are ${found}`, { file });
  }
  for (const name of splitNames) {
    if (parts[name]?.kind !== "rest") continue;
    sizes[name] = rows - sum;
    sum = rows;
  }
  return sizes;
}

function partText(part: SplitPart): string {
  if (part.kind === "given" || part.kind === "rest") return part.kind;
  return part.kind === "count"
    ? part.value.toLocaleString("en")
    : `${Number((100 * part.value).toPrecision(6))}%`;
}

/** Of the numbers that are there, over all elements of the column in the rows. */
function statistic(table: Table, column: Column, kind: "mean" | "median", rows: Int32Array): number {
  const place = { file: table.parts[0]?.file ?? "", column: column.name };
  if (column.kind === "text") throw new DataError(`texts have no ${kind}`, place);
  const size = sizeOf(column.shape);
  const numbers: number[] = [];
  for (const row of rows) {
    for (let i = row * size; i < (row + 1) * size; i++) {
      if (!Number.isNaN(column.data[i])) numbers.push(column.data[i]!);
    }
  }
  if (numbers.length === 0)
    throw new DataError(`the train split has no number to take the ${kind} of`, place);
  if (kind === "mean") return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  numbers.sort((a, b) => a - b);
  const middle = numbers.length >> 1;
  return numbers.length % 2 ? numbers[middle]! : (numbers[middle - 1]! + numbers[middle]!) / 2;
}

function filled(table: Table, column: Column, value: number | string): Column {
  if (column.kind === "text") return { ...column, data: column.data.map((cell) => cell ?? String(value)) };
  if (typeof value === "string") {
    const place = { file: table.parts[0]?.file ?? "", column: column.name };
    throw new DataError(`"${value}" cannot fill a column of numbers`, place);
  }
  const data = column.data.slice();
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) data[i] = value;
  return { ...column, data };
}

function refuseMissing(table: Table, column: Column, splits: Readonly<Record<SplitName, Int32Array>>): void {
  for (const name of splitNames) {
    const row = splits[name].find((each) => isMissing(column, each));
    if (row === undefined) continue;
    throw new DataError(
      "the value is missing; `drop missing` leaves such rows out, `fill` sets a value",
      placeOfRow(table, row, column.name),
    );
  }
}
