/** Shared by tests of lowering: the kernels of a graph, run in f64, against the graph's own meaning. */
import { evaluate as evaluateDim } from "../../compiler/ir/dim.ts";
import { printEntry } from "../../compiler/ir/print-kernels.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { lower, type LowerOptions } from "../../compiler/lower/lower.ts";
import { verifyKernels } from "../../compiler/lower/verify-kernels.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { executeEntry, separateMemory } from "../../compiler/reference/execute.ts";
import type { Graph } from "../../compiler/ir/graph.ts";
import type { Buffer, EntryProgram } from "../../compiler/ir/kernel.ts";

export interface Results {
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly writes: ReadonlyMap<string, Tensor>;
}

/** Outputs, and what the inputs that are written become. */
export function executeOn(
  entry: EntryProgram,
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
): Results {
  const given = new Map<Buffer, Float64Array>();
  for (const { name, buffer } of entry.inputs) given.set(buffer, inputs.get(name)!.data.slice());
  const memory = separateMemory(sizes, given);
  executeEntry(entry, sizes, memory, { check: true });
  const read = (buffer: Buffer): Tensor =>
    tensor(
      buffer.dtype,
      buffer.shape.map((size) => evaluateDim(size, sizes)),
      memory.of(buffer),
    );
  return {
    outputs: new Map(entry.outputs.map(({ name, buffer }) => [name, read(buffer)])),
    writes: new Map(
      graph.writes.map(({ input }) => {
        const found = entry.inputs.find(({ name }) => "name" in input.source && name === input.source.name)!;
        return [found.name, read(found.buffer)];
      }),
    ),
  };
}

/**
 * Lowers, verifies, runs and compares with `evaluate`; floats may differ by `relative` of the largest number of the tensor
 * or of 1 (other orders of addition). Returns the lowered entry, or throws with the kernels' text.
 */
export function expectSame(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
  options: LowerOptions & { readonly relative?: number } = {},
): EntryProgram {
  const { entry } = lower(graph, options);
  verifyKernels(entry);
  const expected = evaluate(graph, inputs, sizes);
  const found = executeOn(entry, graph, inputs, sizes);
  const compare = (what: string, a: Tensor, b: Tensor): void => {
    const scale = b.data.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1);
    const bound = (options.relative ?? 1e-12) * scale;
    b.data.forEach((x, i) => {
      const y = a.data[i]!;
      if (Object.is(x, y) || x === y || Math.abs(x - y) <= bound) return;
      throw new Error(`${what}[${i}] is ${y}, not ${x}\n${printEntry(entry)}`);
    });
    if (a.data.length !== b.data.length)
      throw new Error(`${what} has ${a.data.length} elements, not ${b.data.length}`);
  };
  for (const [name, value] of expected.outputs) compare(`output ${name}`, found.outputs.get(name)!, value);
  for (const [name, value] of expected.writes) compare(`write ${name}`, found.writes.get(name)!, value);
  return entry;
}
