/**
 * Kernels over the same grid become one where that saves loads: a kernel and one that reads its results at the very element
 * (several outputs, dropout behind a contraction, the optimizer), and neighbours that reduce the same data.
 */
import * as dim from "../ir/dim.ts";
import type { Buffer, Stage } from "../ir/kernel.ts";
import * as scalar from "../ir/scalar.ts";
import type { Affine, LoopAxis, Scalar } from "../ir/scalar.ts";
import { freeAxes } from "./arrange.ts";
import { disjoint } from "./bounds.ts";
import { rewriteStages } from "./build-kernel.ts";
import type { RawKernel } from "./build-kernel.ts";
import { longestRow } from "./choose-stored.ts";
import { isContraction } from "./contract.ts";
import { flatIndex } from "./digits.ts";
import { buffersRead, loadsIn, makeInterner, rewriter } from "./scalar-walk.ts";
import type { Names } from "./scalar-walk.ts";

/** What a kernel's reductions mean for its grid. */
type Kind =
  | { readonly kind: "none" }
  /** a reduction an element of the grid */
  | { readonly kind: "full" }
  /** reductions over rows: the grid is the first `depth` loops */
  | { readonly kind: "row"; readonly depth: number }
  | { readonly kind: "contraction" };

/** Neighbours further apart than this are not merged for common data alone: it would lengthen lives. */
const nearby = 3;

export interface MergeContext {
  /** buffers that something outside kernels reads */
  readonly finals: ReadonlySet<Buffer>;
  /** values that states and weights become: never computed in the epilogue of a contraction */
  readonly updates: ReadonlySet<Buffer>;
  readonly names: Names;
}

export function mergeKernels(kernels: readonly RawKernel[], context: MergeContext): readonly RawKernel[] {
  const order = makeOrder(kernels);
  for (let at = 1; at < order.list.length; at++) {
    const second = order.list[at]!;
    for (const before of candidates(order, at)) {
      const merged = tryMerge(order.list[before]!, second, at - before, order, context);
      if (merged === undefined) continue;
      replace(order, before, at, merged);
      at = Math.max(0, before - 1);
      break;
    }
  }
  return dropUnread(order.list, context.finals);
}

/** `merged` in the place of two kernels; what needs the first of them comes after it. */
function replace(order: Order, before: number, at: number, merged: RawKernel): void {
  const { list, position, writers } = order;
  const first = list[before]!;
  const second = list[at]!;
  const needing = new Set<RawKernel>([first]);
  const free: RawKernel[] = [];
  for (const kernel of list.slice(before + 1, at)) {
    if ([...needsOf(kernel, order)].some((k) => needing.has(k))) needing.add(kernel);
    else free.push(kernel);
  }
  needing.delete(first);
  list.splice(before, at - before + 1, ...free, merged, ...needing);
  position.delete(first);
  position.delete(second);
  for (let n = before; n < list.length; n++) position.set(list[n]!, n);
  for (const buffer of new Set(storesOf(merged).map((s) => s.buffer))) {
    const others = (writers.get(buffer) ?? []).filter((k) => k !== first && k !== second);
    writers.set(buffer, [...others, merged]);
  }
}

/** Positions of kernels that the one at `at` might be merged with, nearest first. */
function candidates(order: Order, at: number): number[] {
  const kernel = order.list[at]!;
  const found = new Set<number>();
  for (let n = at - 1; n >= Math.max(0, at - nearby); n--) found.add(n);
  for (const buffer of readsOf(kernel))
    for (const writer of order.writers.get(buffer) ?? []) found.add(order.position.get(writer)!);
  if (isNumber(kernel)) for (let n = 0; n < at; n++) if (isNumber(order.list[n]!)) found.add(n);
  return [...found].filter((n) => n < at).sort((a, b) => b - a);
}

/** Kernels in the order in which they run, and who writes what. */
interface Order {
  readonly list: RawKernel[];
  readonly position: Map<RawKernel, number>;
  readonly writers: Map<Buffer, RawKernel[]>;
}

