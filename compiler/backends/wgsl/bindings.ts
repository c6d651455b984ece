/**
 * Which ranges of memory a kernel binds. Each buffer is a range of its own, what is updated in place and its old value
 * are one; where there are more than a stage may bind, neighbours are bound together with what lies between them.
 */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import { flatSteps } from "../../ir/kernel.ts";
import type { Buffer, EntryProgram, Kernel, Program } from "../../ir/kernel.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { bytesBound, isShared, roughly } from "../../lower/program.ts";
import type { Layout } from "../../lower/program.ts";

/** Storage buffers that every device lets a stage bind. */
const mostBindings = 8;

export interface Range {
  readonly memory: "shared" | "arena";
  /** bytes from the start of that memory, a multiple of 256 */
  readonly offset: Dim;
  readonly bytes: Dim;
  readonly write: boolean;
  /** `f32` where it holds floats alone, else words */
  readonly element: "f32" | "u32";
}

export interface Placed {
  /** number of the binding's range */
  readonly range: number;
  /** bytes from the start of the range */
  readonly offset: Dim;
}

export interface Bindings {
  readonly ranges: readonly Range[];
  /** undefined of a buffer without elements */
  placed(buffer: Buffer): Placed | undefined;
}

interface Part {
  memory: Range["memory"];
  offset: Dim;
  bytes: Dim;
  readonly buffers: Buffer[];
}

const end = ({ offset, bytes }: Part): Dim => dim.add(offset, bytes);

/** The size that is never smaller: of one polynomial with positive coefficients the other's excess is added. */
function atLeast(a: Dim, b: Dim): Dim {
  const more = dim.subtract(b, a);
  return dim.add(a, dim.fromTerms(more.terms.filter(({ coefficient }) => coefficient > 0)));
}

export function bind(
  program: Program,
  layout: Layout,
  read: ReadonlySet<Buffer>,
  written: ReadonlySet<Buffer>,
): Bindings {
  const parts: Part[] = [];
  for (const buffer of new Set([...read, ...written])) {
    const bytes = bytesBound(buffer, layout);
    if (dim.equal(bytes, dim.zero)) continue;
    const memory = isShared(buffer) ? "shared" : "arena";
    const place = program.places.get(buffer);
    if (!place) throw new InternalError("wgsl", `buffer ${buffer.name} has no place`, undefined);
    const offset = memory === "shared" ? place : dim.subtract(place, dim.constant(program.sharedBytes));
    const same = parts.find((part) => part.memory === memory && dim.equal(part.offset, offset));
    if (same) {
      same.bytes = atLeast(same.bytes, bytes);
      same.buffers.push(buffer);
    } else parts.push({ memory, offset, bytes, buffers: [buffer] });
  }
  parts.sort((a, b) =>
    a.memory < b.memory ? 1 : a.memory > b.memory ? -1 : roughly(a.offset) - roughly(b.offset),
  );
  while (parts.length > mostBindings) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i + 1 < parts.length; i++) {
      if (parts[i]!.memory !== parts[i + 1]!.memory) continue;
      const gap = roughly(dim.subtract(parts[i + 1]!.offset, end(parts[i]!)));
      if (gap < least) [best, least] = [i, gap];
    }
    const [low, high] = [parts[best]!, parts[best + 1]!];
    const bytes = atLeast(low.bytes, dim.subtract(end(high), low.offset));
    parts.splice(best, 2, { ...low, bytes, buffers: [...low.buffers, ...high.buffers] });
  }
  // one buffer may not be bound both for reading alone and for writing
  const writes = new Set(parts.filter((p) => p.buffers.some((b) => written.has(b))).map((p) => p.memory));
  const placed = new Map<Buffer, Placed>();
  parts.forEach((part, range) => {
    for (const buffer of part.buffers) {
      const place = program.places.get(buffer)!;
      const start =
        part.memory === "shared" ? part.offset : dim.add(part.offset, dim.constant(program.sharedBytes));
      placed.set(buffer, { range, offset: dim.subtract(place, start) });
    }
  });
  return {
    ranges: parts.map(({ memory, offset, bytes, buffers }) => ({
      memory,
      offset,
      bytes,
      write: writes.has(memory),
      element: buffers.every(({ dtype }) => dtype === "f32") ? "f32" : "u32",
    })),
    placed: (buffer) => placed.get(buffer),
  };
}

/** Buffers that scalar code loads from. */
export function loadedBy(roots: readonly Scalar[]): Set<Buffer> {
  const found = new Set<Buffer>();
  const seen = new Set<Scalar>();
  const visit = (s: Scalar): void => {
    if (seen.has(s)) return;
    seen.add(s);
    if (s.kind === "apply") s.operands.forEach(visit);
    if (s.kind !== "load") return;
    found.add(s.buffer);
    for (const index of s.index) if (index.kind === "computed") visit(index.value);
  };
  roots.forEach(visit);
  return found;
}

/** Whether nothing of an entry is in memory, so that it does nothing. */
export function isEmpty(entry: EntryProgram): boolean {
  return flatSteps(entry.steps).length === 0 && entry.copies.length === 0;
}

/** Buffers that a kernel's stages store into, its tiles left out. */
export function storedBy({ stages }: Kernel): Set<Buffer> {
  return new Set(stages.flatMap(({ place }) => (place.kind === "store" ? [place.buffer] : [])));
}
