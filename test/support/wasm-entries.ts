/** Several graphs as one wasm module whose stored values can all be read after a call (the plan `keep-all`). */
import * as dim from "../../compiler/ir/dim.ts";
import type { Graph } from "../../compiler/ir/graph.ts";
import type { Buffer, EntryProgram } from "../../compiler/ir/kernel.ts";
import { elementCount } from "../../compiler/ir/tensor.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { emitWasm } from "../../compiler/backends/wasm/module.ts";
import { makeProgram } from "../../compiler/lower/program.ts";
import { optimize } from "../../compiler/passes/pipeline.ts";
import type { Ran } from "./kernel-bounds.ts";

type Sizes = ReadonlyMap<string, number>;
type Inputs = ReadonlyMap<string, Tensor>;

export interface EntryRun extends Ran {
  readonly outputs: ReadonlyMap<string, Float64Array>;
  /** what the inputs that are written become */
  readonly writes: ReadonlyMap<string, Float64Array>;
}

export interface WasmEntries {
  readonly entry: (name: string) => EntryProgram;
  run(name: string, inputs: Inputs, sizes: Sizes): EntryRun;
}

/** What was in memory before and after a call, by the names of outputs and of what is written. */
export function entryRun(
  graph: Graph,
  entry: EntryProgram,
  sizes: Sizes,
  given: EntryRun["given"],
  after: EntryRun["after"],
): EntryRun {
  const writes = graph.writes.map(({ input }) => {
    const written = "name" in input.source ? input.source.name : "";
    return [written, after(entry.inputs.find((each) => each.name === written)!.buffer)] as const;
  });
  const outputs = entry.outputs.map((output) => [output.name, after(output.buffer)] as const);
  return { entry, sizes, given, after, outputs: new Map(outputs), writes: new Map(writes) };
}

/** Graphs as the checker makes them: they go through all passes first. */
export async function wasmEntries(
  graphs: readonly Graph[],
  maxima: Sizes,
  relaxed: boolean,
): Promise<WasmEntries> {
  const optimized = graphs.map((graph) => optimize(graph));
  const { program } = makeProgram(optimized, { plan: "keep-all", prepare: true });
  const { bytes, exports } = await emitWasm(program, { relaxed, names: false });
  const limitsOf = (entry: EntryProgram): Sizes =>
    new Map(entry.dims.map((d) => [d.name, maxima.get(d.name)!]));
  const most = Math.max(...program.entries.map((e) => dim.evaluate(program.bytes.get(e)!, limitsOf(e))));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(most / 65536) + 1, maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>, { env: { memory } });
  for (const entry of program.entries)
    for (const [name, global] of Object.entries(exports.find((e) => e.name === entry.name)?.globals ?? {}))
      (instance.exports[global] as WebAssembly.Global).value = limitsOf(entry).get(name)!;
  const call = (name: string, ...sizes: number[]): void => {
    const found = exports.find((e) => e.name === name);
    if (found) (instance.exports[found.export] as (...s: number[]) => void)(...sizes);
  };
  const entryOf = (name: string): EntryProgram => program.entries.find((e) => e.name === name)!;
  return {
    entry: entryOf,
    run(name, inputs, sizes) {
      const entry = entryOf(name);
      const limits = limitsOf(entry);
      const view = (buffer: Buffer): Float32Array | Int32Array | Uint8Array => {
        const start = dim.evaluate(program.places.get(buffer)!, limits);
        const count = elementCount(buffer.shape.map((s) => dim.evaluate(s, sizes)));
        const { buffer: raw } = memory;
        if (buffer.dtype === "f32") return new Float32Array(raw, start, count);
        return buffer.dtype === "i32" ? new Int32Array(raw, start, count) : new Uint8Array(raw, start, count);
      };
      const before = new Map<string, Float64Array>();
      for (const { name: input, buffer } of entry.inputs) {
        view(buffer).set(inputs.get(input)!.data);
        before.set(input, Float64Array.from(view(buffer)));
      }
      call("prepare");
      call(name, ...entry.dims.map((d) => sizes.get(d.name)!));
      // copied: the next run uses the same memory
      const kept = new Map<Buffer, Float64Array>();
      const after = (buffer: Buffer): Float64Array => {
        const known = kept.get(buffer);
        if (known) return known;
        const numbers = Float64Array.from(view(buffer));
        kept.set(buffer, numbers);
        return numbers;
      };
      const graph = optimized.find((each) => each.name === name)!;
      return entryRun(graph, entry, sizes, (input) => before.get(input)!, after);
    },
  };
}
