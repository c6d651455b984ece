/** The runtime with WebGPU, and with wasm where there is none. What an app ships of `dlmc compile --target webgpu`. */
import { checkDigest } from "./artifact.ts";
import { DlmError, fail } from "./error.ts";
import { readGpuArtifact } from "./gpu-artifact.ts";
import { loadWith } from "./load.ts";
import type { GpuModel, Model } from "./model.ts";
import { checkSignal, type Source, webGpu } from "./platform.ts";
import { load as loadOnWasm, type ThreadedOptions, type ThreadedSource } from "./threaded.ts";
import { type GpuDevice, openGpuDevice } from "./webgpu-device.ts";

export { DlmError, type ErrorCode } from "./error.ts";

/** The .wgsl.json; and the .wasm files, where there are some, for engines without WebGPU. */
export type GpuSource = Partial<ThreadedSource> & { readonly gpu: Source };

export interface GpuOptions extends ThreadedOptions {
  /** of the app, which goes on owning it; without it one is asked for */
  readonly device?: GPUDevice;
  /** `wasm` leaves WebGPU out; `webgpu` rejects where it is not there. Without it the first of both that works is taken */
  readonly target?: "webgpu" | "wasm";
}

export type LoadedModel = GpuModel & {
  readonly target: "webgpu" | "wasm";
  /** why it does not run on WebGPU */
  readonly fallback?: string;
};

/** A device with the limits that the adapter has for large buffers. Throws DlmError. */
async function openGpu(): Promise<GPUDevice> {
  const gpu = webGpu();
  if (!gpu) return fail("gpu", "this engine has no WebGPU");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return fail("gpu", "WebGPU has no adapter here");
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    return await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  } catch (cause) {
    return fail("gpu", `WebGPU gives no device: ${(cause as Error).message}`, undefined, cause);
  }
}

async function loadOnGpu(source: Source, options: GpuOptions): Promise<GpuModel> {
  const device = options.device ?? (await openGpu());
  let opened: GpuDevice | undefined;
  try {
    const model = await loadWith(source, options, async (bytes, max) => {
      const { manifest, code, digestAt } = readGpuArtifact(bytes);
      await checkDigest(bytes, manifest.digest, digestAt);
      return [manifest, (opened = await openGpuDevice(device, manifest, code, max))];
    });
    return {
      ...model,
      async weights({ optimizer = false } = {}) {
        const { manifest } = model;
        const wanted = [...manifest.weights, ...manifest.states, ...(optimizer ? manifest.optimizer : [])];
        const numbers = await opened!.readAll(wanted);
        return new Map(wanted.map(({ path }, i) => [path, numbers[i]!]));
      },
      destroy() {
        model.destroy();
        if (!options.device) device.destroy();
      },
    };
  } catch (error) {
    if (!options.device) device.destroy();
    throw error;
  }
}

/** What another target may do better: a missing or weak GPU. */
const excusable = (error: unknown): error is DlmError =>
  error instanceof DlmError && ["gpu", "memory", "kernel", "trap"].includes(error.code);

/** Loads on WebGPU where it is there, else on wasm where there is a .wasm. Rejects with DlmError. */
export async function load(source: GpuSource, options: GpuOptions = {}): Promise<LoadedModel> {
  const { target } = options;
  let fallback: string | undefined;
  if (target !== "wasm") {
    try {
      return { ...(await loadOnGpu(source.gpu, options)), target: "webgpu" };
    } catch (error) {
      if (target === "webgpu" || !source.strict || !excusable(error)) throw error;
      fallback = error.message;
    }
  }
  if (!source.strict) return fail("entry", "this model was compiled for WebGPU alone");
  checkSignal(options.signal, "loading");
  const model = await onWasm(source as ThreadedSource, options);
  return {
    ...model,
    weights: async (wanted) => model.weights(wanted),
    target: "wasm",
    ...(fallback !== undefined && { fallback }),
  };
}

function onWasm(source: ThreadedSource, options: GpuOptions): Promise<Model> {
  return loadOnWasm(source, source.threads === undefined ? { ...options, threads: 1 } : options);
}
