/**
 * The artifact: a .wasm whose first custom section, `dlm`, is this manifest as JSON (ASCII alone).
 * The one runtime file that the compiler may import. Reads nothing past the end of what it is given.
 */
import { fail } from "./error.ts";
import { checkManifest } from "./manifest.ts";

export const formatNumber = 1;

/** Sum of coefficient * product of factors: `[[4096, []], [256, ["B"]]]` is 4096 + 256 B. */
export type Polynomial = readonly (readonly [coefficient: number, factors: readonly Factor[]])[];

/** A dim, or floor(numerator / denominator). */
export type Factor = string | { readonly floor: readonly [numerator: Polynomial, denominator: Polynomial] };

/** How texts become rows of a fixed length. Token 0 fills up, token 1 is what the vocabulary does not hold. */
export interface TextRule {
  /** words, or characters and what is joined of them */
  readonly tokens: "words" | "pieces";
  /** the end of a longer text that is kept */
  readonly keep: "first" | "last";
  /** where a shorter text is filled up */
  readonly pad: "before" | "after";
}

export type ElementType = "f32" | "f16" | "i32" | "u8" | "bool";

export interface TensorEntry {
  readonly name: string;
  readonly dtype: ElementType;
  /** each axis a polynomial in the call's dims */
  readonly shape: readonly Polynomial[];
  /** bytes from the start of memory, in the dims' maxima */
  readonly offset: Polynomial;
  /** names of the classes of the last axis (an output) or of the integers (an input) */
  readonly classes?: readonly string[];
  /** an input that takes texts, one a row: their tokens are the classes */
  readonly text?: TextRule;
  /** its type as people write it: `u8[B, H=28, W=28, C=1]` */
  readonly doc: string;
}

export interface Entry {
  /** infer, measure, train, init, prepare */
  readonly name: string;
  /** wasm export; takes the sizes of `dims` as i32 in this order, returns nothing */
  readonly export: string;
  readonly dims: readonly {
    readonly name: string;
    /** planned maximum; null: fixed at load by `max` */
    readonly max: number | null;
    /** used at load when the caller gives none */
    readonly default: number;
    /** exported mutable global that holds the maximum; the addresses of the entry are computed from it */
    readonly global: string;
    /** sizes are multiples of this, and the module counts in it; 1 where absent */
    readonly unit?: number;
  }[];
  /** what the program promises of sizes: those for which `size` is at least 0 are taken */
  readonly promises?: readonly { readonly text: string; readonly size: Polynomial }[];
  readonly inputs: readonly TensorEntry[];
  readonly outputs: readonly TensorEntry[];
  /** scalars written before each call: seed, iteration, step, epoch, ... */
  readonly control: readonly TensorEntry[];
  /** true where rows of the leading dim do not depend on each other, so that larger inputs run in chunks */
  readonly rows: boolean;
  /** bytes of memory needed, shared region included */
  readonly bytes: Polynomial;
  /** of a training step that gathers gradients: the entry that updates by them, and after how many batches */
  readonly update?: { readonly entry: string; readonly every: number };
}

export interface ParameterEntry {
  readonly path: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** bytes from the start of memory */
  readonly offset: number;
  /** what an optimizer state is filled with at first; 0 where absent */
  readonly start?: number;
}

/** How a token is chosen by its scores. */
export type Sample =
  | { readonly kind: "greedy" }
  | { readonly kind: "temperature"; readonly temperature: number }
  /** among the k likeliest */
  | { readonly kind: "top_k"; readonly k: number; readonly temperature: number }
  /** among the fewest that have at least this part of the probability */
  | { readonly kind: "top_p"; readonly p: number; readonly temperature: number };

/** What the entry `step` makes longer. */
export interface Generate {
  /** the input of tokens; its classes, where it has some, are the texts of the tokens */
  readonly input: string;
  /** the largest number of tokens, those of the prompt included */
  readonly max: number;
  readonly sample: Sample;
}

/** A range of the memory of a WebGPU artifact that a kernel binds. */
export interface GpuRange {
  readonly memory: "shared" | "arena";
  /** bytes from the start of that memory, in the entry's maxima */
  readonly offset: Polynomial;
  readonly bytes: Polynomial;
  readonly write: boolean;
}

/** A compute shader: binding 0 is the entry's uniform block, where it has members, then come the ranges from binding 1. */
export interface GpuKernel {
  readonly name: string;
  /** path of the layer that it computes */
  readonly layer: string;
  /** WGSL, entry point `main` */
  readonly code: string;
  readonly ranges: readonly GpuRange[];
  /** workgroups of a dispatch: the product of size / per, each rounded up, in the dims of the call */
  readonly groups: readonly (readonly [size: Polynomial, per: number])[];
}

/** A kernel by its number, or steps that are repeated, with the member of the uniform block that counts them. */
export type GpuStep =
  number | { readonly count: Polynomial; readonly member: number; readonly steps: readonly GpuStep[] };

/** What a WebGPU artifact has besides the manifest. */
export interface GpuCode {
  readonly kernels: readonly GpuKernel[];
  readonly entries: readonly {
    readonly name: string;
    /** i32 members of the uniform block: sizes of the dims, their maxima, positions of the loops */
    readonly members: number;
    readonly steps: readonly GpuStep[];
  }[];
  /** what the shared memory holds from the start, base64 */
  readonly constants: readonly { readonly offset: number; readonly base64: string }[];
}

