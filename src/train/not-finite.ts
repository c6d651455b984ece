/**
 * Replays one training step with every value stored and kept, in the order of the program, and finds the first that is
 * not finite. Where that needs more memory than there is, fused kernels are replayed, and their outermost layer is named.
 */
import type { Compiled, CompileOptions } from "../../compiler/compile.ts";
import { compileModel } from "../../compiler/compile.ts";
import { evaluate } from "../../compiler/ir/dim.ts";
import type { Origin } from "../../compiler/ir/graph.ts";
import { flatSteps } from "../../compiler/ir/kernel.ts";
import type { Buffer } from "../../compiler/ir/kernel.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";
import { evaluatePolynomial, readManifest, type Entry } from "../../runtime/artifact.ts";
import type { Batch, Control } from "./loop.ts";

export interface NotFinite {
  /** of the kernel: `log`, `dense1_dot` */
  readonly kernel: string;
  /** of the layer, with its place */
  readonly origin: Origin | undefined;
  /** `NaN`, `Infinity` or `-Infinity` */
  readonly value: number;
}

/** Undefined where everything that is stored is finite: then the sum that became loss or norm overflowed. */
export async function firstNotFinite(
  graphs: ModelGraphs,
  tensors: ReadonlyMap<string, Float32Array>,
  batch: Batch,
  rows: number,
  control: Control,
  entryName: string,
  options: Pick<CompileOptions, "version">,
): Promise<NotFinite | undefined> {
  const make = (fuse: boolean): Promise<Compiled> =>
    compileModel(graphs, { ...options, plan: "keep-all", relaxed: false, entries: [entryName], fuse });
  const single = await make(false);
  const compiled = single.tooLarge ? await make(true) : single;
  const artifact = compiled.strict?.artifact;
  const entry = compiled.program?.entries.find((e) => e.name === entryName);
  if (!artifact || !entry || !compiled.program) return undefined;
  const { manifest } = readManifest(artifact);
  const described = manifest.entries.find((e) => e.name === entryName)!;
  const sizes = new Map(described.dims.map((d) => [d.name, rows]));
  const bytes = evaluatePolynomial(described.bytes, Object.fromEntries(sizes));
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { instance } = await WebAssembly.instantiate(artifact as Uint8Array<ArrayBuffer>, {
    env: { memory },
  });
  for (const { global } of described.dims) (instance.exports[global] as WebAssembly.Global).value = rows;

  for (const { path, offset } of [...manifest.weights, ...manifest.states, ...manifest.optimizer]) {
    const given = tensors.get(path);
    if (given) new Float32Array(memory.buffer, offset, given.length).set(given);
  }
  const placeOf = (buffer: Buffer): number => evaluate(compiled.program!.places.get(buffer)!, sizes);
  for (const { name, role, buffer } of entry.inputs) {
    const at = placeOf(buffer);
    if (role === "input") {
      const given = batch[name]!;
      new Uint8Array(memory.buffer, at, given.byteLength).set(
        new Uint8Array(given.buffer, given.byteOffset, given.byteLength),
      );
    } else if (role === "control") {
      const value = control[name as keyof Control] ?? 0;
      if (buffer.dtype === "i32") new Int32Array(memory.buffer, at, 1)[0] = value;
      else new Float32Array(memory.buffer, at, 1)[0] = value;
    }
  }
  const call = ({ export: name, dims }: Entry): void =>
    (instance.exports[name] as (...sizes: number[]) => void)(...dims.map(() => rows));
  // a step that leaves the weights reads panels of them
  const prepare = manifest.entries.find((e) => e.name === "prepare");
  if (prepare) call(prepare);
  call(described);

  for (const step of flatSteps(entry.steps)) {
    if (step.kind !== "kernel") continue;
    for (const { place } of step.kernel.stages) {
      if (place.kind !== "store" || place.buffer.dtype !== "f32") continue;
      const count = place.buffer.shape.reduce((product, size) => product * evaluate(size, sizes), 1);
      const value = new Float32Array(memory.buffer, placeOf(place.buffer), count).find(
        (x) => !Number.isFinite(x),
      );
      if (value === undefined) continue;
      const { origins, name } = step.kernel;
      const origin = origins.find((o) => o.path !== "") ?? origins.find((o) => o.at !== undefined);
      return { kernel: name, origin, value };
    }
  }
  return undefined;
}
