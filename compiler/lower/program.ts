/** Entries that share parameters become one program: every buffer has its place, constant operands are packed once. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { flatSteps, scratchOf } from "../ir/kernel.ts";
import type { Buffer, EntryProgram, KernelStep, Program, ThreadScratch } from "../ir/kernel.ts";
import type { Form } from "./forms.ts";
import { wasmLayout, webgpuLayout } from "./layout.ts";
import type { Layout, TargetName } from "./layout.ts";
import { lower } from "./lower.ts";
import type { Explained } from "./lower.ts";
import { bytesBound, isShared, planMemory } from "./plan-memory.ts";
import type { PlanKind } from "./plan-memory.ts";
import { packBeforeLoops, prepack } from "./prepack.ts";
import { buffersRead, loadsIn } from "./scalar-walk.ts";
import { makeShared } from "./storage.ts";
import { target } from "./target.ts";
import { threadScratch } from "./threads.ts";
import { verifyKernels } from "./verify-kernels.ts";
import { withWinograd } from "./winograd.ts";

export { formOf, placeOfTiles, roughly } from "./forms.ts";
export type { Form } from "./forms.ts";
export { webgpuElementBytes } from "./layout.ts";
export { wasmLayout, webgpuLayout } from "./layout.ts";
export type { Layout, TargetName } from "./layout.ts";
export { bytesBound, isShared } from "./plan-memory.ts";
export { target } from "./target.ts";

export interface ProgramOptions {
  /** keep-all: no two buffers share a place, so that all can be read after a call */
  readonly plan: PlanKind;
  /** pack what entries read of weights and states that they do not write once, in an entry `prepare` */
  readonly prepare: boolean;
  /** false: see `LowerOptions` */
  readonly fuse?: boolean;
  /** false: windows of 3 x 3 stay sums of nine products, see winograd.ts */
  readonly winograd?: boolean;
  /** true: with scratch for several threads, see threads.ts */
  readonly threads?: boolean;
  /** wasm where absent; on webgpu `prepare`, `winograd` and `threads` have no meaning */
  readonly target?: TargetName;
  /** on webgpu: this form of kernels wherever it is possible, for tests */
  readonly form?: Form | undefined;
}

export interface MadeProgram {
  readonly program: Program;
  readonly layout: Layout;
  /** why values are stored, by entry */
  readonly explained: ReadonlyMap<string, readonly Explained[]>;
}

/** Lowers, verifies and plans. Throws InternalError where a kernel breaks its contract. */
export function makeProgram(graphs: readonly Graph[], options: ProgramOptions): MadeProgram {
  const onGpu = options.target === "webgpu";
  const shared = makeShared();
  const explained = new Map<string, readonly Explained[]>();
  const lowered = graphs.map((graph) => {
    const { entry, explained: reasons } = lower(graph, {
      shared,
      fuse: options.fuse ?? true,
      keepSteps: options.plan === "keep-all",
    });
    explained.set(graph.name, reasons);
    const written = new Set(graph.writes.map(({ input }) => nameOf(input)));
    return { entry: onGpu || options.winograd === false ? entry : withWinograd(entry), written };
  });
  const { entries, packs } =
    options.prepare && !onGpu ? prepack(lowered) : { entries: lowered.map((l) => l.entry), packs: [] };
  const packed = onGpu ? entries : entries.map(packBeforeLoops);
  const all = packs.length === 0 ? packed : [...packed, prepareEntry(packs)];
  for (const entry of all) verifyKernels(entry);
  const layout = onGpu ? webgpuLayout(all, options.form) : wasmLayout;
  const threads = options.threads && !onGpu ? threadScratch(all) : undefined;
  return { program: placeAll(all, options.plan, layout, threads), layout, explained };
}

function nameOf({ source }: Value): string {
  if (isNode(source)) throw new Error("an entry writes one of its inputs");
  return source.name;
}

function prepareEntry(steps: readonly KernelStep[]): EntryProgram {
  const values = steps.flatMap(({ kind, kernel }) =>
    kind === "pack" ? [kernel.contraction!.b] : kernel.stages.map(({ value }) => value),
  );
  const read = new Set(values.flatMap((value) => loadsIn(value).map(({ buffer }) => buffer)));
  return {
    name: "prepare",
    dims: [],
    steps,
    inputs: [...read].flatMap((buffer) =>
      buffer.kind.kind === "input" ? [{ name: buffer.name, role: buffer.kind.role, buffer }] : [],
    ),
    outputs: [],
    copies: [],
  };
}

