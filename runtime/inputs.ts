/** From what the caller gives to bytes in memory: checks, sizes of free dims, conversion. */
import type { Entry, Polynomial, TensorEntry } from "./artifact.ts";
import { fail } from "./error.ts";
import { encodeRows } from "./tokens.ts";
import {
  arrayTypeOf,
  countOf,
  keepPromises,
  mentions,
  type DeviceEntry,
  type Sizes,
  type TypedArray,
} from "./wasm-device.ts";

/** Numbers in row-major order, flat or nested; names where the input has named classes; texts where it takes texts. */
export type Numbers = TypedArray | Float64Array | Uint8ClampedArray | readonly NestedNumber[] | string;
export type NestedNumber = number | boolean | string | Float32Array | readonly NestedNumber[];

export type Inputs = Readonly<Record<string, Numbers>>;

/** An input, flat: of the right type, or numbers that are converted on the way in. */
export type Given = TypedArray | readonly (number | boolean | string)[];

/** The one dim that an axis is, if it is one. */
export function dimOf(axis: Polynomial | undefined): string | undefined {
  const [coefficient, factors] = axis?.length === 1 ? axis[0]! : [];
  const factor = coefficient === 1 && factors?.length === 1 ? factors[0] : undefined;
  return typeof factor === "string" ? factor : undefined;
}

/** What is known of an entry without its memory. */
type Described = Pick<Entry, "name" | "dims" | "promises" | "inputs">;

function bad(entry: Described, { name, doc }: TensorEntry, message: string): never {
  fail("input", `${name} is ${doc}: ${message}`, entry.name);
}

function* leaves(value: unknown): Generator<unknown> {
  if (typeof value === "object" && value !== null)
    for (const inner of value as Iterable<unknown>) yield* leaves(inner);
  else yield value;
}

/** An array of a type that converts without loss of range. */
function flatten(entry: DeviceEntry, tensor: TensorEntry, value: unknown): Given {
  const type = arrayTypeOf(tensor.dtype);
  if (value instanceof type) return value;
  const texts = tensor.text && (typeof value === "string" ? [value] : value);
  if (Array.isArray(texts) && texts.some((text) => typeof text === "string"))
    return tokens(entry, tensor, texts);
  if (Array.isArray(value))
    return typeof value[0] === "object" ? ([...leaves(value)] as number[]) : (value as number[]);
  if (value instanceof (type === Float32Array ? Float64Array : Uint8ClampedArray) && type !== Int32Array)
    return type.from(value);
  const given = (value as object | null | undefined)?.constructor?.name ?? String(value);
  return bad(entry, tensor, `give a ${type.name} or numbers in an array, not ${given}`);
}

/** Texts as the tokens of their rows, behind each other. */
function tokens(entry: DeviceEntry, tensor: TensorEntry, texts: readonly unknown[]): Int32Array {
  const wrong = texts.findIndex((text) => typeof text !== "string");
  if (wrong >= 0) bad(entry, tensor, `text ${wrong} is ${texts[wrong]}`);
  const size = countOf(tensor.shape.slice(1), {});
  return encodeRows(texts as readonly string[], tensor.classes ?? [], tensor.text!, size);
}

/** Puts the given inputs into `into` in the entry's order. One input may be given without its name. */
export function gather(entry: DeviceEntry, given: Inputs | Numbers | undefined, into: Given[]): void {
  const { inputs, name } = entry;
  const alone =
    inputs.length === 1 && (typeof given === "string" || Array.isArray(given) || ArrayBuffer.isView(given));
  const known = inputs.map((input) => input.name);
  if (!alone)
    for (const key in given as Inputs)
      if (!known.includes(key))
        fail("input", `there is no input ${key}; ${name} takes ${known.join(", ") || "none"}`, name);
  for (let i = 0; i < inputs.length; i++)
    into[i] = flatten(entry, inputs[i]!, alone ? given : (given as Inputs | undefined)?.[inputs[i]!.name]);
}

