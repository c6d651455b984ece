/** `drop`, `fill` and `split`: a table and what the program says -> the rows of each split, and what fills gaps. */
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

/** How large a split is: a part of the rows (0 to 1), a number of rows, or as the source gives it. */
export type Share =
  | { readonly kind: "fraction"; readonly value: number }
  | { readonly kind: "count"; readonly value: number }
  | { readonly kind: "given" };

export type Fill =
  | { readonly kind: "value"; readonly value: number | string }
  | { readonly kind: "mean" }
  | { readonly kind: "median" };

export interface Plan {
  /** what is declared; other columns are neither looked at for gaps nor compared */
  readonly columns: readonly Column[];
  readonly drop: readonly ("missing" | "duplicates")[];
  readonly fill: ReadonlyMap<string, Fill>;
  /** undefined: as the source gives it, else everything is `train` */
  readonly split: (Partial<Readonly<Record<SplitName, Share>>> & { readonly seed?: number }) | undefined;
}

export interface Prepared {
  /** rows of the table, rising, without those that were dropped */
  readonly splits: Readonly<Record<SplitName, Int32Array>>;
  /** the columns in the plan's order, with their gaps filled */
  readonly columns: readonly Column[];
  /** what each filled column was filled with; means and medians are those of the train split */
  readonly fills: ReadonlyMap<string, number | string>;
  readonly dropped: { readonly missing: number; readonly duplicates: number };
}

/** Errors: DataError, for splits that do not fit the rows and for cells that stay missing. */
export function prepare(table: Table, plan: Plan): Prepared {
  let rows: Int32Array = Int32Array.from({ length: table.rows }, (_, row) => row);
  const dropped = { missing: 0, duplicates: 0 };
  for (const rule of plan.drop) {
    const before = rows.length;
    rows = rule === "missing" ? withoutMissing(rows, plan) : withoutDuplicates(rows, table, plan.columns);
    dropped[rule] += before - rows.length;
  }
  const splits = splitRows(table, rows, plan.split);
  const fills = new Map<string, number | string>();
  const columns = plan.columns.map((column) => {
    const fill = plan.fill.get(column.name);
    if (!fill) return column;
    const value = fill.kind === "value" ? fill.value : statistic(table, column, fill.kind, splits.train);
    fills.set(column.name, value);
    return filled(table, column, value);
  });
  for (const column of columns) refuseMissing(table, column, splits);
  return { splits, columns, fills, dropped };
}

function withoutMissing(rows: Int32Array, plan: Plan): Int32Array {
  const watched = plan.columns.filter((column) => !plan.fill.has(column.name));
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

/** Shares other than `given` are drawn at random from the rows that no given split takes. */
function splitRows(table: Table, rows: Int32Array, split: Plan["split"]): Record<SplitName, Int32Array> {
  const file = table.parts[0]?.file ?? "";
  const nothing = new Int32Array(0);
  const splits: Record<SplitName, Int32Array> = { train: nothing, valid: nothing, test: nothing };
  const { given } = table;
  if (split === undefined) {
    if (!given) return { ...splits, train: rows };
    for (const name of splitNames) if (given[name]) splits[name] = inRange(rows, given[name]);
    return splits;
  }
  let rest = rows;
  for (const name of splitNames) {
    if (split[name]?.kind !== "given") continue;
    const range = given?.[name];
    if (!range) throw new DataError(`the source gives no split ${name}`, { file });
    splits[name] = inRange(rows, range);
    rest = rest.filter((row) => row < range[0] || row >= range[1]);
  }
  const sizes = splitSizes(split, rest.length, file);
  const order = shuffled(rest, split.seed ?? 0, "split");
  let at = 0;
  for (const name of splitNames) {
    const size = sizes[name];
    if (size === undefined) continue;
    splits[name] = order.slice(at, at + size).sort();
    at += size;
  }
  return splits;
}

/** Fractions are of `rows`; their borders are rounded, so that shares of 100 % use every row. */
function splitSizes(
  split: Partial<Readonly<Record<SplitName, Share>>>,
  rows: number,
  file: string,
): Partial<Record<SplitName, number>> {
  const sizes: Partial<Record<SplitName, number>> = {};
  const sharesText = splitNames.flatMap((name) =>
    split[name] ? [`${name} = ${shareText(split[name])}`] : [],
  );
  let border = 0;
  let sum = 0;
  for (const name of splitNames) {
    const share = split[name];
    if (share === undefined || share.kind === "given") continue;
    if (!(share.value >= 0) || (share.kind === "count" && !Number.isInteger(share.value))) {
      throw new DataError(`${name} = ${shareText(share)} is no share of the rows`, { file });
    }
    if (share.kind === "count") sizes[name] = share.value;
    else {
      const next = border + share.value * rows;
      sizes[name] = Math.round(next + 1e-6) - Math.round(border + 1e-6);
      border = next;
    }
    sum += sizes[name]!;
  }
  if (border > rows * (1 + 1e-9) || sum > rows) {
    const reason = `the splits (${sharesText.join(", ")}) need ${sum.toLocaleString("en")} rows, there are ${rows.toLocaleString("en")}`;
    throw new DataError(reason, { file });
  }
  return sizes;
}

function shareText(share: Share): string {
  if (share.kind === "given") return "given";
  return share.kind === "count"
    ? share.value.toLocaleString("en")
    : `${Number((100 * share.value).toPrecision(6))}%`;
}

/** Mean or median of the numbers that are there, over all elements of a column in the rows. */
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