function makeOrder(list: readonly RawKernel[]): Order {
  const writers = new Map<Buffer, RawKernel[]>();
  for (const kernel of list)
    for (const buffer of new Set(storesOf(kernel).map((s) => s.buffer))) {
      const known = writers.get(buffer);
      if (known) known.push(kernel);
      else writers.set(buffer, [kernel]);
    }
  return { list: [...list], position: new Map(list.map((kernel, n) => [kernel, n])), writers };
}

/** Kernels that write what this one loads; parts of one buffer that are apart do not count. */
function needsOf(kernel: RawKernel, { writers }: Order): Set<RawKernel> {
  const needs = new Set<RawKernel>();
  const known = touchedBy(kernel);
  for (const buffer of readsOf(kernel)) {
    const list = writers.get(buffer) ?? [];
    for (const writer of list) {
      if (writer === kernel || needs.has(writer)) continue;
      let touches = list.length === 1 || known.get(writer);
      if (touches === undefined) known.set(writer, (touches = touchesStores(kernel, writer)));
      if (touches) needs.add(writer);
    }
  }
  return needs;
}

function touchesStores(kernel: RawKernel, writer: RawKernel): boolean {
  return storesOf(writer).some((store) =>
    loadsOf(kernel).some((load) => load.buffer === store.buffer && !disjoint(load, store)),
  );
}

function tryMerge(
  first: RawKernel,
  second: RawKernel,
  distance: number,
  order: Order,
  context: MergeContext,
): RawKernel | undefined {
  const written = new Set(storesOf(first).map((s) => s.buffer));
  const reads = [...readsOf(second)].filter((b) => written.has(b));
  const numbers = isNumber(first) && isNumber(second);
  if (reads.length === 0 && !numbers && (distance > nearby || !shareData(first, second))) return undefined;
  // a value with several writers is complete only after all of them
  if (reads.some((b) => order.writers.get(b)!.length > 1)) return undefined;
  const kinds = [kindOf(first), kindOf(second)] as const;
  if (reads.length === 0 && kinds.some((k) => k.kind === "contraction")) return undefined;
  if (kinds[0].kind === "contraction" && storesOf(second).some((s) => context.updates.has(s.buffer)))
    return undefined;
  if (!kindsFit(kinds[0], kinds[1])) return undefined;
  if (dependsThroughOthers(first, second, order)) return undefined;
  const unified = unify(first, second, context.names);
  if (unified === undefined) return undefined;
  const [a, b] = unified.kernels;
  if (!depthsFit(a, b, unified.common)) return undefined;
  const stores = storesOf(a);
  for (const stage of b.stages)
    for (const load of loadsIn(stage.value)) {
      const store = stores.find((s) => s.buffer === load.buffer);
      if (store && !disjoint(load, store) && !sameElement(load, store, context.names)) return undefined;
    }
  return joined(a, b, kinds, context.names);
}

/** One iteration that reduces nothing. */
function isNumber(kernel: RawKernel): boolean {
  return kernel.grid.length === 0 && kernel.stages.every((s) => s.combine === undefined);
}

interface Store {
  readonly buffer: Buffer;
  readonly shape: readonly dim.Dim[];
  readonly index: readonly Affine[];
  readonly value: Scalar;
}

/** A kernel never changes, so what is known of it is kept. */
function remembered<T>(compute: (kernel: RawKernel) => T): (kernel: RawKernel) => T {
  const known = new WeakMap<RawKernel, { readonly fact: T }>();
  return (kernel) => {
    let found = known.get(kernel);
    if (found === undefined) known.set(kernel, (found = { fact: compute(kernel) }));
    return found.fact;
  };
}

const readsOf = remembered((kernel) => buffersRead(kernel.stages));

const loadsOf = remembered((kernel) => kernel.stages.flatMap((stage) => loadsIn(stage.value)));

/** Whether it loads what a kernel stores, as far as was asked. */
const touchedBy = remembered(() => new WeakMap<RawKernel, boolean>());

const storesOf = remembered((kernel): readonly Store[] =>
  kernel.stages.flatMap(({ place, value }) => (place.kind === "store" ? [{ ...place, value }] : [])),
);

