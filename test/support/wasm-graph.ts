// Graphs through lowering and the wasm backend, against their meaning in f64.
import * as dim from "../../compiler/ir/dim.ts";
import type { Graph } from "../../compiler/ir/graph.ts";
import type { Buffer } from "../../compiler/ir/kernel.ts";
import { elementCount } from "../../compiler/ir/tensor.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { emitWasm } from "../../compiler/backends/wasm/module.ts";
import { makeProgram } from "../../compiler/lower/program.ts";
import type { ProgramOptions } from "../../compiler/lower/program.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";

type Sizes = ReadonlyMap<string, number>;

export interface GraphRun {
  readonly outputs: ReadonlyMap<string, Float64Array>;
  readonly writes: ReadonlyMap<string, Float64Array>;
}

export interface CompiledGraph {
  run(inputs: ReadonlyMap<string, Tensor>, sizes: Sizes): GraphRun;
  /** milliseconds of `runs` more calls on what lies in memory, shortest */
  time(sizes: Sizes, runs: number): number;
  readonly bytes: Uint8Array;
  readonly largestFunctionBytes: number;
}

export interface CompileOptions extends Partial<ProgramOptions> {
  readonly relaxed?: boolean;
}

/** One graph as a module with memory for these maxima. */
export async function compileGraph(
  graph: Graph,
  maxima: Sizes,
  options: CompileOptions = {},
): Promise<CompiledGraph> {
  const { relaxed = true, plan = "tight", prepare = true, winograd = true } = options;
  const { program } = makeProgram([graph], { plan, prepare, winograd });
  const { bytes, exports, largestFunctionBytes } = await emitWasm(program, { relaxed, names: true });
  const entry = program.entries.find((e) => e.name === graph.name)!;
  const limits = new Map(entry.dims.map((d) => [d.name, maxima.get(d.name)!]));
  const pages = Math.ceil(dim.evaluate(program.bytes.get(entry)!, limits) / 65536);
  const memory = new WebAssembly.Memory({ initial: Math.max(pages, 1), maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>, { env: { memory } });
  const exported = exports.find((e) => e.name === graph.name)!;
  for (const [name, global] of Object.entries(exported.globals))
    (instance.exports[global] as WebAssembly.Global).value = limits.get(name)!;
  const prepared = exports.find((e) => e.name === "prepare");

  function view(buffer: Buffer, sizes: Sizes): Float32Array | Int32Array | Uint8Array {
    const start = dim.evaluate(program.places.get(buffer)!, limits);
    const count = elementCount(buffer.shape.map((s) => dim.evaluate(s, sizes)));
    if (buffer.dtype === "f32") return new Float32Array(memory.buffer, start, count);
    if (buffer.dtype === "i32") return new Int32Array(memory.buffer, start, count);
    return new Uint8Array(memory.buffer, start, count);
  }
  const call = (sizes: Sizes): void =>
    (instance.exports[exported.export] as (...s: number[]) => void)(
      ...entry.dims.map((d) => sizes.get(d.name)!),
    );
  return {
    bytes,
    largestFunctionBytes,
    run(inputs, sizes) {
      for (const { name, buffer } of entry.inputs) view(buffer, sizes).set(inputs.get(name)!.data);
      if (prepared !== undefined) (instance.exports[prepared.export] as () => void)();
      call(sizes);
      const read = (buffer: Buffer): Float64Array => Float64Array.from(view(buffer, sizes));
      return {
        outputs: new Map(entry.outputs.map(({ name, buffer }) => [name, read(buffer)])),
        writes: new Map(
          graph.writes.map(({ input }) => {
            const found = entry.inputs.find(
              ({ name }) => "name" in input.source && name === input.source.name,
            )!;
            return [found.name, read(found.buffer)];
          }),
        ),
      };
    },
    time(sizes, runs) {
      let best = Infinity;
      for (let i = 0; i < runs; i++) {
        const start = performance.now();
        call(sizes);
        best = Math.min(best, performance.now() - start);
      }
      return best;
    },
  };
}

/** Where a run differs from the graph's meaning by more than `relative` of the tensor's largest number (or of 1). */
export function differences(
  graph: Graph,
  run: GraphRun,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: Sizes,
  relative: number,
): string[] {
  const expected = evaluate(graph, inputs, sizes);
  const found: string[] = [];
  const compare = (what: string, got: Float64Array | undefined, want: Tensor): void => {
    if (got === undefined || got.length !== want.data.length) {
      found.push(`${what} has ${got?.length} elements, not ${want.data.length}`);
      return;
    }
    const largest = want.data.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1);
    const bound = want.dtype === "f32" ? relative * largest : 0;
    for (let i = 0; i < got.length; i++) {
      const [x, y] = [got[i]!, want.data[i]!];
      if (Object.is(x, y) || x === y || x === Math.fround(y) || Math.abs(x - y) <= bound) continue;
      found.push(`${what}[${i}] is ${x}, not ${y}`);
      return;
    }
  };
  for (const [name, want] of expected.outputs) compare(`output ${name}`, run.outputs.get(name), want);
  for (const [name, want] of expected.writes) compare(`write ${name}`, run.writes.get(name), want);
  return found;
}
