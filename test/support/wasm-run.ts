// Kernels built by hand, laid out one buffer after the other, run as wasm and by the reference.
import * as dim from "../../compiler/ir/dim.ts";
import type { Dim } from "../../compiler/ir/dim.ts";
import { flatSteps, scratchOf } from "../../compiler/ir/kernel.ts";
import type { Buffer, Contraction, EntryProgram, Kernel, Program, Stage } from "../../compiler/ir/kernel.ts";
import { affineAdd, affineAxis, affineConstant, affineScale, apply } from "../../compiler/ir/scalar.ts";
import type { Affine, Index, Load, LoopAxis, Scalar } from "../../compiler/ir/scalar.ts";
import { elementCount } from "../../compiler/ir/tensor.ts";
import { bytesOf, scalarTypeOf } from "../../compiler/ir/type.ts";
import type { DType } from "../../compiler/ir/type.ts";
import { panelSizes } from "../../compiler/lower/target.ts";
import { emitWasm } from "../../compiler/backends/wasm/module.ts";
import { executeEntry, separateMemory } from "../../compiler/reference/execute.ts";

const origin = { path: "", at: undefined };
export const sizeOf = (size: Dim | number): Dim => (typeof size === "number" ? dim.constant(size) : size);

export function buffer(name: string, dtype: DType, shape: readonly (Dim | number)[]): Buffer {
  return { name, dtype, shape: shape.map(sizeOf), kind: { kind: "temporary" }, origin };
}

export function axis(name: string, size: Dim | number): LoopAxis {
  return { name, size: sizeOf(size) };
}

/** sum of axes, numbers and [axis, coefficient] */
export function at(...terms: (LoopAxis | number | readonly [LoopAxis, number])[]): Affine {
  let sum = affineConstant(0);
  for (const term of terms)
    sum = affineAdd(
      sum,
      typeof term === "number"
        ? affineConstant(term)
        : "name" in term
          ? affineAxis(term)
          : affineScale(affineAxis(term[0]), term[1]),
    );
  return sum;
}

export function load(
  from: Buffer,
  index: readonly (LoopAxis | Affine | Index)[],
  guarded: readonly number[] = [],
  shape: readonly Dim[] = from.shape,
): Load {
  return {
    kind: "load",
    type: scalarTypeOf(from.dtype),
    buffer: from,
    shape,
    index: index.map((i) =>
      "name" in i ? { kind: "affine", affine: at(i) } : "terms" in i ? { kind: "affine", affine: i } : i,
    ),
    guarded,
  };
}

export function result(stage: Stage, index: readonly LoopAxis[] = []): Scalar {
  return { kind: "result", type: stage.value.type, stage, index: index.map((i) => at(i)) };
}

export function map(
  to: Buffer,
  index: readonly (LoopAxis | Affine)[],
  value: Scalar,
  axes: readonly LoopAxis[] = [],
): Stage {
  const place: Stage["place"] = {
    kind: "store",
    buffer: to,
    shape: to.shape,
    index: index.map((i) => ("name" in i ? at(i) : i)),
  };
  return { axes, over: [], combine: undefined, value, place };
}

export function reduce(
  combine: NonNullable<Stage["combine"]>,
  over: readonly LoopAxis[],
  value: Scalar,
): Stage {
  return { axes: [], over, combine, value, place: { kind: "register" } };
}

export function kernel(
  grid: readonly LoopAxis[],
  stages: readonly Stage[],
  contraction?: Contraction,
): Kernel {
  return { name: "k", grid, stages, contraction, origins: [] };
}

export interface ContractionParts {
  readonly batch?: readonly LoopAxis[];
  readonly rows: readonly LoopAxis[];
  readonly columns: readonly LoopAxis[];
  readonly inner: readonly LoopAxis[];
  readonly a: Scalar;
  readonly b: Scalar;
  /** the stages after the product */
  epilogue(product: Stage): readonly Stage[];
}

export function contraction(parts: ContractionParts): Kernel {
  const { batch = [], rows, columns, inner, a, b } = parts;
  const count = (axes: readonly LoopAxis[]): Dim => dim.product(axes.map((x) => x.size));
  const sizes = panelSizes(count(rows), count(columns), count(inner));
  const product = reduce("sum", inner, apply("mul", a, b));
  return kernel([...batch, ...rows, ...columns], [product, ...parts.epilogue(product)], {
    batch,
    rows,
    columns,
    inner,
    a,
    b,
    panelA: buffer("panelA", "f32", sizes.panelA),
    panelB: buffer("panelB", "f32", sizes.panelB),
    tile: buffer("tile", "f32", sizes.tile),
    prepacked: false,
  });
}

/** Every buffer that an entry touches, scratch included. */
function buffersIn(entry: EntryProgram): Buffer[] {
  const found = new Set<Buffer>();
  const seen = new Set<Scalar>();
  const visit = (s: Scalar): void => {
    if (seen.has(s)) return;
    seen.add(s);
    if (s.kind === "apply") s.operands.forEach(visit);
    if (s.kind === "load") {
      found.add(s.buffer);
      for (const index of s.index) if (index.kind === "computed") visit(index.value);
    }
  };
  for (const { kernel: k } of flatSteps(entry.steps)) {
    for (const stage of k.stages) {
      visit(stage.value);
      if (stage.place.kind !== "register") found.add(stage.place.buffer);
    }
    for (const each of scratchOf(k)) found.add(each);
  }
  for (const { from, to } of entry.copies) found.add(from).add(to);
  return [...found];
}