const kindOf = remembered((kernel): Kind => {
  const reductions = kernel.stages.filter((s) => s.combine !== undefined);
  if (reductions.length === 0) return { kind: "none" };
  if (isContraction(kernel.grid, kernel.stages)) return { kind: "contraction" };
  const free = freeAxes(kernel.stages);
  const common = kernel.grid.filter((axis) => reductions.every((s) => free.get(s)!.has(axis)));
  return common.length === kernel.grid.length ? { kind: "full" } : { kind: "row", depth: common.length };
});

function kindsFit(a: Kind, b: Kind): boolean {
  if (a.kind === "contraction") return b.kind === "none";
  if (b.kind === "contraction") return a.kind === "none";
  return true;
}

/** Grids that are equal; or rows of one behind the grid of the other. */
function depthsFit(a: RawKernel, b: RawKernel, common: number): boolean {
  const kinds = [kindOf(a), kindOf(b)];
  const depths = new Set<number>();
  [a, b].forEach((kernel, n) => {
    const kind = kinds[n]!;
    if (kind.kind === "row") depths.add(kind.depth);
    if (kind.kind === "full") depths.add(kernel.grid.length);
    if (kind.kind === "contraction") depths.add(kernel.grid.length);
  });
  if (depths.size > 1) return false;
  if (a.grid.length === b.grid.length) return true;
  // one has rows behind the other's grid, and some reduction is over such rows
  const [depth] = depths;
  const longer = a.grid.length > b.grid.length ? a : b;
  const shorter = a.grid.length > b.grid.length ? b : a;
  if (kinds.some((k) => k.kind === "contraction")) return false;
  if (depth !== common || shorter.grid.length !== common || common === 0) return false;
  const row = dim.constantOf(dim.product(longer.grid.slice(common).map((axis) => axis.size)));
  if (row === undefined || row > longestRow) return false;
  const reductions = [...a.stages, ...b.stages].filter((s) => s.combine !== undefined);
  return reductions.every((s) => {
    const count = dim.constantOf(dim.product(s.over.map((axis) => axis.size)));
    return count !== undefined && count <= 4 * row && row <= 4 * count;
  });
}

/** True where the same buffer is reduced over the same sizes, or read at the very same element. */
function shareData(first: RawKernel, second: RawKernel): boolean {
  const sizes = (kernel: RawKernel): string[] =>
    kernel.stages.flatMap((s) => (s.combine ? [s.over.map((axis) => axis.size.key).join()] : []));
  const [a, b] = [sizes(first), sizes(second)];
  if ((a.length === 0) !== (b.length === 0) || !a.every((key) => b.includes(key))) return false;
  if (first.grid.map((x) => x.size.key).join() !== second.grid.map((x) => x.size.key).join()) return false;
  const read = readsOf(first);
  return [...readsOf(second)].some((buffer) => read.has(buffer) && buffer.shape.length > 0);
}

/** Whether `second` needs a kernel that needs `first`. */
function dependsThroughOthers(first: RawKernel, second: RawKernel, order: Order): boolean {
  const start = order.position.get(first)!;
  const seen = new Set<RawKernel>();
  const reaches = (kernel: RawKernel): boolean => {
    if (kernel === first) return true;
    // what runs before `first` cannot need it
    if (seen.has(kernel) || order.position.get(kernel)! < start) return false;
    seen.add(kernel);
    return [...needsOf(kernel, order)].some(reaches);
  };
  return [...needsOf(second, order)].some((kernel) => kernel !== first && reaches(kernel));
}

