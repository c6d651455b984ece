/** Graph -> kernels: stored values become kernels, kernels that go together are merged, contractions are recognised. */
import * as dim from "../ir/dim.ts";
import { noOrigin } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Buffer, EntryProgram, Kernel, Step } from "../ir/kernel.ts";
import { loopOf, partsOfLoop } from "../ir/loop.ts";
import type { Loop } from "../ir/loop.ts";
import { affineAxis, affineConstant, affineShift } from "../ir/scalar.ts";
import type { LoopAxis } from "../ir/scalar.ts";
import { arrange } from "./arrange.ts";
import { buildKernel } from "./build-kernel.ts";
import type { RawKernel } from "./build-kernel.ts";
import { chooseStored } from "./choose-stored.ts";
import type { Choice } from "./choose-stored.ts";
import type { Location } from "./compose.ts";
import { recognise } from "./contract.ts";
import { Unsplittable } from "./digits.ts";
import { mergeKernels } from "./merge-kernels.ts";
import { listsOf } from "./row-lists.ts";
import { isConstant } from "./probe.ts";
import { buffersRead, makeNames } from "./scalar-walk.ts";
import type { Names } from "./scalar-walk.ts";
import { elementAt, makeShared, makeStorage, partOf, positionOf } from "./storage.ts";
import type { Inside, Shared, Storage } from "./storage.ts";
import { updateInPlace } from "./update-in-place.ts";

