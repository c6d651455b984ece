/** Declared columns -> those of a table: by name, else, in files of arrays, by shape. */
import { toNumber } from "./csv.ts";
import { DataError } from "./error.ts";
import {
  type Column,
  emptyNumbers,
  type Numbers,
  type NumberType,
  placeOfRow,
  sizeOf,
  type Table,
} from "./table.ts";

export type ColumnKind = "number" | "category" | "text" | "array";

export interface DeclaredColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** of one row; empty but for arrays; NaN: any size */
  readonly shape: readonly number[];
  readonly dtype?: NumberType;
}

/** Sizes of 1 do not matter: `[28, 28]` in a file is `[28, 28, 1]` in a program. */
const withoutOnes = (shape: readonly number[]): readonly number[] => shape.filter((size) => size !== 1);

const meets = (given: readonly number[], declared: readonly number[]): boolean =>
  given.length === declared.length &&
  given.every((size, i) => size === declared[i] || Number.isNaN(declared[i]));

function fits(column: Column, declared: DeclaredColumn): boolean {
  if (column.kind === "text") return declared.kind === "category" || declared.kind === "text";
  if (declared.kind === "text") return false;
  if (declared.kind === "category") return column.kind === "number";
  return meets(column.shape, declared.shape) || meets(withoutOnes(column.shape), withoutOnes(declared.shape));
}

/** The table's columns under their declared names, shapes and dtypes, in the order declared. Errors: DataError. */
export function bindColumns(table: Table, declared: readonly DeclaredColumn[]): Column[] {
  const file = table.parts[0]?.file ?? "";
  const taken = new Set(
    declared.map(({ name }) => name).filter((name) => table.columns.some((c) => c.name === name)),
  );
  return declared.map((each) => {
    const named = table.columns.find(({ name }) => name === each.name);
    if (named) return converted(table, named, each);
    const free = table.byName ? [] : table.columns.filter(({ name }) => !taken.has(name));
    const found = free.find((column) => fits(column, each));
    if (!found) {
      const names = table.columns.map(({ name }) => name);
      const known = names.length === 1 ? `; there is only ${names[0]}` : `; there are ${names.join(", ")}`;
      throw new DataError(`there is no column ${each.name}${names.length === 0 ? "" : known}`, {
        file,
        ...(table.header ? { row: 1 } : {}),
      });
    }
    taken.add(found.name);
    return converted(table, found, each);
  });
}

function converted(table: Table, column: Column, declared: DeclaredColumn): Column {
  const { name, kind, shape } = declared;
  const place = {
    file: table.parts[0]?.files?.get(column.name) ?? table.parts[0]?.file ?? "",
    column: column.name,
  };
  if (kind === "category") {
    if (column.kind === "array")
      throw new DataError(`a row is an array ${shapeText(column.shape)}, no category`, place);
    return { ...column, name };
  }
  if (kind === "text") {
    if (column.kind === "text") return { ...column, name };
    throw new DataError("the column holds numbers, and texts are declared", place);
  }
  if (column.kind === "text") {
    const row = column.data.findIndex((cell) => cell !== undefined && toNumber(cell) === undefined);
    const at = row < 0 ? place : placeOfRow(table, row, column.name);
    throw new DataError(row < 0 ? "the column has no numbers" : `"${column.data[row]}" is not a number`, at);
  }
  if (!fits(column, declared)) {
    const reason = `a row is ${shapeText(column.shape)}, ${name} is declared as ${shapeText(shape)}`;
    throw new DataError(reason, place);
  }
  const dtype = declared.dtype ?? column.dtype;
  const data = convertedNumbers(table, column, dtype);
  return shape.length === 0 || kind === "number"
    ? { kind: "number", name, dtype, shape: [], data }
    : { kind: "array", name, dtype, shape: shape.some(Number.isNaN) ? column.shape : shape, data };
}

const shapeText = (shape: readonly number[]): string =>
  shape.length === 0
    ? "a number"
    : `[${shape.map((size) => (Number.isNaN(size) ? "any size" : size)).join(", ")}]`;

const ranges: Partial<Readonly<Record<NumberType, readonly [number, number]>>> = {
  u8: [0, 255],
  bool: [0, 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Integers must be integers in range: nothing is rounded. */
function convertedNumbers(
  table: Table,
  column: Exclude<Column, { kind: "text" }>,
  dtype: NumberType,
): Numbers {
  const { data } = column;
  if (column.dtype === dtype) return data;
  const range = ranges[dtype];
  if (range) {
    const wrong = data.findIndex((value) => !Number.isInteger(value) || value < range[0] || value > range[1]);
    if (wrong >= 0) {
      const row = Math.floor(wrong / sizeOf(column.shape));
      throw new DataError(
        `${data[wrong]} is not a number of type ${dtype}`,
        placeOfRow(table, row, column.name),
      );
    }
  }
  const numbers = emptyNumbers(dtype, data.length);
  numbers.set(data);
  if (dtype === "f32") {
    const wrong = numbers.findIndex((value, i) => Math.abs(value) === Infinity && Number.isFinite(data[i]));
    if (wrong >= 0)
      throw new DataError(
        `${data[wrong]} is too large for 32-bit numbers, which end at 3.4e38`,
        placeOfRow(table, Math.floor(wrong / sizeOf(column.shape)), column.name),
      );
  }
  return numbers;
}
