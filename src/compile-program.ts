/** Graphs -> a loaded model, for the tools: compiles in memory and opens it with the runtime that apps ship. */
import { compileModel, type Compiled, type CompileOptions } from "../compiler/compile.ts";
import { tooMuchMemory } from "../compiler/check/flow/diagnostics/dlm0904-too-much-memory.ts";
import type { BufferBytes } from "../compiler/lower/program.ts";
import { report } from "../grammar/diagnostic.ts";
import { type Manifest, readManifest } from "../runtime/artifact.ts";
import type { Model } from "../runtime/index.ts";
import { load } from "../runtime/load.ts";
import { startThreads } from "../runtime/threaded.ts";
import { load as loadOnGpu, type LoadedModel } from "../runtime/webgpu.ts";
import { openGpu } from "./gpu.ts";
import { ProgramFailure } from "./failure.ts";
import type { ProgramGraphs } from "./program.ts";
import { hasRelaxedSimd } from "../runtime/platform.ts";
import { version } from "./version.ts";

export async function compiled(
  graphs: ProgramGraphs,
  options: Omit<CompileOptions, "version"> = {},
): Promise<Compiled> {
  const result = await compileModel(graphs, { version, ...options });
  if (result.tooLarge) {
    const { entry, bytes } = result.tooLarge;
    const buffers = largestBuffers(graphs, result.tooLarge);
    throw new ProgramFailure([
      report(tooMuchMemory, { entry, bytes, limit: 2 ** 32, buffers, span: graphs.span }),
    ]);
  }
  return result;
}

/** Those that matter, largest first; instead of the one of all parameters, its largest weights. */
function largestBuffers(
  { weights }: ProgramGraphs,
  { bytes, largest }: NonNullable<Compiled["tooLarge"]>,
): readonly BufferBytes[] {
  return largest
    .flatMap((buffer) =>
      buffer.name === "parameters"
        ? weights.map(({ path, shape }) => ({
            name: path,
            path,
            bytes: 4 * shape.reduce((a, b) => a * b, 1),
          }))
        : [buffer.path === "" ? buffer : { ...buffer, name: `${buffer.name} of ${buffer.path}` }],
    )
    .filter((buffer) => buffer.bytes > bytes / 100)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 5);
}

export interface OpenedModel {
  readonly model: Model;
  /** `wasm relaxed` or `wasm` */
  readonly target: string;
}

/** Compiles the twin that this machine runs fastest, and loads it. */
export async function openModel(
  graphs: ProgramGraphs,
  options: {
    /** sizes to plan memory for */
    readonly max?: (manifest: Manifest) => Readonly<Record<string, number>>;
    readonly keepAll?: boolean;
    readonly relaxed?: boolean;
    /** that run it, in one memory; 1 where absent */
    readonly threads?: number;
  } = {},
): Promise<OpenedModel> {
  const { relaxed = hasRelaxedSimd(), threads = 1 } = options;
  const plan = options.keepAll === true ? "keep-all" : "tight";
  const result = await compiled(graphs, { relaxed, plan, threads: threads > 1 });
  const { artifact } = (result.relaxed ?? result.strict)!;
  const max = options.max?.(readManifest(artifact!).manifest) ?? {};
  return { model: await loaded(result, threads, max), target: relaxed ? "wasm relaxed" : "wasm" };
}

/** Compiles for WebGPU, and loads it on this machine's device. Throws Failure where there is none. */
export async function openOnGpu(
  graphs: ProgramGraphs,
  options: { readonly max?: Readonly<Record<string, number>>; readonly keepAll?: boolean } = {},
): Promise<LoadedModel> {
  const plan = options.keepAll === true ? "keep-all" : "tight";
  const device = await openGpu();
  const { wgsl } = await compiled(graphs, { plan, target: "webgpu" });
  const model = await loadOnGpu(
    { gpu: wgsl!.artifact! },
    { device, target: "webgpu", ...(options.max && { max: options.max }) },
  );
  return {
    ...model,
    destroy() {
      model.destroy();
      device.destroy();
    },
  };
}

/** What was compiled, for several threads where there are several: the relaxed twin, where there is one. */
export async function loaded(
  { strict, relaxed }: Compiled,
  threads: number,
  max: Readonly<Record<string, number>>,
): Promise<Model> {
  const { artifact } = (relaxed ?? strict)!;
  return load(artifact!, { max }, threads > 1 ? startThreads(threads) : undefined);
}
