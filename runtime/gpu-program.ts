/**
 * The kernels of a WebGPU artifact on a device: two buffers, pipelines made in parallel, bind groups made once. Knows
 * bytes and dispatches; what a tensor or a call means is webgpu-device.ts's.
 */
import {
  evaluatePolynomial,
  type GpuCode,
  type GpuKernel,
  type GpuStep,
  type Polynomial,
} from "./artifact.ts";
import { DlmError, fail } from "./error.ts";

type Sizes = Readonly<Record<string, number>>;

/** A range of bytes from the start of the artifact's memory, shared part first. */
export interface GpuBytes {
  readonly offset: number;
  readonly bytes: number;
}

export interface GpuProgram {
  /** Puts bytes into memory, in order with the calls; `offset` is a multiple of 4. */
  write(offset: number, bytes: Uint8Array): void;
  /** Runs an entry with these sizes of its dims and reads these ranges back: one submit. Rejects with DlmError. */
  run(entry: string, sizes: readonly number[], reads: readonly GpuBytes[]): Promise<Uint8Array[]>;
  /** dispatches and submits so far */
  readonly counts: { readonly dispatches: number; readonly submits: number };
  destroy(): void;
}

export interface GpuMemory {
  readonly sharedBytes: number;
  /** of all memory, the shared part included, at the maxima */
  readonly bytes: number;
  /** maxima of each entry's dims, in their order */
  readonly maxima: ReadonlyMap<string, readonly (readonly [dim: string, size: number])[]>;
}

/** bytes between the uniform blocks of a loop's steps */
const blockBytes = 256;
/** workgroups of a dispatch along one axis that every device allows */
const mostGroups = 65535;

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly block: number;
  readonly x: number;
  readonly y: number;
}

const alignUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/** Whether the device's limits allow what the artifact needs; the first thing that does not fit as a text. */
function misfit(
  device: GPUDevice,
  code: GpuCode,
  memory: GpuMemory,
  sizesOf: (kernel: number) => Sizes,
): string | undefined {
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const needed = Math.max(memory.sharedBytes, memory.bytes - memory.sharedBytes);
  if (needed > maxBufferSize) return `a buffer of ${needed} bytes, and the device allows ${maxBufferSize}`;
  for (const [i, { name, ranges }] of code.kernels.entries())
    for (const { bytes } of ranges) {
      const size = evaluatePolynomial(bytes, sizesOf(i));
      if (size > maxStorageBufferBindingSize)
        return `${size} bytes in one binding of ${name}, and the device allows ${maxStorageBufferBindingSize}`;
    }
  return undefined;
}