/**
 * Sizes of the entry's dims, written into `sizes`: those the caller names, the others from the numbers of elements.
 * Sizes may be larger than the maximum; the caller looks to that.
 */
export function solveDims(
  entry: Described,
  arrays: readonly Given[],
  named: Sizes,
  sizes: Record<string, number>,
): void {
  const { dims, inputs } = entry;
  for (const { name } of dims) sizes[name] = named[name] ?? NaN;
  // an input with one unknown dim, of which it has a multiple, gives that dim
  for (let round = 0; round < dims.length; round++)
    inputs.forEach(({ shape }, i) => {
      const unknown = dims.filter(({ name }) => Number.isNaN(sizes[name]) && mentions(shape, name));
      if (unknown.length !== 1) return;
      const { name } = unknown[0]!;
      sizes[name] = 1;
      sizes[name] = arrays[i]!.length / countOf(shape, sizes);
    });
  const isSize = ({ name }: { readonly name: string }): boolean =>
    sizes[name]! >= 1 && sizes[name]! % 1 === 0;
  const open = inputs.length === 0 && dims.find((dim) => !isSize(dim));
  if (open) {
    const { name } = open;
    const what = name in named ? `dims.${name} is ${named[name]}` : `no input tells the size ${name}`;
    fail("dims", `${what}: give a whole number of at least 1, dims: { ${name}: 16 }`, entry.name);
  }
  inputs.forEach((tensor, i) => {
    const { length } = arrays[i]!;
    if (!dims.every(isSize) || countOf(tensor.shape, sizes) !== length)
      bad(
        entry,
        tensor,
        `${length} numbers do not fit${dims.map(({ name }) => `, ${name} = ${Number.isNaN(sizes[name]) ? "? (give dims)" : sizes[name]}`).join("")}`,
      );
  });
  keepPromises(entry, sizes);
}

const ranges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u8: [0, 255],
  bool: [0, 1],
};

/** The classes that there are, at most 8, and the one that was probably meant: that with most pairs of letters in common. */
function classHelp(classes: readonly string[], given: unknown): string {
  const text = String(given).toLowerCase();
  let most = text.length / 3;
  let meant = "";
  for (const name of classes) {
    const common = [...text].filter((_, i) => name.toLowerCase().includes(text.slice(i, i + 2))).length;
    if (common > most) [most, meant] = [common, `; did you mean "${name}"?`];
  }
  const more = classes.length > 8 ? ` and ${classes.length - 8} more` : "";
  return `, the classes are "${classes.slice(0, 8).join('", "')}"${more}${meant}`;
}

/** Writes elements [from, from + view.length) of an input. Refuses what is not a number of the input's type. */
export function writeInput(
  entry: DeviceEntry,
  tensor: TensorEntry,
  given: Given,
  from: number,
  view: TypedArray,
): void {
  const { dtype, classes } = tensor;
  const refuse = (i: number): never => {
    const item = given[from + i];
    return bad(entry, tensor, `number ${from + i} is ${item}${classes ? classHelp(classes, item) : ""}`);
  };
  if (Array.isArray(given)) {
    const [low, high] = ranges[dtype] ?? [];
    for (let i = 0; i < view.length; i++) {
      const item: unknown = given[from + i];
      const isNumber = typeof item === "number" || typeof item === "boolean";
      const value = isNumber ? Number(item) : classes ? classes.indexOf(item as string) : NaN;
      if (low !== undefined && !(Number.isInteger(value) && value >= low && value <= high!)) refuse(i);
      view[i] = value;
    }
  } else
    view.set(
      given.length === view.length
        ? (given as TypedArray)
        : (given as TypedArray).subarray(from, from + view.length),
    );
  if (dtype === "f32") {
    // x - x is 0 for every finite x, and NaN for the others
    let sum = 0;
    for (let i = 0; i < view.length; i++) sum += view[i]! - view[i]!;
    if (sum !== 0) refuse(view.findIndex((x) => !Number.isFinite(x)));
  } else if (classes) {
    for (let i = 0; i < view.length; i++) if (view[i]! < 0 || view[i]! >= classes.length) refuse(i);
  }
}
