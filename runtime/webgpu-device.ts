/**
 * A WebGPU artifact as a model's device. Inputs, outputs and control are host arrays: a call uploads them, submits once
 * and reads the outputs back.
 */
import {
  evaluatePolynomial,
  type Entry,
  type GpuCode,
  type Manifest,
  type ParameterEntry,
  type TensorEntry,
} from "./artifact.ts";
import { fail } from "./error.ts";
import { openProgram } from "./gpu-program.ts";
import {
  arrayTypeOf,
  countOf,
  type Device,
  type DeviceEntry,
  lengthOf,
  maximaOf,
  type Sizes,
  type Slot,
  type TypedArray,
} from "./wasm-device.ts";

/** Its numbers come later. */
export interface GpuDevice extends Device {
  readAll(entries: readonly ParameterEntry[]): Promise<Float32Array[]>;
}

interface HostSlot extends Slot {
  readonly at: number;
  /** what the next call uploads, or the last one read */
  readonly current: () => TypedArray;
}

const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Makes buffers and pipelines for the wanted maxima. Rejects with DlmError. */
export async function openGpuDevice(
  gpu: GPUDevice,
  manifest: Manifest,
  code: GpuCode,
  wanted: Sizes,
): Promise<GpuDevice> {
  const maxima = maximaOf(manifest.entries, wanted);
  const maximaIn = ({ dims }: Entry): Sizes =>
    Object.fromEntries(dims.map(({ name, global }) => [name, maxima.get(global)!]));
  const bytes = manifest.entries.reduce(
    (most, entry) => Math.max(most, evaluatePolynomial(entry.bytes, maximaIn(entry))),
    manifest.sharedBytes,
  );
  const program = await openProgram(gpu, code, {
    sharedBytes: manifest.sharedBytes,
    bytes,
    maxima: new Map(manifest.entries.map((entry) => [entry.name, Object.entries(maximaIn(entry))])),
  });

  function slot(tensor: TensorEntry, sizes: Sizes): HostSlot {
    const type = arrayTypeOf(tensor.dtype);
    const whole = new type(countOf(tensor.shape, sizes));
    let view: TypedArray = whole;
    return {
      ...tensor,
      at: evaluatePolynomial(tensor.offset, sizes),
      current: () => view,
      view(count) {
        if (view.length !== count) view = whole.subarray(0, count);
        return view;
      },
    };
  }

  function entryOf(entry: Entry): DeviceEntry {
    const sizes = maximaIn(entry);
    const names = entry.dims.map(({ name }) => name);
    const inputs = entry.inputs.map((tensor) => slot(tensor, sizes));
    const outputs = entry.outputs.map((tensor) => slot(tensor, sizes));
    const control = entry.control.map((tensor) => slot(tensor, sizes));
    return {
      ...entry,
      maxima: sizes,
      inputs,
      outputs,
      control,
      async call(given) {
        for (const each of [...inputs, ...control]) program.write(each.at, bytesOf(each.current()));
        const now = Object.fromEntries(names.map((name, i) => [name, given[i]!]));
        const counts = outputs.map(({ shape }) => countOf(shape, now));
        const found = await program.run(
          entry.name,
          given,
          // what kernels store takes a word an element
          outputs.map(({ at }, i) => ({ offset: at, bytes: 4 * counts[i]! })),
        );
        found.forEach(({ buffer }, i) => {
          const { dtype, view } = outputs[i]!;
          view(counts[i]!).set(dtype === "f32" ? new Float32Array(buffer) : new Int32Array(buffer));
        });
      },
    };
  }

  return {
    entries: new Map(manifest.entries.map((entry) => [entry.name, entryOf(entry)])),
    read: () => fail("gpu", "weights come later from a GPU"),
    async readAll(wantedEntries) {
      const found = await program.run(
        "",
        [],
        wantedEntries.map((each) => ({ offset: each.offset, bytes: 4 * lengthOf(each) })),
      );
      return found.map(({ buffer }) => new Float32Array(buffer));
    },
    write: (each, values) => program.write(each.offset, bytesOf(Float32Array.from(values))),
    stop: () => program.destroy(),
  };
}
