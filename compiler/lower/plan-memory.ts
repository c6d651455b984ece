/**
 * The memory plan of one entry: lifetimes to places in its arena. Sizes are polynomials in the free dims; buffers whose
 * sizes are multiples of one polynomial share a region, in which they are placed in whole units, so that one plan holds
 * for all sizes.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { buffersStored, scratchOf } from "../ir/kernel.ts";
import type { Buffer, EntryProgram, Kernel, KernelStep, Step, ThreadScratch } from "../ir/kernel.ts";
import { sameShape } from "../ir/type.ts";
import { nonNegative } from "./bounds.ts";
import { wasmLayout } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { buffersRead, loadsIn } from "./scalar-walk.ts";
import { target } from "./target.ts";
import { onlyItsElement } from "./update-in-place.ts";

export type PlanKind = "tight" | "keep-all";

/** Buffer of the arena, and the steps from the one that fills it to the last that needs it. */
export interface Lifetime {
  readonly buffer: Buffer;
  readonly first: number;
  readonly last: number;
}

export interface ArenaPlan {
  /** bytes from the start of the arena */
  readonly places: ReadonlyMap<Buffer, Dim>;
  readonly bytes: Dim;
}

/** Whether a buffer lies in the region that entries share. */
export function isShared({ kind }: Buffer): boolean {
  return (
    kind.kind === "constant" || kind.kind === "prepared" || (kind.kind === "input" && kind.role !== "input")
  );
}

/** A size that is never smaller, without floors: sizes are at least 1, so floor(n / d) <= n. */
export function withoutFloors(size: Dim): Dim {
  for (const term of size.terms) {
    const at = term.atoms.findIndex((atom) => atom.kind === "floor");
    const atom = term.atoms[at];
    if (atom === undefined || atom.kind !== "floor") continue;
    const self = dim.fromTerms([term]);
    const rest = dim.fromTerms([{ coefficient: 1, atoms: term.atoms.filter((_, k) => k !== at) }]);
    const others = dim.subtract(size, self);
    const d = dim.constantOf(atom.denominator) ?? 1;
    const c = Math.abs(term.coefficient);
    // c floor(n / d) <= c n / d, and -c floor(-n / d) = c ceil(n / d) <= c (n + d - 1) / d
    const top =
      term.coefficient > 0 ? atom.numerator : dim.add(dim.negate(atom.numerator), dim.constant(d - 1));
    // a quotient that is not known to be above 0 counts as 0
    if (!nonNegative(top)) return withoutFloors(others);
    const factor = Math.ceil(c / d);
    return withoutFloors(dim.add(others, dim.multiply(dim.multiply(rest, top), dim.constant(factor))));
  }
  return size;
}

/** At least the bytes of a buffer: a polynomial with positive coefficients. */
export function bytesBound(buffer: Buffer, layout: Layout): Dim {
  const size = withoutFloors(layout.elements(buffer) ?? dim.zero);
  const positive = dim.fromTerms(size.terms.filter((t) => t.coefficient > 0));
  return dim.multiply(positive, dim.constant(layout.elementBytes(buffer)));
}

const greatest = (a: number, b: number): number => (b === 0 ? a : greatest(b, a % b));

/** unit * count is at least the size; units are polynomials whose coefficients have no common divisor. */
function unitsOf(bytes: Dim, layout: Layout): { readonly unit: Dim; readonly count: number } {
  if (bytes.terms.length === 0) return { unit: dim.one, count: 1 };
  const common = bytes.terms.reduce((g, t) => greatest(g, t.coefficient), 0);
  const unit = dim.divideExactly(bytes, dim.constant(common))!;
  return { unit, count: Math.ceil(common / alignmentOf(unit, layout)) };
}

/** What a unit is multiplied by, so that every place is aligned whatever the sizes are. */
function alignmentOf(unit: Dim, layout: Layout): number {
  return dim.constantOf(unit) === undefined ? layout.freeAlignment : target.alignment;
}

/** A loop on the timeline: marks before its first step and behind its last one. */
interface Range {
  readonly first: number;
  last: number;
}

interface Use {
  readonly at: number;
  /** the loops around it, outermost first */
  readonly loops: readonly Range[];
}