/** A program of these kernels in one entry `run`, buffers placed for the dims' maxima. */
export function programOf(kernels: readonly Kernel[], dims: Readonly<Record<string, number>> = {}): Program {
  const entry: EntryProgram = {
    name: "run",
    dims: Object.entries(dims).map(([name, max]) => ({ name, max })),
    steps: kernels.map((k) => ({ kind: "kernel", kernel: k })),
    inputs: [],
    outputs: [],
    copies: [],
  };
  return layOut([entry]);
}

/** Places are polynomials in the dims: a multiple of 256 each. */
export function layOut(entries: readonly EntryProgram[]): Program {
  const places = new Map<Buffer, Dim>();
  let next = dim.constant(1024);
  let shared = 1024;
  const bytes = new Map<EntryProgram, Dim>();
  for (const entry of entries)
    for (const each of buffersIn(entry)) {
      if (places.has(each)) continue;
      if (each.kind.kind !== "constant") continue;
      places.set(each, dim.constant(shared));
      shared += Math.ceil((elementCount(each.kind.value.shape) * 4 + 1) / 256) * 256;
    }
  next = dim.constant(shared);
  for (const entry of entries) {
    for (const each of buffersIn(entry)) {
      if (places.has(each)) continue;
      places.set(each, next);
      const size = dim.multiply(dim.product(each.shape), dim.constant(bytesOf[each.dtype]));
      const known = dim.constantOf(size);
      next = dim.add(
        next,
        known === undefined
          ? dim.add(dim.multiply(size, dim.constant(256)), dim.constant(256))
          : dim.constant(Math.ceil((known + 16) / 256) * 256),
      );
    }
    bytes.set(entry, next);
  }
  return { entries, places, sharedBytes: shared, bytes };
}

export interface Run {
  /** contents of a buffer after the run */
  get(of: Buffer): Float64Array;
}

export type Given = ReadonlyMap<Buffer, ArrayLike<number>>;

export interface Instance {
  set(of: Buffer, values: ArrayLike<number>): void;
  run(sizes?: Readonly<Record<string, number>>): void;
  get(of: Buffer, sizes?: Readonly<Record<string, number>>): Float64Array;
  readonly largestFunctionBytes: number;
  readonly bytes: Uint8Array;
}

/** Compiles and instantiates the first entry (or another). */
export async function instantiate(program: Program, relaxed: boolean, name = "run"): Promise<Instance> {
  const { bytes, exports, largestFunctionBytes } = await emitWasm(program, { relaxed, names: true });
  const entry = program.entries.find((e) => e.name === name)!;
  const maxima = new Map(entry.dims.map((d) => [d.name, d.max!]));
  const most = Math.max(
    ...program.entries.map((e) =>
      dim.evaluate(program.bytes.get(e)!, new Map(e.dims.map((d) => [d.name, d.max!]))),
    ),
  );
  const pages = Math.ceil(most / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>, { env: { memory } });
  const of = exports.find((e) => e.name === name)!;
  const call = instance.exports[of.export] as (...sizes: number[]) => void;
  const view = (b: Buffer, sizes: ReadonlyMap<string, number>) => {
    const start = dim.evaluate(program.places.get(b)!, maxima);
    const count = elementCount(b.shape.map((s) => dim.evaluate(s, sizes)));
    const { buffer: raw } = memory;
    if (b.dtype === "f32") return new Float32Array(raw, start, count);
    if (b.dtype === "i32") return new Int32Array(raw, start, count);
    return b.dtype === "f16" ? new Float16Array(raw, start, count) : new Uint8Array(raw, start, count);
  };
  return {
    bytes,
    largestFunctionBytes,
    set(b, values) {
      const start = dim.evaluate(program.places.get(b)!, maxima);
      const { buffer: raw } = memory;
      const length = values.length;
      const target =
        b.dtype === "f32"
          ? new Float32Array(raw, start, length)
          : b.dtype === "i32"
            ? new Int32Array(raw, start, length)
            : b.dtype === "f16"
              ? new Float16Array(raw, start, length)
              : new Uint8Array(raw, start, length);
      target.set(values);
    },
    run: (sizes = {}) => call(...entry.dims.map((d) => sizes[d.name]!)),
    get: (b, sizes = {}) => Float64Array.from(view(b, new Map(Object.entries(sizes)))),
  };
}

/** The same kernels in f64, from the same inputs. */
export function reference(
  kernels: readonly Kernel[],
  given: Given,
  sizes: Readonly<Record<string, number>> = {},
): Run {
  const all = new Map(Object.entries(sizes));
  const arrays = new Map([...given].map(([b, values]) => [b, Float64Array.from(values)]));
  const memory = separateMemory(all, arrays);
  const [entry] = programOf(kernels, sizes).entries;
  executeEntry(entry!, all, memory, { check: true });
  return { get: (b) => memory.of(b) };
}

/** Largest |got - want| in units of `scale` times the largest |want| near it. */
export function worst(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  absolute: number,
  relative: number,
): number {
  let most = got.length === want.length ? 0 : Infinity;
  for (let i = 0; i < want.length; i++) {
    const bound = absolute + relative * Math.abs(want[i]!);
    const ratio = got[i] === want[i] ? 0 : Math.abs(got[i]! - want[i]!) / bound;
    most = Math.max(most, Number.isNaN(ratio) ? Infinity : ratio);
  }
  return most;
}

/** Repeatable numbers in [-1, 1), exact in f32. */
export function noise(count: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}
