/** Graph -> kernels: stored values become kernels, kernels that go together are merged, contractions are recognised. */
import * as dim from "../ir/dim.ts";
import { noOrigin } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Buffer, EntryProgram, Kernel } from "../ir/kernel.ts";
import { arrange } from "./arrange.ts";
import { buildKernel } from "./build-kernel.ts";
import type { RawKernel } from "./build-kernel.ts";
import { chooseStored } from "./choose-stored.ts";
import type { Choice } from "./choose-stored.ts";
import type { Location } from "./compose.ts";
import { recognise } from "./contract.ts";
import { Unsplittable } from "./digits.ts";
import { mergeKernels } from "./merge-kernels.ts";
import { isConstant } from "./probe.ts";
import { makeNames } from "./scalar-walk.ts";
import type { Names } from "./scalar-walk.ts";
import { makeShared, makeStorage, partOf } from "./storage.ts";
import type { Shared, Storage } from "./storage.ts";
import { updateInPlace } from "./update-in-place.ts";

export interface LowerOptions {
  /** buffers that this entry has in common with others */
  readonly shared?: Shared;
  /** false: every stored value has a kernel of its own */
  readonly merge?: boolean;
  /** false: every value is stored, each by a kernel of its own, so that one can see where something comes from */
  readonly fuse?: boolean;
}

/** Why a value is stored, for --explain-fusion. */
export interface Explained {
  readonly value: Value;
  readonly op: string;
  readonly path: string;
  readonly reason: string;
}

export interface Lowered {
  readonly entry: EntryProgram;
  readonly explained: readonly Explained[];
}

/** Throws InternalError where an op's element breaks its contract. */
export function lower(graph: Graph, options: LowerOptions = {}): Lowered {
  const shared = options.shared ?? makeShared();
  const names = makeNames();
  const forced = new Map<Value, string>();
  const { fuse = true, merge = fuse } = options;
  if (!fuse) for (const node of graph.nodes) for (const value of node.results) forced.set(value, "is kept");
  for (;;) {
    const choice = chooseStored(graph, names, forced);
    const storage = makeStorage(graph, choice, shared);
    try {
      const raws = rawKernels(graph, choice, storage, names);
      const { kernels: stored, finals, updates } = raws;
      const merged = !merge ? stored : mergeKernels(stored, { finals, updates, names });
      return { entry: finish(graph, storage, merged, names), explained: explain(choice) };
    } catch (error) {
      if (!(error instanceof Unsplittable)) throw error;
      const more = toStore(graph, error, choice, forced);
      if (more.length === 0)
        throw new InternalError(
          "lower",
          `${graph.name}: ${error.message}, and storing does not help`,
          undefined,
        );
      for (const value of more) forced.set(value, "is read through a split that its loops do not refine");
    }
  }
}

function toStore(
  graph: Graph,
  error: Unsplittable,
  choice: Choice,
  forced: ReadonlyMap<Value, string>,
): readonly Value[] {
  const node = graph.nodes.find((n) => n === error.owner);
  if (node === undefined) return [];
  const fresh = (v: Value): boolean => isNode(v.source) && !choice.stored.has(v) && !forced.has(v);
  const operands = node.operands.filter((v) => fresh(v) && isNode(v.source) && !isConstant(v.source));
  return operands.length > 0 ? operands : node.results.filter(fresh);
}

function explain(choice: Choice): Explained[] {
  return [...choice.stored].map(([value, reason]) => ({
    value,
    op: isNode(value.source) ? value.source.op.name : "",
    path: isNode(value.source) ? value.source.origin.path : "",
    reason,
  }));
}

function rawKernels(
  graph: Graph,
  choice: Choice,
  storage: Storage,
  names: Names,
): {
  readonly kernels: RawKernel[];
  readonly finals: ReadonlySet<Buffer>;
  readonly updates: ReadonlySet<Buffer>;
} {
  const kernels: RawKernel[] = [];
  const finals = new Set<Buffer>(storage.outputs.map((o) => o.buffer));
  const build = (value: Value, into: Location): void => {
    const copy = storage.locate(value) !== undefined && storage.destination(value) !== into;
    kernels.push(buildKernel(value, into, storage.locate, copy, names));
  };
  for (const node of graph.nodes)
    for (const value of node.results) {
      if (!choice.stored.has(value) || isConstant(node)) continue;
      const into = storage.destination(value)!;
      if (node.op.name !== "concat") build(value, into);
      else copyParts(value, node.operands, node.attributes["axis"] as number, into, choice, build);
    }
  for (const { buffer, copied } of storage.outputs)
    if (copied) build(copied, { buffer, shape: buffer.shape, place: undefined });
  const updates = new Set<Buffer>();
  for (const { value } of graph.writes) {
    const location = storage.locate(value);
    if (location) updates.add(location.buffer);
  }
  for (const buffer of updates) finals.add(buffer);
  return { kernels, finals, updates };
}