/** Steps in order of time: position of every step that is no loop; `end` is behind all of them. */
interface Timeline {
  readonly end: number;
  readonly kernels: ReadonlyMap<number, Kernel>;
  readonly uses: readonly { readonly buffer: Buffer; readonly use: Use }[];
}

function timelineOf(entry: EntryProgram): Timeline {
  const kernels = new Map<number, Kernel>();
  const uses: { buffer: Buffer; use: Use }[] = [];
  let at = 0;
  const walk = (steps: readonly Step[], loops: readonly Range[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") {
        const range: Range = { first: at++, last: 0 };
        walk(step.steps, [...loops, range]);
        range.last = at++;
        continue;
      }
      for (const buffer of buffersOf(step)) uses.push({ buffer, use: { at, loops } });
      kernels.set(at++, step.kernel);
    }
  };
  walk(entry.steps, []);
  return { end: at, kernels, uses };
}

/** The position behind the last step. */
export function endOf(entry: EntryProgram): number {
  return timelineOf(entry).end;
}

export function lifetimesOf(entry: EntryProgram, { end, uses } = timelineOf(entry)): Lifetime[] {
  const found = new Map<Buffer, Use[]>();
  const use = (buffer: Buffer, each: Use): void => {
    if (isShared(buffer)) return;
    const list = found.get(buffer);
    if (list) list.push(each);
    else found.set(buffer, [each]);
  };
  const outside = (at: number): Use => ({ at, loops: [] });
  for (const { role, buffer } of entry.inputs) if (role === "input") use(buffer, outside(-1));
  for (const each of uses) use(each.buffer, each.use);
  // inputs are kept, so that a caller may run the entry again
  for (const { role, buffer } of entry.inputs) if (role === "input") use(buffer, outside(end));
  for (const { buffer } of entry.outputs) use(buffer, outside(end));
  for (const { from } of entry.copies) use(from, outside(end));
  return [...found].map(([buffer, list]) => ({ buffer, ...rangeOf(list) }));
}

/** What is used inside and outside of a loop lives through all of it; what one step makes for itself does not. */
function rangeOf(uses: readonly Use[]): { readonly first: number; readonly last: number } {
  let depth = Math.min(...uses.map(({ loops }) => loops.length));
  while (depth > 0 && uses.some(({ loops }) => loops[depth - 1] !== uses[0]!.loops[depth - 1])) depth--;
  return {
    first: Math.min(...uses.map(({ at, loops }) => loops[depth]?.first ?? at)),
    last: Math.max(...uses.map(({ at, loops }) => loops[depth]?.last ?? at)),
  };
}

/** All buffers that a step touches. */
export function buffersOf({ kind, kernel }: KernelStep): Buffer[] {
  if (kind === "pack") {
    const { b, panelB } = kernel.contraction!;
    return [...loadsIn(b).map((load) => load.buffer), panelB];
  }
  return [...buffersRead(kernel.stages), ...buffersStored(kernel.stages), ...scratchOf(kernel)];
}

/** Buffers that may lie at one place, each taking over from the one before in the kernel where that dies. */
function chains({ kernels }: Timeline, lifetimes: readonly Lifetime[]): Map<Buffer, Lifetime[]> {
  const chainOf = new Map<Buffer, Lifetime[]>(lifetimes.map((l) => [l.buffer, [l]]));
  const dying = new Map<number, Lifetime[]>();
  for (const l of lifetimes) dying.set(l.last, [...(dying.get(l.last) ?? []), l]);
  for (const next of [...lifetimes].sort((a, b) => a.first - b.first)) {
    const kernel = kernels.get(next.first);
    if (kernel === undefined || next.buffer.kind.kind === "input") continue;
    for (const old of dying.get(next.first) ?? []) {
      if (old.buffer === next.buffer || old.buffer.kind.kind !== "temporary" || old.first === next.first)
        continue;
      if (!takesOver(kernel, old.buffer, next.buffer)) continue;
      const chain = chainOf.get(old.buffer)!;
      if (chain.at(-1) !== old || chainOf.get(next.buffer)!.length > 1) continue;
      chain.push(next);
      chainOf.set(next.buffer, chain);
      break;
    }
  }
  return chainOf;
}

