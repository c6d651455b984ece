/**
 * An instance of an artifact's module: its memory, made once and never grown, and its entries as functions.
 * Knows addresses and sizes; what a call means is model.ts's.
 */
import {
  type Entry,
  evaluatePolynomial,
  type Manifest,
  type ParameterEntry,
  type Polynomial,
  type TensorEntry,
} from "./artifact.ts";
import { fail } from "./error.ts";

export type TypedArray = Float32Array | Int32Array | Uint8Array;

export type Sizes = Readonly<Record<string, number>>;

/** The array that holds elements of a type; bool is 0 or 1 in a byte. */
export function arrayTypeOf(
  dtype: TensorEntry["dtype"],
): typeof Float32Array | typeof Int32Array | typeof Uint8Array {
  return dtype === "f32" ? Float32Array : dtype === "i32" ? Int32Array : Uint8Array;
}

/** A tensor in memory. */
export interface Slot extends TensorEntry {
  /** its first `count` elements; the same array as last time where memory and count are the same */
  view(count: number): TypedArray;
}

export interface DeviceEntry extends Pick<Entry, "name" | "dims" | "promises" | "rows"> {
  /** of each dim */
  readonly maxima: Sizes;
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  readonly control: readonly Slot[];
  /** Runs it with these sizes of its dims, in their order; later, where it is a promise. A trap passes through as it is. */
  call(sizes: readonly number[]): void | Promise<void>;
}

export interface Device {
  readonly entries: ReadonlyMap<string, DeviceEntry>;
  /** a copy of the numbers of a weight or state */
  read(entry: ParameterEntry): Float32Array;
  /** Puts numbers into a weight or state. */
  write(entry: ParameterEntry, values: ArrayLike<number>): void;
  /** ends its threads, lets go of a GPU's memory */
  stop?: (() => void) | undefined;
}

/** What threads need to run the entries too. */
export interface Shared {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** values of exported globals, the same in all threads */
  readonly globals: Sizes;
  /** where in memory there are 256 bytes for what threads tell each other */
  readonly words: number;
  /** threads that there is scratch for */
  readonly most: number;
  /** sets globals of the caller's own instance */
  set(globals: Sizes): void;
}

/** Starts threads for an artifact that is made for several; gives what ends them. */
export type StartThreads = (shared: Shared) => Promise<() => void>;

const pageBytes = 65536;
const mostPages = 65536;

/** Elements in a tensor of these axes. */
export function countOf(shape: readonly Polynomial[], sizes: Sizes): number {
  let count = 1;
  for (const axis of shape) count *= evaluatePolynomial(axis, sizes);
  return count;
}

export function mentions(shape: readonly Polynomial[], dim: string): boolean {
  return shape.some((axis) =>
    axis.some(([, factors]) =>
      factors.some((f) => (typeof f === "string" ? f === dim : mentions(f.floor, dim))),
    ),
  );
}

/** Throws DlmError where the program promises that there are no such sizes. */
export function keepPromises(
  { name, dims, promises = [] }: Pick<Entry, "name" | "dims" | "promises">,
  sizes: Sizes,
): void {
  for (const { text, size } of promises)
    if (evaluatePolynomial(size, sizes) < 0) {
      const given = dims.filter((dim) => mentions([size], dim.name));
      const shown = given.map((dim) => `${dim.name} is ${sizes[dim.name]}`).join(" and ");
      fail("dims", `${shown}, and the model is for sizes where ${text}`, name);
    }
}

/**
 * The maximum of each global that holds one: what the caller wants, else the planned or default one. Dims of several
 * entries that share a global share the largest of these.
 */
export function maximaOf(entries: readonly Entry[], wanted: Sizes): ReadonlyMap<string, number> {
  const dims = entries.flatMap((entry) => entry.dims);
  for (const [name, size] of Object.entries(wanted)) {
    const of = dims.filter((dim) => dim.name === name);
    const most = Math.min(...of.map(({ max }) => max ?? 2 ** 31 - 1));
    if (of.length === 0) fail("dims", `this model has no free dim ${name}, but max.${name} was given`);
    if (!Number.isInteger(size) || size < 1 || size > most)
      fail("dims", `max.${name} must be a whole number from 1 to ${most}, not ${size}`);
  }
  const maxima = new Map<string, number>();
  for (const { name, max, default: usual, global } of dims)
    maxima.set(global, Math.max(maxima.get(global) ?? 1, wanted[name] ?? max ?? usual));
  return maxima;
}

const wordsBytes = 256;

