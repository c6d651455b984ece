/** Weights from a safetensors file: 8 bytes of header size, a JSON header, then the numbers, row-major. */
import { sha256, type ParameterEntry } from "./artifact.ts";
import { fail } from "./error.ts";

/** IEEE 754 binary16 -> number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The numbers of each wanted tensor by path, stored as F32 or F16. Names and shapes must be those wanted; what a checkpoint of
 * training holds besides may be there. Where the file's metadata has `sha256`, of all bytes behind the header, it is compared. Throws DlmError.
 */
export async function readWeights(
  bytes: Uint8Array,
  wanted: readonly ParameterEntry[],
): Promise<Map<string, Float32Array>> {
  const wrong = (message: string, cause?: unknown): never =>
    fail("weights", `in the weights file, ${message}`, undefined, cause);
  let found: Map<string, unknown>;
  let data: Uint8Array;
  try {
    const size = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true));
    if (size > bytes.length - 8) throw new Error("it was cut off");
    const header: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + size)),
    );
    found = new Map(Object.entries(header as object));
    data = bytes.subarray(8 + size);
  } catch (cause) {
    return wrong(`there is no safetensors header: ${(cause as Error).message}`, cause);
  }
  const { sha256: digest } = (found.get("__metadata__") ?? {}) as { readonly sha256?: unknown };
  if (digest !== undefined && ((await sha256(data)) ?? digest) !== digest)
    wrong("the digest differs: it was altered or cut off");
  const result = new Map<string, Float32Array>();
  for (const { path, shape } of wanted) {
    const tensor = found.get(path) as
      { dtype?: unknown; shape?: unknown; data_offsets?: readonly unknown[] } | null | undefined;
    const type = tensor ? `${String(tensor.dtype)}${JSON.stringify(tensor.shape)}` : "missing";
    const expected = `F32${JSON.stringify(shape)}`;
    const half = type === `F16${JSON.stringify(shape)}`;
    if (!half && type !== expected) wrong(`${path} is ${type}, and this model needs ${expected}`);
    const [start, end] = (tensor?.data_offsets ?? []) as readonly number[];
    const length = shape.reduce((a, b) => a * b, half ? 2 : 4);
    if (!(start! >= 0 && end === start! + length && end <= data.length)) wrong(`${path} was cut off`);
    // a copy, since the file's numbers need not be aligned
    const { buffer } = new Uint8Array(data.subarray(start, end));
    result.set(path, half ? Float32Array.from(new Uint16Array(buffer), fromHalf) : new Float32Array(buffer));
    found.delete(path);
  }
  for (const path of found.keys())
    if (path !== "__metadata__" && !/^(optimizer\.|best\/)/.test(path))
      wrong(`there is ${path}, which this model does not have`);
  return result;
}
