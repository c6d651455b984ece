/** Times the entries of a compiled model on random inputs, one call after another. */
import type { ProgramGraphs } from "./program.ts";
import { evaluate } from "../compiler/ir/dim.ts";
import { isNode, type Graph, type GraphInput } from "../compiler/ir/graph.ts";
import type { EntryGraph } from "../compiler/ir/model.ts";
import { nameOf, namedSize, ownSizes } from "../compiler/ir/named-dims.ts";
import { contractionFlops } from "../compiler/ops/contraction-flops.ts";
import { evaluatePolynomial, type Entry } from "../runtime/artifact.ts";
import type { Inputs, Model, Outputs } from "../runtime/index.ts";
import { hasRelaxedSimd } from "../runtime/platform.ts";
import { compiled, loaded } from "./compile-program.ts";
import { randomInput } from "./random-inputs.ts";

export interface Timing {
  readonly entry: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly calls: number;
  /** milliseconds a call; the first one of this model, the median, the 10th and the 90th of 100 */
  readonly first: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** of contractions, a call */
  readonly flops: number;
  /** of the whole memory while the entry runs, at these sizes */
  readonly memory: number;
  readonly target: string;
}

export interface BenchOptions {
  /** of those that the graphs have */
  readonly entries: readonly string[];
  /** sizes of free dims; the others have their defaults */
  readonly sizes: ReadonlyMap<string, number>;
  /** the sizes become constants of the code */
  readonly pin: boolean;
  /** measured, after a warm-up of about a fifth of it */
  readonly milliseconds: number;
  readonly relaxed: boolean;
  readonly threads: number;
  readonly seed: number;
}

export async function bench(graphs: ProgramGraphs, options: BenchOptions): Promise<Timing[]> {
  const relaxed = options.relaxed && hasRelaxedSimd();
  const { threads } = options;
  const result = await compiled(graphs, {
    relaxed,
    threads: threads > 1,
    ...(options.pin ? { pin: options.sizes } : {}),
  });
  const free = new Set(result.entries.flatMap(({ graph }) => graph.dims.map(nameOf)));
  const max = Object.fromEntries([...options.sizes].filter(([name]) => free.has(name) || !options.pin));
  const model = await loaded(result, threads, max);
  const target = relaxed ? "wasm relaxed" : "wasm";
  const timings: Timing[] = [];
  for (const entry of result.entries)
    if (isWanted(entry.graph.name, options.entries))
      timings.push({ ...(await timeEntry(model, entry, options)), target });
  model.destroy();
  return timings;
}

/** The update by several batches is a part of training. */
function isWanted(name: string, entries: readonly string[]): boolean {
  return entries.includes(name === "update" ? "train" : name);
}

async function timeEntry(
  model: Model,
  { graph, defaults, update }: EntryGraph,
  options: BenchOptions,
): Promise<Omit<Timing, "target">> {
  const { name } = graph;
  const wanted = ownSizes(graph.dims, options.sizes);
  const sizes = new Map(
    graph.dims.map((d) => [d.name, wanted.get(d.name) ?? d.max ?? defaults.get(d.name) ?? 1] as const),
  );
  const dims = Object.fromEntries(graph.dims.map((d) => [nameOf(d), namedSize(d, sizes.get(d.name)!)]));
  const inputs = inputsOf(graph, sizes, options.seed);
  const into: Outputs = {};
  const call = async (): Promise<void> => {
    if (name === "train") await model.step(inputs, { dims, ...(update ? { update: false } : {}) });
    else if (name === "update") await model.update();
    else Object.assign(into, await model.call(name, inputs, { dims, into: { ...into } }));
  };
  const began = performance.now();
  await call();
  const first = performance.now() - began;
  const times = await measured(call, options.milliseconds);
  const entry = model.manifest.entries.find((each) => each.name === name)!;
  return {
    entry: name,
    dims,
    calls: times.length,
    first,
    median: quantile(times, 0.5),
    low: quantile(times, 0.1),
    high: quantile(times, 0.9),
    flops: contractionFlops(graph.nodes, (size) => evaluate(size, sizes)),
    memory: evaluatePolynomial(entry.bytes, maximaOf(entry, options.sizes)),
  };
}

/** Random arrays for each input of an entry at these sizes, as an app would give them. */
export function inputsOf(graph: Graph, sizes: ReadonlyMap<string, number>, seed: number): Inputs {
  const inputs: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  for (const input of graph.inputs) {
    if (isNode(input.source) || input.source.role !== "input") continue;
    const { name, type }: GraphInput = input.source;
    const { data } = randomInput(graph, input, sizes, seed);
    inputs[name] =
      type.dtype === "i32"
        ? Int32Array.from(data)
        : type.dtype === "f32"
          ? Float32Array.from(data)
          : Uint8Array.from(data);
  }
  return inputs;
}

/** As the runtime plans memory. */
function maximaOf(entry: Entry, wanted: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(
    entry.dims.map((dim) => [dim.name, wanted.get(dim.name) ?? dim.max ?? dim.default]),
  );
}

/** Shorter calls are timed several at once, as the clock is no finer. */
const leastSample = 0.5;
const leastCalls = 5;

/** Milliseconds of each sample, divided by its calls; in rising order. */
async function measured(call: () => Promise<void>, milliseconds: number): Promise<number[]> {
  const sample = async (count: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await call();
    return (performance.now() - start) / count;
  };
  let count = 1;
  let last = await sample(1);
  for (const end = performance.now() + milliseconds / 5; performance.now() < end; last = await sample(count))
    if (last * count < leastSample) count *= 2;
  const times: number[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end || times.length < leastCalls;)
    times.push(await sample(count));
  return times.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}