/** Makes buffers and pipelines. Rejects with DlmError where the device cannot hold or compile it. */
export async function openProgram(device: GPUDevice, code: GpuCode, memory: GpuMemory): Promise<GpuProgram> {
  const entryOfKernel = new Map<number, string>();
  const note = (entry: string, steps: readonly GpuStep[]): void => {
    for (const step of steps)
      if (typeof step === "number") entryOfKernel.set(step, entry);
      else note(entry, step.steps);
  };
  for (const { name, steps } of code.entries) note(name, steps);
  const maximaOf = (entry: string): Sizes => Object.fromEntries(memory.maxima.get(entry) ?? []);
  const sizesOf = (kernel: number): Sizes => maximaOf(entryOfKernel.get(kernel) ?? "");
  const wrong = misfit(device, code, memory, sizesOf);
  if (wrong !== undefined) fail("memory", `this model needs ${wrong}; load it with a lower max`);

  let failure: DlmError | undefined;
  let destroyed = false;
  /** rejects what waits for the device when it is lost */
  let lose: (error: DlmError) => void = () => {};
  const lost = new Promise<never>((_, reject) => (lose = reject));
  lost.catch(() => {});
  void device.lost.then(({ message, reason }) => {
    failure ??= new DlmError("trap", `the GPU device was lost: ${message || reason}`);
    lose(failure);
  });

  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const make = (bytes: number, flags: number, label: string): GPUBuffer =>
    device.createBuffer({ size: Math.max(alignUp(bytes, 4), 4), usage: flags, label });
  device.pushErrorScope("out-of-memory");
  const shared = make(memory.sharedBytes, usage, "shared");
  const arena = make(memory.bytes - memory.sharedBytes, usage, "arena");
  const full = await device.popErrorScope();
  if (full) fail("memory", `the GPU has no memory for this model: ${full.message}`);
  const bufferOf = { shared, arena };

  const write: GpuProgram["write"] = (offset, bytes) => {
    const inShared = offset < memory.sharedBytes;
    const whole = bytes.length % 4 === 0 ? bytes : paddedToWords(bytes);
    device.queue.writeBuffer(
      inShared ? shared : arena,
      inShared ? offset : offset - memory.sharedBytes,
      whole as Uint8Array<ArrayBuffer>,
    );
  };
  for (const { offset, base64 } of code.constants)
    write(
      offset,
      Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)),
    );

  const pipelines = await makePipelines(device, code);
  const blocks = new Map<string, GPUBuffer>();
  const groups = new Map<number, GPUBindGroup>();

  function groupOf(kernel: number, block: GPUBuffer | undefined): GPUBindGroup {
    let group = groups.get(kernel);
    if (!group) {
      const { ranges, name } = code.kernels[kernel]!;
      const sizes = sizesOf(kernel);
      const at = (polynomial: Polynomial): number => evaluatePolynomial(polynomial, sizes);
      group = device.createBindGroup({
        label: name,
        layout: pipelines[kernel]!.layout,
        entries: [
          ...(block ? [{ binding: 0, resource: { buffer: block, size: blockBytes } }] : []),
          ...ranges.map(({ memory: of, offset, bytes }, i) => ({
            binding: i + 1,
            resource: { buffer: bufferOf[of], offset: at(offset), size: Math.max(alignUp(at(bytes), 4), 4) },
          })),
        ],
      });
      groups.set(kernel, group);
    }
    return group;
  }

  /** Dispatches of an entry with these sizes, and the uniform blocks that they read. */
  function resolve(entry: GpuCode["entries"][number], given: readonly number[]): readonly Dispatch[] {
    const maxima = memory.maxima.get(entry.name) ?? [];
    const sizes = Object.fromEntries(maxima.map(([name], i) => [name, given[i]!]));
    const steps: {
      readonly kernel: number;
      readonly block: number;
      readonly x: number;
      readonly y: number;
    }[] = [];
    const members: number[][] = [];
    const current = [...given, ...maxima.map(([, size]) => size)];
    while (current.length < entry.members) current.push(0);
    const walk = (list: readonly GpuStep[]): void => {
      let block = -1;
      for (const step of list) {
        if (typeof step !== "number") {
          const count = evaluatePolynomial(step.count, sizes);
          for (let i = 0; i < count; i++) {
            current[step.member] = i;
            walk(step.steps);
          }
          current[step.member] = 0;
          continue;
        }
        const total = code.kernels[step]!.groups.reduce(
          (product, [size, per]) => product * Math.ceil(evaluatePolynomial(size, sizes) / per),
          1,
        );
        if (total <= 0) continue;
        if (block < 0) block = members.push([...current]) - 1;
        const y = Math.ceil(total / mostGroups);
        steps.push({ kernel: step, block, x: Math.ceil(total / y), y });
      }
    };
    walk(entry.steps);
    let buffer = blocks.get(entry.name);
    if (entry.members > 0 && members.length > 0) {
      const bytes = members.length * blockBytes;
      if (!buffer || buffer.size < bytes) {
        buffer?.destroy();
        for (const { kernel } of steps) groups.delete(kernel);
        buffer = make(bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, `${entry.name} sizes`);
        blocks.set(entry.name, buffer);
      }
      const data = new Int32Array(bytes / 4);
      members.forEach((values, i) => data.set(values, (i * blockBytes) / 4));
      device.queue.writeBuffer(buffer, 0, data);
    }
    return steps.map(({ kernel, block, x, y }) => ({
      pipeline: pipelines[kernel]!.pipeline,
      group: groupOf(kernel, entry.members > 0 ? buffer : undefined),
      block: block * blockBytes,
      x,
      y,
    }));
  }

  const resolved = new Map<string, { readonly key: string; readonly dispatches: readonly Dispatch[] }>();
  const counts = { dispatches: 0, submits: 0 };
  let readback: GPUBuffer | undefined;

  function readbackOf(bytes: number): GPUBuffer {
    if (!readback || readback.size < bytes) {
      readback?.destroy();
      readback = make(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, "outputs");
    }
    return readback;
  }

  /** the outputs of one run are read before the next one begins */
  let before: Promise<unknown> = Promise.resolve();

  async function run(
    name: string,
    sizes: readonly number[],
    reads: readonly GpuBytes[],
  ): Promise<Uint8Array[]> {
    if (failure) throw failure;
    if (destroyed) fail("destroyed", "this model was destroyed");
    const entry = code.entries.find((each) => each.name === name);
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder({ label: name });
    if (entry) {
      const key = sizes.join();
      let found = resolved.get(name);
      if (found?.key !== key) resolved.set(name, (found = { key, dispatches: resolve(entry, sizes) }));
      const pass = encoder.beginComputePass({ label: name });
      for (const { pipeline, group, block, x, y } of found.dispatches) {
        pass.setPipeline(pipeline);
        if (entry.members > 0) pass.setBindGroup(0, group, [block]);
        else pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y);
      }
      pass.end();
      counts.dispatches += found.dispatches.length;
    }
    const total = reads.reduce((sum, { bytes }) => sum + alignUp(bytes, 4), 0);
    const target = total > 0 ? readbackOf(total) : undefined;
    let at = 0;
    for (const { offset, bytes } of reads) {
      const whole = alignUp(bytes, 4);
      const inShared = offset < memory.sharedBytes;
      if (whole > 0)
        encoder.copyBufferToBuffer(
          inShared ? shared : arena,
          inShared ? offset : offset - memory.sharedBytes,
          target!,
          at,
          whole,
        );
      at += whole;
    }
    device.queue.submit([encoder.finish()]);
    counts.submits++;
    const scope = device.popErrorScope();
    try {
      if (target) await Promise.race([target.mapAsync(GPUMapMode.READ, 0, total), lost]);
      else await Promise.race([device.queue.onSubmittedWorkDone(), lost]);
    } catch (cause) {
      const invalid = await scope.catch(() => null);
      throw failure ?? new DlmError("trap", invalid?.message ?? (cause as Error).message, name, cause);
    }
    const invalid = await scope;
    if (invalid) throw (failure = new DlmError("trap", invalid.message, name, invalid));
    if (!target) return [];
    const data = target.getMappedRange(0, total);
    let from = 0;
    const results = reads.map(({ bytes }) => {
      const part = new Uint8Array(data.slice(from, from + bytes));
      from += alignUp(bytes, 4);
      return part;
    });
    target.unmap();
    return results;
  }

  return {
    counts,
    write,
    run(name, sizes, reads) {
      const result = before.then(() => run(name, sizes, reads));
      before = result.catch(() => {});
      return result;
    },
    destroy() {
      if (destroyed) return;
      destroyed = true;
      for (const buffer of [shared, arena, readback, ...blocks.values()]) buffer?.destroy();
    },
  };
}

