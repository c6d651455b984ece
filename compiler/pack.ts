/** Program and code -> the artifact: the manifest says what the entries take and where it lies. */
import { formatNumber, sha256, writeArtifact, writeGpuArtifact } from "../runtime/artifact.ts";
import type {
  Entry,
  Factor,
  GpuCode,
  GpuStep,
  Manifest,
  ParameterEntry,
  Polynomial,
  TensorEntry,
} from "../runtime/artifact.ts";
import type { WasmEntry, WasmModule } from "./backends/wasm/module.ts";
import type { Dispatch, WgslProgram } from "./backends/wgsl/module.ts";
import * as dim from "./ir/dim.ts";
import type { Dim } from "./ir/dim.ts";
import { InternalError } from "./ir/internal-error.ts";
import type { Buffer, EntryProgram, Program } from "./ir/kernel.ts";
import { inNames, nameOf, namedSize } from "./ir/named-dims.ts";
import type { EntryGraph, ModelGraphs, StateEntry, TensorFacts } from "./ir/model.ts";

function polynomial(size: Dim): Polynomial {
  return size.terms.map(({ coefficient, atoms }) => [
    coefficient,
    atoms.map((atom): Factor =>
      atom.kind === "symbol"
        ? atom.name
        : { floor: [polynomial(atom.numerator), polynomial(atom.denominator)] },
    ),
  ]);
}

/** `u8[B, H=8, W=8, C=1]` */
function documentation(
  { dtype, shape }: Pick<Buffer, "dtype" | "shape">,
  facts: TensorFacts | undefined,
): string {
  const axes = shape.map((size, i) => {
    const label = facts?.labels[i];
    const text = dim.show(size).replaceAll(" · ", "*");
    return label === undefined || label === text ? text : `${label}=${text}`;
  });
  return `${dtype}[${axes.join(", ")}]`;
}

function placeOf(program: Program, buffer: Buffer): Dim {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError("pack", `${buffer.name} has no place`, undefined);
  return place;
}

function tensorEntry(
  program: Program,
  { dims }: EntryProgram,
  name: string,
  buffer: Buffer,
  facts?: TensorFacts,
): TensorEntry {
  const shape = buffer.shape.map((size) => inNames(size, dims));
  return {
    name,
    dtype: buffer.dtype,
    shape: shape.map(polynomial),
    offset: polynomial(inNames(placeOf(program, buffer), dims)),
    ...(facts?.classes && { classes: facts.classes }),
    ...(facts?.text && { text: facts.text }),
    doc: documentation({ dtype: buffer.dtype, shape }, facts),
  };
}

function entryOf(
  program: Program,
  entry: EntryProgram,
  exports: readonly WasmEntry[],
  known: EntryGraph | undefined,
): Entry {
  const exported = exports.find(({ name }) => name === entry.name);
  const bytes = program.bytes.get(entry);
  if (!exported || !bytes) throw new InternalError("pack", `${entry.name} was not compiled`, undefined);
  const tensors = (role: string): TensorEntry[] =>
    entry.inputs
      .filter((input) => input.role === role)
      .map(({ name, buffer }) => tensorEntry(program, entry, name, buffer, known?.tensors.get(name)));
  // what sizes that were made constant promise holds
  const promises = (known?.promises ?? []).filter(({ size }) => dim.constantOf(size) === undefined);
  return {
    name: entry.name,
    export: exported.export,
    dims: entry.dims.map((each) => ({
      name: nameOf(each),
      max: each.max === undefined ? null : namedSize(each, each.max),
      default: namedSize(each, each.max ?? known?.defaults.get(each.name) ?? 1),
      global: exported.globals[each.name] ?? each.name,
      ...((each.of?.times ?? 1) > 1 && { unit: each.of!.times }),
    })),
    ...(promises.length > 0 && {
      promises: promises.map(({ text, size }) => ({ text, size: polynomial(size) })),
    }),
    inputs: tensors("input"),
    outputs: entry.outputs.map(({ name, buffer }) =>
      tensorEntry(program, entry, name, buffer, known?.tensors.get(name)),
    ),
    control: tensors("control"),
    rows: known?.rows ?? false,
    bytes: polynomial(inNames(bytes, entry.dims)),
    ...(known?.update && { update: known.update }),
  };
}

/** Byte offset of the shared input of this name; undefined where no entry has it. */
function sharedOffset(program: Program, name: string): number | undefined {
  for (const { inputs } of program.entries)
    for (const input of inputs)
      if (input.name === name && input.role !== "input") {
        const offset = dim.constantOf(placeOf(program, input.buffer));
        if (offset === undefined || input.buffer.dtype !== "f32")
          throw new InternalError("pack", `${name} is not f32 at a constant place`, undefined);
        return offset;
      }
  return undefined;
}