export interface LowerOptions {
  /** buffers that this entry has in common with others */
  readonly shared?: Shared;
  /** false: every stored value has a kernel of its own */
  readonly merge?: boolean;
  /** false: every value is stored, each by a kernel of its own, so that one can see where something comes from */
  readonly fuse?: boolean;
  /** true: what the steps of a loop compute has a place for every step, so that all can be read afterwards */
  readonly keepSteps?: boolean;
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

/** A kernel to be, or the kernels of a loop's steps. */
type Item =
  | { readonly kind: "kernel"; readonly raw: RawKernel }
  | { readonly kind: "loop"; readonly counter: LoopAxis; readonly items: readonly Item[] };

interface LoweredGraph {
  readonly items: readonly Item[];
  readonly storage: Storage;
  readonly explained: readonly Explained[];
}

interface Context {
  readonly shared: Shared;
  readonly names: Names;
  readonly merge: boolean;
  readonly fuse: boolean;
  readonly keepSteps: boolean;
}

/** Throws InternalError where an op's element breaks its contract. */
export function lower(graph: Graph, options: LowerOptions = {}): Lowered {
  const { fuse = true, merge = fuse, shared = makeShared(), keepSteps = false } = options;
  const names = makeNames();
  const { items, storage, explained } = lowerGraph(graph, { shared, names, merge, fuse, keepSteps });
  return { entry: finish(graph, storage, items, names), explained };
}

/** An entry's graph, or (`inside`) the body of a loop. */
function lowerGraph(graph: Graph, context: Context, inside?: Inside): LoweredGraph {
  const { names, merge, fuse } = context;
  const forced = new Map<Value, string>();
  if (!fuse) for (const node of graph.nodes) for (const value of node.results) forced.set(value, "is kept");
  for (;;) {
    const choice = chooseStored(graph, names, forced);
    const storage = makeStorage(graph, choice, context.shared, inside);
    try {
      const { items, explained } = rawItems(graph, choice, storage, context, inside?.kept ?? []);
      return {
        items: merge ? mergeItems(items, graph, storage, names) : items,
        storage,
        explained: [...explain(choice), ...explained],
      };
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

function rawItems(
  graph: Graph,
  choice: Choice,
  storage: Storage,
  context: Context,
  kept: Inside["kept"],
): { readonly items: readonly Item[]; readonly explained: readonly Explained[] } {
  const items: Item[] = [];
  const explained: Explained[] = [];
  const build = (value: Value, into: Location): void => {
    const copy = storage.locate(value) !== undefined && storage.destination(value) !== into;
    items.push({ kind: "kernel", raw: buildKernel(value, into, storage.locate, copy, context.names) });
  };
  const ready = storedByNode(graph, choice, storage);
  for (const node of graph.nodes) {
    const loop = loopOf(node);
    if (loop) {
      const made = lowerLoop(node, loop, storage, build, context, kept);
      items.push(made.item);
      explained.push(...made.explained);
    }
    for (const { value, into } of ready.get(node) ?? []) build(value, into);
  }
  for (const { into, copied } of storage.outputs) if (copied) build(copied, into);
  return { items, explained };
}

/** Starts of carries are put into their histories; the steps are kernels over one element of each sequence. */
function lowerLoop(
  node: Node,
  loop: Loop,
  storage: Storage,
  build: (value: Value, into: Location) => void,
  context: Context,
  kept: Inside["kept"],
): { readonly item: Item; readonly explained: readonly Explained[] } {
  const counter: LoopAxis = { name: "step", size: loop.length, counter: true };
  const step = affineAxis(counter);
  const position = positionOf(loop, step);
  const histories = storage.histories.get(node)!;
  const locate = (value: Value): Location => {
    const found = storage.locate(value);
    if (found) return found;
    // a single number has no place of its own
    const buffer: Buffer = {
      name: "operand",
      dtype: value.type.dtype,
      shape: value.type.shape,
      kind: { kind: "temporary" },
      origin: node.origin,
    };
    const into: Location = { buffer, shape: buffer.shape, place: undefined };
    build(value, into);
    return into;
  };
  const operands = partsOfLoop(loop, node.operands);
  operands.carries.forEach((start, k) => {
    const own = storage.destination(start);
    const there = own?.buffer === histories[k]!.buffer;
    if (!there) build(start, elementAt(histories[k]!, affineConstant(0)));
  });
  const nexts = histories.map((history) => elementAt(history, affineShift(step, dim.one)));
  const item = lowerGraph(loop.body, context, {
    kept: context.keepSteps ? [...kept, { length: loop.length, step }] : [],
    inputs: [
      ...histories.map((history) => elementAt(history, step)),
      ...operands.sequences.map((value) => elementAt(locate(value), position)),
      ...operands.whole.map(locate),
    ],
    outputs: [
      ...nexts,
      ...node.results.slice(loop.carries).map((value) => {
        const into = storage.locate(value)!;
        // what is yielded of a carry lies in its history already
        return histories.some((history) => history.buffer === into.buffer)
          ? undefined
          : elementAt(into, position);
      }),
    ],
  });
  return { item: { kind: "loop", counter, items: item.items }, explained: item.explained };
}

/** Buffers that the kernels of an item load. */
function readBy(item: Item): readonly Buffer[] {
  return item.kind === "kernel" ? [...buffersRead(item.raw.stages)] : item.items.flatMap(readBy);
}

/** Merges kernels between loops; nothing moves across one. */
function mergeItems(items: readonly Item[], graph: Graph, storage: Storage, names: Names): readonly Item[] {
  const updates = new Set<Buffer>();
  for (const { value } of graph.writes) {
    const location = storage.locate(value);
    if (location) updates.add(location.buffer);
  }
  const kept = new Set<Buffer>([...storage.outputs.map(({ into }) => into.buffer), ...updates]);
  for (const places of storage.histories.values()) for (const { buffer } of places) kept.add(buffer);
  const segments: Item[][] = [[]];
  for (const item of items) {
    if (item.kind === "loop") segments.push([item], []);
    else segments.at(-1)!.push(item);
  }
  return segments.flatMap((segment) => {
    if (segment.length === 0 || segment[0]!.kind === "loop") return segment;
    const elsewhere = segments.filter((each) => each !== segment).flatMap((each) => each.flatMap(readBy));
    const raws = segment.flatMap((item) => (item.kind === "kernel" ? [item.raw] : []));
    const finals = new Set([...kept, ...elsewhere]);
    return mergeKernels(raws, { finals, updates, names }).map((raw): Item => ({ kind: "kernel", raw }));
  });
}

interface Store {
  readonly value: Value;
  readonly into: Location;
}

/**
 * What is stored, by the node at which it is computed: as soon as it can be, behind the node that it is a view of. So the
 * gradient of a weight does not keep what it is made from until all gradients are put together. Parts of a concat that
 * lie elsewhere are copied into their range.
 */
function storedByNode(graph: Graph, choice: Choice, storage: Storage): ReadonlyMap<Node, readonly Store[]> {
  const found = new Map<Node, Store[]>();
  const add = (value: Value, into: Location, own: Node): void => {
    const at = readyAt(value, choice) ?? own;
    found.set(at, [...(found.get(at) ?? []), { value, into }]);
  };
  for (const node of graph.nodes)
    for (const value of node.results) {
      // a loop writes its own results
      if (!choice.stored.has(value) || isConstant(node) || loopOf(node)) continue;
      const into = storage.destination(value)!;
      if (node.op.name === "concat") addParts(value, node, into);
      else add(value, into, node);
    }
  return found;

  function addParts(whole: Value, { operands, attributes }: Node, into: Location): void {
    const axis = attributes["axis"] as number;
    let start = dim.zero;
    for (const [operand, part] of operands.entries()) {
      const placed = choice.placed.get(whole)?.some((p) => p.operand === operand);
      if (!placed) add(part, partOf(into, axis, start), whole.source as Node);
      start = dim.add(start, part.type.shape[axis]!);
    }
  }
}

const views: ReadonlySet<string> = new Set(["merge", "split", "reorder"]);

/** The node behind views: when its operands are there, so is the value. */
function readyAt(value: Value, choice: Choice): Node | undefined {
  let { source } = value;
  while (isNode(source) && views.has(source.op.name)) {
    const [operand] = source.operands;
    ({ source } = operand!);
    if (choice.stored.has(operand!)) break;
  }
  return isNode(source) ? source : undefined;
}

/** Kernels in their final form, states updated in place where that is safe. */
function finish(graph: Graph, storage: Storage, items: readonly Item[], names: Names): EntryProgram {
  const used = new Map<string, number>();
  const kernels: Kernel[] = [];
  /** the steps, by the numbers of their kernels */
  type Shape = number | { readonly counter: LoopAxis; readonly inside: readonly Shape[] };
  const shapeOf = (item: Item): Shape => {
    if (item.kind === "loop") return { counter: item.counter, inside: item.items.map(shapeOf) };
    const base = nameOf(item.raw);
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    return kernels.push(assemble(item.raw, count === 0 ? base : `${base}_${count + 1}`, names)) - 1;
  };
  const shapes = items.map(shapeOf);
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
    shapes.push(kernels.push(assemble(raw, `copy_${state.name}`, names)) - 1);
    updates.push({ state, value: buffer });
  }
  const { kernels: final, copies, renamed } = updateInPlace(kernels, updates);
  const stepOf = (shape: Shape): Step =>
    typeof shape === "number"
      ? { kind: "kernel", kernel: final[shape]! }
      : { kind: "loop", counter: shape.counter, steps: shape.inside.map(stepOf) };
  return {
    name: graph.name,
    dims: graph.dims,
    steps: shapes.map(stepOf),
    inputs: storage.inputs.map(({ buffer }) => {
      if (buffer.kind.kind !== "input") throw new Error("an input has an input's buffer");
      return { name: buffer.name, role: buffer.kind.role, buffer };
    }),
    outputs: storage.outputs.map(({ name, into: { buffer } }) => ({
      name,
      buffer: renamed.get(buffer) ?? buffer,
    })),
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
  const lists = listsOf(grid, stages, scratch);
  return {
    name,
    grid,
    stages,
    contraction: undefined,
    ...(lists.length > 0 ? { lists } : {}),
    origins: raw.origins,
  };
}

/** `dense0.max` from the innermost origin and the ops that end the kernel's values. */
function nameOf(raw: RawKernel): string {
  const path = raw.origins.find((o) => o.path !== "")?.path ?? "";
  const ops = raw.values.flatMap((v) => (isNode(v.source) ? [v.source.op.name] : []));
  const last = [...new Set(raw.ops.includes("copy") ? ["copy"] : ops)].slice(0, 3).join("_");
  return [path, last === "" ? "copy" : last].filter((x) => x !== "").join(".");
}