export interface Manifest {
  readonly format: number;
  /** the model's name */
  readonly name: string;
  /** version of the compiler that wrote it */
  readonly compiler: string;
  readonly hashes: {
    /** of the paths, dtypes and shapes of weights and states: compared when weights are loaded */
    readonly weights: string;
    readonly program: string;
  };
  /** SHA-256, hex, of the module's bytes with this field's value replaced by 64 zeros */
  readonly digest: string;
  readonly relaxed: boolean;
  /** set where it needs a shared memory, which so many threads may run it in */
  readonly threads?: number;
  readonly sharedBytes: number;
  readonly weights: readonly ParameterEntry[];
  /** running statistics, fitted numbers; saved with the weights */
  readonly states: readonly ParameterEntry[];
  /** optimizer state and averages; saved in checkpoints only */
  readonly optimizer: readonly ParameterEntry[];
  readonly entries: readonly Entry[];
  /** where there is an entry `step` */
  readonly generate?: Generate;
}

/** The value for these sizes; NaN where a dim has none. */
export function evaluatePolynomial(polynomial: Polynomial, sizes: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const [coefficient, factors] of polynomial) {
    let product = coefficient;
    for (const factor of factors)
      product *=
        typeof factor === "string"
          ? (sizes[factor] ?? NaN)
          : Math.floor(
              evaluatePolynomial(factor.floor[0], sizes) / evaluatePolynomial(factor.floor[1], sizes),
            );
    sum += product;
  }
  return sum;
}

export function damaged(message: string, cause?: unknown): never {
  fail("artifact", `this is not a whole artifact: ${message}`, undefined, cause);
}

const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const digestKey = '"digest":"';
const noDigest = "0".repeat(64);

/** An unsigned LEB128 number of at most 32 bits: its value and the offset behind it. */
function readLeb(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) damaged("it ends in the middle of a number");
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128 && value < 2 ** 32) return [value, at + i + 1];
  }
  damaged("a section's size is no 32-bit number");
}

/** The manifest, checked in every field, and the offset of its digest's 64 digits. Throws DlmError. */
export function readManifest(bytes: Uint8Array): { readonly manifest: Manifest; readonly digestAt: number } {
  if (header.some((byte, i) => bytes[i] !== byte)) damaged("it does not begin as a WebAssembly module");
  if (bytes[8] !== 0) damaged("its first section is no manifest");
  const [size, start] = readLeb(bytes, 9);
  const end = start + size;
  if (end > bytes.length) damaged(`the manifest ends at byte ${end} and the file at byte ${bytes.length}`);
  const text = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 4)));
  if (text !== "\x03dlm") damaged("its first section is no manifest");
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start + 4, end));
    value = JSON.parse(json);
  } catch (cause) {
    damaged("the manifest is no JSON text", cause);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format > formatNumber)
    fail("format", `a newer compiler wrote this artifact: its format is ${format}, not ${formatNumber}`);
  const wrong = checkManifest(value, formatNumber);
  if (wrong !== undefined) damaged(`${wrong} in its manifest`);
  const manifest = value as Manifest;
  const digestAt = json.indexOf(digestKey + manifest.digest) + digestKey.length;
  if (digestAt < digestKey.length || json.length !== size - 4) damaged("the manifest is not as written");
  return { manifest, digestAt: start + 4 + digestAt };
}

/** SHA-256 as 64 hexadecimal digits; undefined on pages of insecure origins, which have no SHA-256. */
export async function sha256(bytes: Uint8Array): Promise<string | undefined> {
  const digest = await (crypto.subtle as SubtleCrypto | undefined)?.digest(
    "SHA-256",
    bytes as Uint8Array<ArrayBuffer>,
  );
  return digest && Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares the digest, where the page can. Throws DlmError. */
export async function checkDigest(bytes: Uint8Array, digest: string, digestAt: number): Promise<void> {
  const copy = new Uint8Array(bytes).fill(48, digestAt, digestAt + 64);
  if (((await sha256(copy)) ?? digest) !== digest) damaged("its bytes were altered or cut off");
}

/** ASCII alone, the digest's place filled with zeros. */
function asciiOf({ format, ...rest }: Omit<Manifest, "digest">): string {
  return JSON.stringify({ format, digest: noDigest, ...rest }).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The artifact for WebGPU: the manifest as JSON, the code beside it as `gpu`. The digest is made here. */
export async function writeGpuArtifact(
  manifest: Omit<Manifest, "digest">,
  gpu: GpuCode,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole: Omit<Manifest, "digest"> & { readonly gpu: GpuCode } = { ...manifest, gpu };
  const json = asciiOf(whole);
  const bytes = new TextEncoder().encode(json);
  const digest = (await sha256(bytes)) ?? noDigest;
  bytes.set(new TextEncoder().encode(digest), json.indexOf(digestKey) + digestKey.length);
  return bytes;
}

/** The artifact of a module: its bytes with the manifest put in as the first section. The digest is made here. */
export async function writeArtifact(
  module: Uint8Array,
  manifest: Omit<Manifest, "digest">,
): Promise<Uint8Array<ArrayBuffer>> {
  const json = asciiOf(manifest);
  const payload = new TextEncoder().encode(`\x03dlm${json}`);
  const size: number[] = [];
  for (let left = payload.length; size.length === 0 || left > 0; left >>>= 7)
    size.push((left & 127) | (left > 127 ? 128 : 0));
  const bytes = new Uint8Array(8 + 1 + size.length + payload.length + module.length - 8);
  bytes.set(module.subarray(0, 8));
  bytes.set(size, 9);
  bytes.set(payload, 9 + size.length);
  bytes.set(module.subarray(8), 9 + size.length + payload.length);
  const digest = (await sha256(bytes)) ?? noDigest;
  const digestAt = 9 + size.length + 4 + json.indexOf(digestKey) + digestKey.length;
  bytes.set(new TextEncoder().encode(digest), digestAt);
  return bytes;
}
