/** Programs run as WGSL: memory written and read by buffer, as the runtime does it. */
import * as dim from "../../compiler/ir/dim.ts";
import type { Buffer, Program } from "../../compiler/ir/kernel.ts";
import { elementCount } from "../../compiler/ir/tensor.ts";
import { emitWgsl } from "../../compiler/backends/wgsl/module.ts";
import { webgpuElementBytes } from "../../compiler/lower/layout.ts";
import type { Layout } from "../../compiler/lower/layout.ts";
import type { Form } from "../../compiler/lower/forms.ts";
import { gpuCode } from "../../compiler/pack.ts";
import { openProgram } from "../../runtime/gpu-program.ts";
import type { GpuProgram } from "../../runtime/gpu-program.ts";
import { testDevice } from "./gpu.ts";

type Sizes = ReadonlyMap<string, number>;

export interface GpuRun {
  write(entry: string, buffer: Buffer, values: ArrayLike<number>): void;
  /** Runs the entry and gives what these buffers then hold. */
  run(entry: string, sizes: Sizes, buffers: readonly Buffer[]): Promise<Map<Buffer, Float64Array>>;
  readonly program: GpuProgram;
}

export async function openGpuRun(
  program: Program,
  layout: Layout,
  maxima: Sizes,
  form?: Form,
): Promise<GpuRun> {
  const limitsOf = (name: string): Sizes =>
    new Map(
      program.entries.find((e) => e.name === name)!.dims.map((d) => [d.name, d.max ?? maxima.get(d.name)!]),
    );
  const bytes = Math.max(
    ...program.entries.map((e) => dim.evaluate(program.bytes.get(e)!, limitsOf(e.name))),
  );
  const gpu = await openProgram(await testDevice(), gpuCode(emitWgsl(program, layout, { form })), {
    sharedBytes: program.sharedBytes,
    bytes,
    maxima: new Map(program.entries.map((e) => [e.name, [...limitsOf(e.name)]])),
  });
  const place = (entry: string, buffer: Buffer): number =>
    dim.evaluate(program.places.get(buffer)!, limitsOf(entry));
  return {
    program: gpu,
    write(entry, buffer, values) {
      gpu.write(place(entry, buffer), encode(buffer, values));
    },
    async run(entry, sizes, buffers) {
      const { dims } = program.entries.find((e) => e.name === entry)!;
      const counts = buffers.map((b) => elementCount(b.shape.map((s) => dim.evaluate(s, sizes))));
      const found = await gpu.run(
        entry,
        dims.map((d) => sizes.get(d.name)!),
        buffers.map((b, i) => ({ offset: place(entry, b), bytes: counts[i]! * webgpuElementBytes(b) })),
      );
      return new Map(buffers.map((b, i) => [b, decode(b, found[i]!, counts[i]!)]));
    },
  };
}

function encode(buffer: Buffer, values: ArrayLike<number>): Uint8Array {
  const { dtype } = buffer;
  const wide = webgpuElementBytes(buffer) === 4;
  const array =
    dtype === "f32" || (dtype === "f16" && wide)
      ? Float32Array.from(values)
      : dtype === "f16"
        ? Float16Array.from(values)
        : wide
          ? Int32Array.from(values)
          : Uint8Array.from(values);
  return new Uint8Array(array.buffer);
}

function decode(buffer: Buffer, bytes: Uint8Array, count: number): Float64Array {
  const { dtype } = buffer;
  const wide = webgpuElementBytes(buffer) === 4;
  const raw = bytes.buffer;
  if (dtype === "f32" || (dtype === "f16" && wide)) return Float64Array.from(new Float32Array(raw, 0, count));
  if (dtype === "f16") return Float64Array.from(new Float16Array(raw, 0, count));
  return Float64Array.from(wide ? new Int32Array(raw, 0, count) : new Uint8Array(raw, 0, count));
}