const sharedOrder = (buffer: Buffer): number => {
  if (buffer.kind.kind === "constant") return 3;
  if (buffer.kind.kind === "prepared") return 4;
  if (buffer.kind.kind !== "input") return 5;
  return { control: 0, weight: 1, state: 2, input: 5 }[buffer.kind.role];
};

function placeAll(
  entries: readonly EntryProgram[],
  plan: PlanKind,
  layout: Layout,
  threads: ThreadScratch | undefined,
): Program {
  const places = new Map<Buffer, Dim>();
  const sharedBuffers = new Set<Buffer>();
  for (const entry of entries) {
    for (const { buffer } of entry.inputs) if (isShared(buffer)) sharedBuffers.add(buffer);
    for (const { kernel } of flatSteps(entry.steps)) {
      const { contraction } = kernel;
      for (const buffer of [...buffersRead(kernel.stages), ...(contraction ? [contraction.panelB] : [])])
        if (isShared(buffer)) sharedBuffers.add(buffer);
    }
  }
  let at = 0;
  for (const buffer of [...sharedBuffers].sort((a, b) => sharedOrder(a) - sharedOrder(b))) {
    places.set(buffer, dim.constant(at));
    const bytes = dim.constantOf(bytesBound(buffer, layout));
    if (bytes === undefined) throw new Error(`${buffer.name} is shared by entries and has a free size`);
    at += Math.ceil(Math.max(bytes, 1) / target.alignment) * target.alignment;
  }
  const start = dim.constant(at);
  const bytes = new Map<EntryProgram, Dim>();
  for (const entry of entries) {
    const arena = planMemory(entry, plan, layout, threads);
    for (const [buffer, place] of arena.places) places.set(buffer, dim.add(start, place));
    bytes.set(entry, dim.add(start, arena.bytes));
  }
  return { entries, places, sharedBytes: at, bytes, ...(threads && { threads }) };
}

// ---------------------------------------------------------------- what is said about memory

export interface BufferBytes {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface MemoryUse {
  readonly entry: string;
  /** of the whole memory, shared region included, at the given maxima */
  readonly bytes: number;
  /** largest first */
  readonly largest: readonly BufferBytes[];
  /** states that could not be updated in place */
  readonly copied: readonly string[];
}

/** Bytes of each entry and its largest buffers, at these maxima of its dims. */
export function memoryUse(
  program: Program,
  maxima: (entry: string) => ReadonlyMap<string, number>,
  layout: Layout = wasmLayout,
): MemoryUse[] {
  return program.entries.map((entry) => {
    const sizes = maxima(entry.name);
    const seen = new Set<Buffer>();
    for (const { buffer } of [...entry.inputs, ...entry.outputs]) seen.add(buffer);
    for (const { kind, kernel } of flatSteps(entry.steps)) {
      if (kind === "pack") {
        if (kernel.contraction) seen.add(kernel.contraction.panelB);
        continue;
      }
      for (const buffer of buffersRead(kernel.stages)) seen.add(buffer);
      for (const { place } of kernel.stages) if (place.kind !== "register") seen.add(place.buffer);
      for (const buffer of scratchOf(kernel)) seen.add(buffer);
    }
    const largest = [...seen]
      .map((buffer) => ({
        name: buffer.name,
        path: buffer.origin.path,
        bytes: dim.evaluate(bytesBound(buffer, layout), sizes),
      }))
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, 5);
    return {
      entry: entry.name,
      bytes: dim.evaluate(program.bytes.get(entry)!, sizes),
      largest,
      copied: entry.copies.map(({ to }) => to.name),
    };
  });
}

/** The first entry that needs more than 32-bit addresses reach, for a diagnostic; undefined where all fit. */
export function tooLarge(
  program: Program,
  maxima: (entry: string) => ReadonlyMap<string, number>,
): MemoryUse | undefined {
  return memoryUse(program, maxima).find(({ bytes }) => bytes > target.largestMemory - 65536);
}