function paddedToWords(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(alignUp(bytes.length, 4));
  padded.set(bytes);
  return padded;
}

interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** By device and text: models that an app loads beside each other have kernels in common. */
const made = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();

/** All pipelines at once; kernels of the same text share one, whose bindings the text tells. */
async function makePipelines(device: GPUDevice, code: GpuCode): Promise<readonly Pipeline[]> {
  const members = new Map<number, number>();
  const note = (count: number, steps: readonly GpuStep[]): void => {
    for (const step of steps)
      if (typeof step === "number") members.set(step, count);
      else note(count, step.steps);
  };
  for (const { members: count, steps } of code.entries) note(count, steps);
  const known = made.get(device) ?? new Map<string, Promise<Pipeline>>();
  made.set(device, known);
  return Promise.all(
    code.kernels.map((kernel, i) => {
      let pipeline = known.get(kernel.code);
      if (!pipeline)
        known.set(kernel.code, (pipeline = makePipeline(device, kernel, (members.get(i) ?? 0) > 0)));
      return pipeline;
    }),
  );
}

async function makePipeline(device: GPUDevice, kernel: GpuKernel, hasBlock: boolean): Promise<Pipeline> {
  const { name, layer, code, ranges } = kernel;
  const layout = device.createBindGroupLayout({
    entries: [
      ...(hasBlock
        ? [
            {
              binding: 0,
              visibility: GPUShaderStage.COMPUTE,
              buffer: { type: "uniform" as const, hasDynamicOffset: true },
            },
          ]
        : []),
      ...ranges.map(({ write }, i) => ({
        binding: i + 1,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: write ? ("storage" as const) : ("read-only-storage" as const) },
      })),
    ],
  });
  const module = device.createShaderModule({ code, label: name });
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    return { pipeline, layout };
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const text = messages.map(({ lineNum, message }) => `line ${lineNum}: ${message}`).join("; ");
    throw new DlmError(
      "kernel",
      `this device refuses the kernel ${name}${layer ? ` of ${layer}` : ""}: ${text || (cause as Error).message}`,
      undefined,
      cause,
      layer || undefined,
    );
  }
}