function takesOver(kernel: Kernel, old: Buffer, next: Buffer): boolean {
  const stores = kernel.stages.filter((s) => s.place.kind === "store" && s.place.buffer === next);
  if (stores.length !== 1 || old.dtype !== next.dtype || !sameShape(old.shape, next.shape)) return false;
  return onlyItsElement(kernel, old, next);
}

/** Buffers at one place, and when it is taken. */
interface Block {
  readonly chain: readonly Lifetime[];
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** Blocks placed in whole units, each of `unit` times its alignment in bytes. */
interface Region {
  readonly unit: Dim;
  readonly placed: { readonly block: Block; readonly at: number }[];
  top: number;
}

/** First position at which nothing that lives at the same time is in the way. */
function freeAt(region: Region, block: Block): number {
  const near = region.placed
    .filter((other) => other.block.first <= block.last && block.first <= other.block.last)
    .sort((a, b) => a.at - b.at);
  let at = 0;
  for (const other of near) {
    if (at + block.count <= other.at) break;
    at = Math.max(at, other.at + other.block.count);
  }
  return at;
}

function put(region: Region, block: Block, at: number): void {
  region.placed.push({ block, at });
  region.top = Math.max(region.top, at + block.count);
}

const degree = (unit: Dim): number => Math.max(0, ...unit.terms.map((t) => t.atoms.length));

/**
 * Places of all buffers of an entry's arena. A block also fits into a gap of a region of larger units: sizes are at least
 * 1, so as many of those are never too few.
 */
export function planMemory(
  entry: EntryProgram,
  kind: PlanKind,
  layout: Layout = wasmLayout,
  threads?: ThreadScratch,
): ArenaPlan {
  const timeline = timelineOf(entry);
  const lifetimes = lifetimesOf(entry, timeline).filter(({ buffer }) => layout.elements(buffer));
  const always = kind === "keep-all";
  const chainOf = always
    ? new Map<Buffer, Lifetime[]>(lifetimes.map((l) => [l.buffer, [l]]))
    : chains(timeline, lifetimes);
  const waiting = new Map<string, { readonly unit: Dim; readonly blocks: Block[] }>();
  for (const chain of new Set(chainOf.values())) {
    const { buffer } = chain[0]!;
    const own = threads?.own.get(buffer) ?? threads?.ofLoops.get(buffer);
    const { unit, count } = unitsOf(
      own ? dim.multiply(own, dim.constant(threads!.most)) : bytesBound(buffer, layout),
      layout,
    );
    const group = waiting.get(unit.key) ?? { unit, blocks: [] };
    waiting.set(unit.key, group);
    group.blocks.push({
      chain,
      first: always ? -1 : Math.min(...chain.map((l) => l.first)),
      last: always ? timeline.end : Math.max(...chain.map((l) => l.last)),
      count,
    });
  }
  const ordered = [...waiting.values()].sort(
    (a, b) => degree(b.unit) - degree(a.unit) || (a.unit.key < b.unit.key ? -1 : 1),
  );
  const regions: Region[] = [];
  for (const { unit, blocks } of ordered) {
    const own: Region = { unit, placed: [], top: 0 };
    for (const block of [...blocks].sort((a, b) => b.count - a.count || a.first - b.first)) {
      const gap = regions
        .filter((region) => dim.divideExactly(region.unit, unit) !== undefined)
        .map((region) => {
          const count = Math.ceil(
            (block.count * alignmentOf(unit, layout)) / alignmentOf(region.unit, layout),
          );
          const within: Block = { ...block, count };
          return { region, within, at: freeAt(region, within) };
        })
        .find(({ region, within, at }) => at + within.count <= region.top);
      if (gap) put(gap.region, gap.within, gap.at);
      else put(own, block, freeAt(own, block));
    }
    regions.push(own);
  }
  const places = new Map<Buffer, Dim>();
  let base: Dim = dim.zero;
  // the region of constants first
  for (const { unit, placed, top } of regions.toReversed()) {
    const bytes = (units: number): Dim => dim.multiply(unit, dim.constant(units * alignmentOf(unit, layout)));
    for (const { block, at } of placed)
      for (const { buffer } of block.chain) places.set(buffer, dim.add(base, bytes(at)));
    base = dim.add(base, bytes(top));
  }
  return { places, bytes: base };
}
