/**
 * The GPU of tests: Dawn in Node on SwiftShader, both from npm. One device a test file. What `create` gives is kept for
 * ever, since the process dies where it is collected.
 */
import { dirname, join } from "node:path";
import chromium from "@sparticuz/chromium";
import { afterAll } from "vitest";

const held: { gpu?: GPU } = globalThis as { gpu?: GPU };
const [keepLoaded, now] = [0x1000, 2];

/** For a process of its own, whose driver is found when it starts. */
export async function gpuEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = dirname(await chromium.executablePath());
  return { LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: join(folder, "vk_swiftshader_icd.json") };
}

/** The adapter; throws where there is none, so that no test passes for want of one. */
export async function openAdapter(): Promise<GPUAdapter> {
  if (!held.gpu) {
    const { LD_LIBRARY_PATH: folder, ...driver } = await gpuEnvironment();
    Object.assign(process.env, driver);
    try {
      // it is no module of Node, but stays in the process, and is what Dawn then finds by its name
      process.dlopen({ exports: {} }, join(folder!, "libvulkan.so.1"), keepLoaded | now);
    } catch {}
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    held.gpu = create([]);
  }
  const adapter = await held.gpu.requestAdapter();
  if (!adapter) throw new Error("there is no WebGPU adapter here: kernels in WGSL cannot be tested");
  return adapter;
}

let device: Promise<GPUDevice> | undefined;

/** The device of this file, with the default limits. */
export function testDevice(): Promise<GPUDevice> {
  device ??= openAdapter().then(async (adapter) => {
    const { vendor, architecture, description } = adapter.info;
    process.stdout.write(`WebGPU adapter: ${vendor} ${architecture}, ${description}\n`);
    return adapter.requestDevice();
  });
  return device;
}

afterAll(async () => {
  (await device)?.destroy();
});