/** Both kernels over the same loops, split where their sizes ask for it; undefined where the grids do not fit. */
function unify(
  first: RawKernel,
  second: RawKernel,
  names: Names,
): { readonly kernels: readonly [RawKernel, RawKernel]; readonly common: number } | undefined {
  const values = new Map<LoopAxis, Affine>();
  const loops = new Map<LoopAxis, LoopAxis[]>();
  const queue = (axes: readonly LoopAxis[]): { readonly root: LoopAxis; readonly axis: LoopAxis }[] =>
    axes.map((axis) => ({ root: axis, axis }));
  const a = queue(first.grid);
  const b = queue(second.grid);
  const note = (root: LoopAxis, axis: LoopAxis): void =>
    void loops.set(root, [...(loops.get(root) ?? []), axis]);
  const split = (from: typeof a, at: number, high: dim.Dim): boolean => {
    const { root, axis } = from[at]!;
    const low = dim.divideExactly(axis.size, high);
    if (low === undefined || dim.constantOf(low) === 1 || dim.constantOf(low) === 0) return false;
    const h: LoopAxis = { name: `${axis.name}0`, size: high };
    const l: LoopAxis = { name: `${axis.name}1`, size: low };
    values.set(axis, scalar.affineAdd(scalar.affineScale(scalar.affineAxis(h), low), scalar.affineAxis(l)));
    from.splice(at, 1, { root, axis: h }, { root, axis: l });
    return true;
  };
  let common = 0;
  while (common < a.length && common < b.length) {
    const x = a[common]!;
    const y = b[common]!;
    if (dim.equal(x.axis.size, y.axis.size)) {
      values.set(y.axis, scalar.affineAxis(x.axis));
      note(x.root, x.axis);
      note(y.root, x.axis);
      common++;
    } else if (!split(a, common, y.axis.size) && !split(b, common, x.axis.size)) return undefined;
  }
  for (const { root, axis } of [...a.slice(common), ...b.slice(common)]) note(root, axis);
  const apply = (kernel: RawKernel): RawKernel => {
    if (!kernel.grid.some((axis) => values.has(axis))) return kernel;
    const affine = (index: Affine): Affine => {
      let current = index;
      while (current.terms.some((t) => values.has(t.axis)))
        current = scalar.affineSubstitute(current, values);
      return current;
    };
    const interner = makeInterner(names);
    return {
      ...kernel,
      grid: kernel.grid.flatMap((axis) => loops.get(axis) ?? [axis]),
      stages: rewriteStages(
        kernel.stages,
        rewriter(interner, { affine }),
        affine,
        (axes) => axes,
        (node) => rewriter(interner, { node }),
      ),
    };
  };
  return { kernels: [apply(first), apply(second)], common };
}

function sameElement(load: Extract<Scalar, { kind: "load" }>, store: Store, names: Names): boolean {
  if (load.guarded.length > 0) return false;
  const index = load.index.flatMap((i) => (i.kind === "affine" ? [i.affine] : []));
  if (index.length !== load.index.length) return false;
  return names.affine(flatIndex(index, load.shape)) === names.affine(flatIndex(store.index, store.shape));
}

/** One kernel: the stages of both, loads of what the first stores replaced by what it stores. */
function joined(a: RawKernel, b: RawKernel, kinds: readonly [Kind, Kind], names: Names): RawKernel {
  const interner = makeInterner(names);
  const stores = storesOf(a);
  const inlined = rewriter(interner, {
    node(s) {
      const store =
        s.kind === "load"
          ? stores.find((each) => each.buffer === s.buffer && sameElement(s, each, names))
          : undefined;
      return store ? store.value : s;
    },
  });
  const later = rewriteStages(
    b.stages,
    inlined,
    (i) => i,
    (axes) => axes,
    (node) => rewriter(interner, { node }),
  );
  // a contraction stays the first stage
  const stages =
    kinds[1].kind === "contraction" ? [later[0]!, ...a.stages, ...later.slice(1)] : [...a.stages, ...later];
  return {
    grid: a.grid.length >= b.grid.length ? a.grid : b.grid,
    stages,
    values: [...a.values, ...b.values],
    ops: [...a.ops, ...b.ops],
    origins: [...new Set([...a.origins, ...b.origins])],
  };
}

/** Without stores into temporaries that nothing reads any more. */
function dropUnread(kernels: readonly RawKernel[], finals: ReadonlySet<Buffer>): RawKernel[] {
  const read = new Set<Buffer>();
  for (const kernel of kernels) for (const buffer of readsOf(kernel)) read.add(buffer);
  return kernels.map((kernel) => ({
    ...kernel,
    stages: kernel.stages.filter(
      ({ place }: Stage) => place.kind !== "store" || finals.has(place.buffer) || read.has(place.buffer),
    ),
  }));
}
