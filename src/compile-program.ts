/** Graphs -> a loaded model, for the tools: compiles in memory and opens it with the runtime that apps ship. */
import { compileModel, type Compiled, type CompileOptions } from "../compiler/compile.ts";
import { tooMuchMemory } from "../compiler/check/flow/diagnostics/dlm0904-too-much-memory.ts";
import { report } from "../grammar/diagnostic.ts";
import { load, type Model } from "../runtime/index.ts";
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
    const { entry, bytes, largest: buffers } = result.tooLarge;
    throw new ProgramFailure([
      report(tooMuchMemory, { entry, bytes, limit: 2 ** 32, buffers, span: graphs.span }),
    ]);
  }
  return result;
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
    readonly max?: Readonly<Record<string, number>>;
    readonly keepAll?: boolean;
    readonly relaxed?: boolean;
  } = {},
): Promise<OpenedModel> {
  const relaxed = options.relaxed ?? hasRelaxedSimd();
  const result = await compiled(graphs, { relaxed, plan: options.keepAll === true ? "keep-all" : "tight" });
  const artifact = (relaxed ? result.relaxed : result.strict)!.artifact!;
  const model = await load(artifact, options.max ? { max: options.max } : {});
  return { model, target: relaxed ? "wasm relaxed" : "wasm" };
}
