/** A WebGPU device for the tools: the engine's own, else that of the package `webgpu`, where a user has installed it. */
import { Failure } from "./failure.ts";

/** no dependency of ours: a hundred megabytes that few need */
const packageName: string = "webgpu";

interface Dawn {
  create(options: readonly string[]): GPU;
  readonly globals: object;
}

/** What the package makes must stay reachable for as long as the process lives. */
let held: GPU | undefined;

async function gpuOf(): Promise<GPU | undefined> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu ?? held;
  if (own) return own;
  try {
    const { create, globals } = (await import(packageName)) as Dawn;
    Object.assign(globalThis, globals);
    return (held = create([]));
  } catch {
    return undefined;
  }
}

/** With the adapter's limits for buffers. Throws Failure where there is none. */
export async function openGpu(): Promise<GPUDevice> {
  const gpu = await gpuOf();
  if (!gpu)
    throw new Failure("there is no WebGPU here", {
      help: "npm install webgpu gives it to Node",
    });
  const adapter = await gpu.requestAdapter();
  if (!adapter)
    throw new Failure("WebGPU has no adapter here", {
      help: "it needs a GPU's driver, or one in software such as SwiftShader or lavapipe",
    });
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
}