function stateEntries(program: Program, states: readonly StateEntry[]): ParameterEntry[] {
  return states.flatMap(({ path, shape }) => {
    const offset = sharedOffset(program, path);
    return offset === undefined ? [] : [{ path, dtype: "f32" as const, shape, offset }];
  });
}

const utf8 = new TextEncoder();

/** Equal for models whose weights and states have the same paths and shapes. */
async function weightsHash({ weights, states }: ModelGraphs): Promise<string> {
  const lines = [...weights, ...states].map(({ path, shape }) => `${path} f32 [${shape.join(", ")}]\n`);
  return (await sha256(utf8.encode(lines.join("")))) ?? "";
}

export interface PackOptions {
  /** of the compiler */
  readonly version: string;
  readonly relaxed: boolean;
  /** of what both twins compute */
  readonly programHash: string;
}

/** The runtime makes new optimizer state by filling it with one number. */
function startOf({ path, initial: { data } }: StateEntry): { readonly start?: number } {
  const [start = 0] = data;
  if (data.some((value) => value !== start))
    throw new InternalError("pack", `${path} does not begin with one number everywhere`, undefined);
  return start === 0 ? {} : { start };
}

function optimizerEntries(program: Program, states: readonly StateEntry[]): ParameterEntry[] {
  return states.flatMap((state) =>
    stateEntries(program, [state]).map((entry) => ({ ...entry, ...startOf(state) })),
  );
}

/** States that no entry of this program reads are not in it. */
async function manifestOf(
  program: Program,
  exports: readonly WasmEntry[],
  model: ModelGraphs,
  { version, relaxed, programHash }: PackOptions,
): Promise<Omit<Manifest, "digest">> {
  const parameters = sharedOffset(program, "parameters");
  return {
    format: formatNumber,
    name: model.name,
    compiler: version,
    hashes: { weights: await weightsHash(model), program: programHash },
    relaxed,
    ...(program.threads && { threads: program.threads.most }),
    sharedBytes: program.sharedBytes,
    weights:
      parameters === undefined
        ? []
        : model.weights.map(({ path, shape, offset }) => ({
            path,
            dtype: "f32",
            shape,
            offset: parameters + 4 * offset,
          })),
    states: stateEntries(program, model.states),
    ...(model.generate &&
      program.entries.some(({ name }) => name === "step") && { generate: model.generate }),
    optimizer: optimizerEntries(program, model.optimizer),
    entries: program.entries.map((entry) =>
      entryOf(
        program,
        entry,
        exports,
        model.entries.find(({ graph }) => graph.name === entry.name),
      ),
    ),
  };
}

/** The bytes of a .wasm artifact. */
export async function pack(
  program: Program,
  code: WasmModule,
  model: ModelGraphs,
  options: PackOptions,
): Promise<Uint8Array> {
  return writeArtifact(code.bytes, await manifestOf(program, code.exports, model, options));
}

/** The bytes of a .wgsl.json artifact. */
export async function packGpu(
  program: Program,
  code: WgslProgram,
  model: ModelGraphs,
  { version }: Pick<PackOptions, "version">,
): Promise<Uint8Array> {
  const gpu = gpuCode(code);
  // entries have no exports, and a dim's maximum goes by its name in each of them
  const exports = program.entries.map(({ name, dims }) => ({
    name,
    export: name,
    globals: Object.fromEntries(dims.map((each) => [each.name, `${name}.${each.name}`])),
  }));
  const programHash = (await sha256(utf8.encode(JSON.stringify(gpu)))) ?? "";
  return writeGpuArtifact(
    await manifestOf(program, exports, model, { version, relaxed: false, programHash }),
    gpu,
  );
}

function gpuStep(step: Dispatch): GpuStep {
  if ("shader" in step) return step.shader;
  return { count: polynomial(step.count), member: step.member, steps: step.steps.map(gpuStep) };
}

/** A WGSL program as data of an artifact. */
export function gpuCode({ shaders, entries, constants }: WgslProgram): GpuCode {
  return {
    kernels: shaders.map(({ name, path, text, ranges, groups }) => ({
      name,
      layer: path,
      code: text,
      ranges: ranges.map(({ memory, offset, bytes, write }) => ({
        memory,
        offset: polynomial(offset),
        bytes: polynomial(bytes),
        write,
      })),
      groups: groups.map(({ size, per }) => [polynomial(size), per] as const),
    })),
    entries: entries.map(({ name, members, steps }) => ({ name, members, steps: steps.map(gpuStep) })),
    constants: constants.map(({ offset, bytes }) => ({
      offset,
      base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")),
    })),
  };
}
