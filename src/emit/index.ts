/** What `dlmc compile` writes for one model: .js, .d.ts, .wasm, .relaxed.wasm, .threads.wasm, .wgsl.json, .safetensors. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readManifest, type Manifest } from "../../runtime/artifact.ts";
import { readGpuArtifact } from "../../runtime/gpu-artifact.ts";
import { writeFilesAtomic } from "../files.ts";
import { declarations } from "./declarations.ts";
import { moduleText } from "./module-text.ts";

export interface EmittedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Of one target at least. */
export interface Artifacts {
  readonly strict?: Uint8Array | undefined;
  readonly relaxed?: Uint8Array | undefined;
  /** the twin that several threads run: the relaxed one, where there is one */
  readonly threads?: Uint8Array | undefined;
  readonly webgpu?: Uint8Array | undefined;
}

/** Of the .wasm where there is one. */
export function manifestOf({ strict, webgpu }: Artifacts): Manifest {
  return strict ? readManifest(strict).manifest : readGpuArtifact(webgpu!).manifest;
}

/**
 * Writes the files of one model, named by the manifest, and says which. `weights` are the bytes of a safetensors file.
 * Of an earlier model of this name nothing is left that this one does not have. Errors: FileError.
 */
export function emitModel(folder: string, artifacts: Artifacts, weights?: Uint8Array): EmittedFile[] {
  const manifest = manifestOf(artifacts);
  const { name } = manifest;
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const files: readonly (readonly [ending: string, content: Uint8Array | undefined])[] = [
    [".wasm", artifacts.strict],
    [".relaxed.wasm", artifacts.relaxed],
    [".threads.wasm", artifacts.threads],
    [".wgsl.json", artifacts.webgpu],
    [".safetensors", weights],
    [
      ".d.ts",
      text(
        declarations(manifest, {
          threads: artifacts.threads !== undefined,
          wasm: artifacts.strict !== undefined,
          webgpu: artifacts.webgpu !== undefined,
        }),
      ),
    ],
    // last, since it is what an app imports
    [
      ".js",
      text(
        moduleText(manifest, {
          name,
          relaxed: artifacts.relaxed !== undefined,
          threads: artifacts.threads !== undefined,
          wasm: artifacts.strict !== undefined,
          webgpu: artifacts.webgpu !== undefined,
          weights: weights !== undefined,
        }),
      ),
    ],
  ];
  const written = files.flatMap(([ending, content]) =>
    content === undefined ? [] : [[join(folder, name + ending), content] as const],
  );
  writeFilesAtomic(written);
  for (const [ending, content] of files)
    if (content === undefined) rmSync(join(folder, name + ending), { force: true });
  return written.map(([path, content]) => ({ path, bytes: content.length }));
}