function allocate(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(bytes / pageBytes));
  let cause: unknown;
  try {
    if (pages <= mostPages) return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (error) {
    cause = error;
  }
  return fail(
    "memory",
    `this model needs ${(bytes / 2 ** 20).toFixed(1)} MiB of memory, more than there is; load it with a lower max`,
    undefined,
    cause,
  );
}

/** Elements of a weight or state. */
export function lengthOf({ shape }: ParameterEntry): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Compiles, plans memory for the wanted maxima and instantiates. Throws DlmError. */
export async function openDevice(
  bytes: Uint8Array,
  manifest: Manifest,
  wanted: Sizes,
  start?: StartThreads,
): Promise<Device> {
  const damaged = (what: string, cause?: unknown): never =>
    fail("artifact", `this artifact does not work here: ${what}`, undefined, cause);
  const maxima = maximaOf(manifest.entries, wanted);
  const maximaIn = ({ dims }: Entry): Sizes =>
    Object.fromEntries(dims.map(({ name, global }) => [name, maxima.get(global)!]));
  for (const entry of manifest.entries) keepPromises(entry, maximaIn(entry));
  const total = manifest.entries.reduce(
    (most, entry) => Math.max(most, evaluatePolynomial(entry.bytes, maximaIn(entry))),
    manifest.sharedBytes,
  );
  /** A place inside memory, or the artifact was altered. */
  const place = (name: string, dtype: TensorEntry["dtype"], offset: number, count: number): void => {
    const width = arrayTypeOf(dtype).BYTES_PER_ELEMENT;
    if (!(count >= 0 && offset >= 0 && offset % width === 0 && offset + count * width <= total))
      damaged(`${name} lies outside its memory`);
  };
  const parameters = [...manifest.weights, ...manifest.states, ...manifest.optimizer];
  for (const each of parameters) place(each.path, each.dtype, each.offset, lengthOf(each));
  for (const entry of manifest.entries)
    for (const { name, dtype, offset, shape } of [...entry.inputs, ...entry.outputs, ...entry.control]) {
      const sizes = maximaIn(entry);
      place(name, dtype, evaluatePolynomial(offset, sizes), countOf(shape, sizes));
    }

  const most = manifest.threads;
  const memory = allocate(total + (most ? wordsBytes : 0), most !== undefined);
  let exports: WebAssembly.Exports;
  let stop: (() => void) | undefined;
  try {
    const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
    const imports: Record<string, Record<string, WebAssembly.Memory>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = memory;
    exports = (await WebAssembly.instantiate(module, imports)).exports;
    const set = (globals: Sizes): void => {
      for (const name in globals) (exports[name] as WebAssembly.Global).value = globals[name];
    };
    const globals: Record<string, number> = {};
    for (const { global, unit = 1 } of manifest.entries.flatMap((entry) => entry.dims))
      globals[global] = maxima.get(global)! / unit;
    set(globals);
    if (most) stop = await start?.({ module, memory, globals, words: total, most, set });
  } catch (cause) {
    return damaged((cause as Error).message, cause);
  }

  const numbersOf = (each: ParameterEntry): Float32Array =>
    new Float32Array(memory.buffer, each.offset, lengthOf(each));
  const slot = (tensor: TensorEntry, sizes: Sizes): Slot => {
    const type = arrayTypeOf(tensor.dtype);
    const offset = evaluatePolynomial(tensor.offset, sizes);
    let cached: TypedArray | undefined;
    return {
      ...tensor,
      view(count) {
        if (cached?.length !== count || cached.buffer !== memory.buffer)
          cached = new type(memory.buffer, offset, count);
        return cached;
      },
    };
  };
  return {
    stop,
    entries: new Map(
      manifest.entries.map((entry) => {
        const sizes = maximaIn(entry);
        const code = exports[entry.export];
        const counts: number[] = [];
        if (typeof code !== "function") return damaged(`it has no function ${entry.export}`);
        return [
          entry.name,
          {
            ...entry,
            maxima: sizes,
            inputs: entry.inputs.map((tensor) => slot(tensor, sizes)),
            outputs: entry.outputs.map((tensor) => slot(tensor, sizes)),
            control: entry.control.map((tensor) => slot(tensor, sizes)),
            call(given) {
              for (let i = 0; i < given.length; i++) counts[i] = given[i]! / (entry.dims[i]!.unit ?? 1);
              Reflect.apply(code, undefined, counts);
            },
          },
        ];
      }),
    ),
    read: (each) => numbersOf(each).slice(),
    write: (each, values) => numbersOf(each).set(values),
  };
}
