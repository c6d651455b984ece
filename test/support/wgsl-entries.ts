/** Several graphs as one WGSL program whose stored values can all be read after a call (the plan `keep-all`). */
import type { Graph } from "../../compiler/ir/graph.ts";
import type { Buffer } from "../../compiler/ir/kernel.ts";
import { flatSteps } from "../../compiler/ir/kernel.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import type { Form } from "../../compiler/lower/forms.ts";
import { makeProgram } from "../../compiler/lower/program.ts";
import { optimize } from "../../compiler/passes/pipeline.ts";
import { entryRun } from "./wasm-entries.ts";
import type { EntryRun } from "./wasm-entries.ts";
import { openGpuRun } from "./wgsl-run.ts";

type Sizes = ReadonlyMap<string, number>;

export interface GpuEntries {
  run(name: string, inputs: ReadonlyMap<string, Tensor>, sizes: Sizes): Promise<EntryRun>;
  destroy(): void;
}

/** Graphs as the checker makes them: they go through all passes first. `form`: of kernels, wherever it is possible. */
export async function gpuEntries(graphs: readonly Graph[], maxima: Sizes, form?: Form): Promise<GpuEntries> {
  const optimized = graphs.map((graph) => optimize(graph));
  const { program, layout } = makeProgram(optimized, {
    plan: "keep-all",
    prepare: false,
    target: "webgpu",
    form,
  });
  const gpu = await openGpuRun(program, layout, maxima, form);
  return {
    async run(name, inputs, sizes) {
      const entry = program.entries.find((each) => each.name === name)!;
      const before = new Map<string, Float64Array>();
      for (const { name: input, buffer } of entry.inputs) {
        const { data } = inputs.get(input)!;
        gpu.write(name, buffer, data);
        before.set(
          input,
          buffer.dtype === "f32" ? Float64Array.from(data, Math.fround) : Float64Array.from(data),
        );
      }
      const buffers = new Set<Buffer>([...entry.inputs, ...entry.outputs].map(({ buffer }) => buffer));
      for (const { kernel } of flatSteps(entry.steps))
        for (const { place } of kernel.stages) if (place.kind === "store") buffers.add(place.buffer);
      for (const { from, to } of entry.copies) buffers.add(from).add(to);
      const found = await gpu.run(name, sizes, [...buffers]);
      const after = (buffer: Buffer): Float64Array => found.get(buffer)!;
      const graph = optimized.find((each) => each.name === name)!;
      return entryRun(graph, entry, sizes, (input) => before.get(input)!, after);
    },
    destroy: () => gpu.program.destroy(),
  };
}