/** Parts that lie elsewhere are copied into their range. */
function copyParts(
  whole: Value,
  operands: readonly Value[],
  axis: number,
  into: Location,
  choice: Choice,
  build: (value: Value, into: Location) => void,
): void {
  let start = dim.zero;
  for (const [operand, part] of operands.entries()) {
    const placed = choice.placed.get(whole)?.some((p) => p.operand === operand);
    if (!placed) build(part, partOf(into, axis, start));
    start = dim.add(start, part.type.shape[axis]!);
  }
}

/** Kernels in their final form, states updated in place where that is safe. */
function finish(graph: Graph, storage: Storage, raws: readonly RawKernel[], names: Names): EntryProgram {
  const used = new Map<string, number>();
  const kernels = raws.map((raw): Kernel => {
    const base = nameOf(raw);
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    const name = count === 0 ? base : `${base}_${count + 1}`;
    return assemble(raw, name, names);
  });
  const updates: { state: Buffer; value: Buffer }[] = [];
  for (const { input, value } of graph.writes) {
    if (input === value) continue;
    const state = storage.locate(input)!.buffer;
    const location = storage.locate(value);
    const whole =
      location && location.place === undefined && location.buffer.kind.kind !== "input"
        ? location.buffer
        : undefined;
    if (whole) {
      updates.push({ state, value: whole });
      continue;
    }
    // an unchanged input, a constant or a part of something larger: first into a buffer of its own
    const buffer: Buffer = { ...state, name: `${state.name}_next`, kind: { kind: "temporary" } };
    const into: Location = { buffer, shape: buffer.shape, place: undefined };
    const raw = buildKernel(value, into, storage.locate, location !== undefined, names);
    kernels.push(assemble(raw, `copy_${state.name}`, names));
    updates.push({ state, value: buffer });
  }
  const { kernels: final, copies, renamed } = updateInPlace(kernels, updates);
  return {
    name: graph.name,
    dims: graph.dims.map(({ name, max }) => ({ name, max })),
    steps: final.map((kernel) => ({ kind: "kernel", kernel })),
    inputs: storage.inputs.map(({ buffer }) => {
      if (buffer.kind.kind !== "input") throw new Error("an input has an input's buffer");
      return { name: buffer.name, role: buffer.kind.role, buffer };
    }),
    outputs: storage.outputs.map(({ name, buffer }) => ({ name, buffer: renamed.get(buffer) ?? buffer })),
    copies,
  };
}

function assemble(raw: RawKernel, name: string, names: Names): Kernel {
  let count = 0;
  const scratch = (label: string, shape: readonly dim.Dim[], dtype: Buffer["dtype"] = "f32"): Buffer => ({
    name: `${name}.${label}`,
    dtype,
    shape,
    kind: { kind: "temporary" },
    origin: raw.origins[0] ?? noOrigin,
  });
  const found = recognise(raw.grid, raw.stages, scratch, names);
  if (found) return { name, grid: raw.grid, ...found, origins: raw.origins };
  const { grid, stages } = arrange(raw, names, (shape, dtype) => scratch(`tile${count++}`, shape, dtype));
  return { name, grid, stages, contraction: undefined, origins: raw.origins };
}

/** `dense0.max` from the innermost origin and the ops that end the kernel's values. */
function nameOf(raw: RawKernel): string {
  const path = raw.origins.find((o) => o.path !== "")?.path ?? "";
  const ops = raw.values.flatMap((v) => (isNode(v.source) ? [v.source.op.name] : []));
  const last = [...new Set(raw.ops.includes("copy") ? ["copy"] : ops)].slice(0, 3).join("_");
  return [path, last === "" ? "copy" : last].filter((x) => x !== "").join(".");
}
