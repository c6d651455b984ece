/** Graphs -> a loaded model, for the tools: compiles in memory and opens it with the runtime that apps ship. */
import { compileModel, type Compiled, type CompileOptions } from "../compiler/compile.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { load, type Model } from "../runtime/index.ts";
import { bytesText } from "./text.ts";
import { Failure } from "./failure.ts";
import { hasRelaxedSimd } from "../runtime/platform.ts";
import { version } from "./version.ts";

export async function compiled(
  graphs: ModelGraphs,
  options: Omit<CompileOptions, "version"> = {},
): Promise<Compiled> {
  const result = await compileModel(graphs, { version, ...options });
  if (result.tooLarge) {
    const { entry, bytes, largest } = result.tooLarge;
    throw new Failure(
      `${graphs.name} needs ${bytesText(bytes)} for ${entry}, WebAssembly gives at most ${bytesText(2 ** 32)}`,
      {
        help: `the largest buffers: ${largest.map((b) => `${b.name} ${bytesText(b.bytes)}`).join(", ")}; a smaller batch needs less`,
      },
    );
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
  graphs: ModelGraphs,
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
