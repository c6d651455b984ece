/** From the files that `dlmc compile` writes to a model that runs. */
import { checkDigest, type Manifest, readManifest } from "./artifact.ts";
import { makeModel, type Model } from "./model.ts";
import { checkSignal, hasRelaxedSimd, readBytes, type Source } from "./platform.ts";
import { readWeights } from "./safetensors.ts";
import { type Device, openDevice, type Sizes, type StartThreads } from "./wasm-device.ts";

/** The bytes, address or path of a .wasm; or of both twins, the faster of which is chosen where the engine has it. */
export type ModelSource = Source | { readonly strict: Source; readonly relaxed?: Source };

export interface LoadOptions {
  /** the largest size of a free dim, `{ B: 8 }`; memory is planned for it, once */
  readonly max?: Readonly<Record<string, number>>;
  /** a safetensors file, or numbers by path. Without it weights come from `init` with the seed */
  readonly weights?: Source | ReadonlyMap<string, ArrayLike<number>>;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

function chooseTwin(source: ModelSource): Source {
  if (typeof source !== "object" || !("strict" in source)) return source;
  return source.relaxed !== undefined && hasRelaxedSimd() ? source.relaxed : source.strict;
}

/**
 * Loads a model: reads and checks the artifact, makes its memory, and sets its weights. Rejects with DlmError.
 * An artifact without weights given and without an `init` entry takes them later, by `setWeights`.
 * `start`: threads for an artifact that is made for several.
 */
export async function load(
  source: ModelSource,
  options: LoadOptions = {},
  start?: StartThreads,
): Promise<Model> {
  return loadWith(chooseTwin(source), options, async (bytes, max) => {
    const { manifest, digestAt } = readManifest(bytes);
    await checkDigest(bytes, manifest.digest, digestAt);
    return [manifest, await openDevice(bytes, manifest, max, start)];
  });
}

/** `open`: makes the device for the file's bytes and these maxima. */
export async function loadWith(
  source: Source,
  options: LoadOptions,
  open: (bytes: Uint8Array, max: Sizes) => Promise<readonly [Manifest, Device]>,
): Promise<Model> {
  const { weights, signal } = options;
  const isMap = weights instanceof Map;
  const [bytes, weightBytes] = await Promise.all([
    readBytes(source, signal),
    weights === undefined || isMap ? undefined : readBytes(weights as Source, signal),
  ]);
  const [manifest, device] = await open(bytes, options.max ?? {});
  const model = makeModel(manifest, device);
  const parameters = [...manifest.weights, ...manifest.states];
  const tensors = weightBytes ? await readWeights(weightBytes, parameters) : isMap ? weights : undefined;
  if (tensors) model.setWeights(tensors);
  else if (manifest.entries.some((entry) => entry.name === "init")) await model.init(options.seed ?? 0);
  if (options.seed !== undefined) model.control.seed = options.seed;
  checkSignal(signal, "loading");
  return model;
}
