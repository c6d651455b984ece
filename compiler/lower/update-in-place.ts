/** States and weights become their new value in place where no later code reads the old one; else they are copied. */
import type { Buffer, Kernel, Stage } from "../ir/kernel.ts";
import type { Affine, Scalar } from "../ir/scalar.ts";
import { sameShape } from "../ir/type.ts";
import { rewriteStages } from "./build-kernel.ts";
import { buffersRead, loadsIn, makeInterner, makeNames, rewriter } from "./scalar-walk.ts";

export interface Update {
  readonly state: Buffer;
  /** where its new value is computed */
  readonly value: Buffer;
}

export function updateInPlace(
  kernels: readonly Kernel[],
  updates: readonly Update[],
): {
  readonly kernels: readonly Kernel[];
  readonly copies: readonly { readonly from: Buffer; readonly to: Buffer }[];
  readonly renamed: ReadonlyMap<Buffer, Buffer>;
} {
  const renamed = new Map<Buffer, Buffer>();
  const copies: { from: Buffer; to: Buffer }[] = [];
  const accesses = accessesOf(kernels);
  const sources = updates.map((u) => u.value);
  for (const { state, value } of updates) {
    const free =
      value.kind.kind === "temporary" &&
      sources.filter((b) => b === value).length === 1 &&
      sameShape(value.shape, state.shape) &&
      value.dtype === state.dtype &&
      oldValueIsDone(kernels, accesses, state, value);
    if (free) renamed.set(value, state);
    else copies.push({ from: value, to: state });
  }
  return {
    kernels: renamed.size === 0 ? kernels : kernels.map((kernel) => withBuffers(kernel, renamed)),
    copies: copies.map(({ from, to }) => ({ from: renamed.get(from) ?? from, to })),
    renamed,
  };
}

/** Positions of the kernels that read, and of those that write, each buffer. */
interface Accesses {
  readonly readers: ReadonlyMap<Buffer, readonly number[]>;
  readonly writers: ReadonlyMap<Buffer, readonly number[]>;
}

function accessesOf(kernels: readonly Kernel[]): Accesses {
  const readers = new Map<Buffer, number[]>();
  const writers = new Map<Buffer, number[]>();
  const note = (map: Map<Buffer, number[]>, buffer: Buffer, n: number): void =>
    void map.set(buffer, [...(map.get(buffer) ?? []), n]);
  kernels.forEach((kernel, n) => {
    for (const buffer of buffersRead(kernel.stages)) note(readers, buffer, n);
    for (const { place } of kernel.stages) if (place.kind === "store") note(writers, place.buffer, n);
  });
  return { readers, writers };
}

/** True where every load of the state is over before its element is written. */
function oldValueIsDone(
  kernels: readonly Kernel[],
  { readers, writers }: Accesses,
  state: Buffer,
  value: Buffer,
): boolean {
  const written = writers.get(value) ?? [];
  const [first] = written;
  if (first === undefined) return false;
  const late = (readers.get(state) ?? []).filter((n) => n >= first);
  if (late.length === 0) return true;
  return (
    written.length === 1 && late.every((n) => n === first) && onlyItsElement(kernels[first]!, state, value)
  );
}

function storesInto(stage: Stage, buffer: Buffer): boolean {
  return stage.place.kind === "store" && stage.place.buffer === buffer;
}

/** Within a kernel: loads of the state are at the very element that the iteration writes, and not after it is written. */
export function onlyItsElement(kernel: Kernel, state: Buffer, value: Buffer): boolean {
  const at = kernel.stages.findIndex((s) => storesInto(s, value));
  const store = kernel.stages[at]!;
  if (store.place.kind !== "store") return false;
  if (kernel.stages.filter((s) => storesInto(s, value)).length > 1) return false;
  const { shape, index } = store.place;
  const inGrid = new Set([...kernel.grid, ...store.axes]);
  const key = makeNames();
  return kernel.stages.every((stage, n) =>
    loadsIn(stage.value).every((load) => {
      if (load.buffer !== state) return true;
      if (n > at || load.guarded.length > 0 || !sameShape(load.shape, shape)) return false;
      if (kernel.contraction && n === 0) return false;
      if (stage.over.length > 0 && stage.over.some((axis) => !inGrid.has(axis))) return false;
      return load.index.every(
        (i, k) => i.kind === "affine" && key.affine(i.affine) === key.affine(index[k]!),
      );
    }),
  );
}

/** The kernel on other buffers: what it loads, stores, and has as panels. */
export function withBuffers(kernel: Kernel, renamed: ReadonlyMap<Buffer, Buffer>): Kernel {
  const interner = makeInterner(makeNames());
  const node = (s: Scalar): Scalar =>
    s.kind === "load" && renamed.has(s.buffer) ? { ...s, buffer: renamed.get(s.buffer)! } : s;
  const code = rewriter(interner, { node });
  const stages = rewriteStages(
    kernel.stages,
    code,
    (a: Affine) => a,
    (axes) => axes,
    (relink) => rewriter(interner, { node: relink }),
  ).map((stage): Stage =>
    stage.place.kind === "store" && renamed.has(stage.place.buffer)
      ? { ...stage, place: { ...stage.place, buffer: renamed.get(stage.place.buffer)! } }
      : stage,
  );
  const { contraction } = kernel;
  return {
    ...kernel,
    stages,
    contraction: contraction && {
      ...contraction,
      a: code(contraction.a),
      b: code(contraction.b),
      panelB: renamed.get(contraction.panelB) ?? contraction.panelB,
    },
  };
}
