/**
 * Weights files with digests, which guard against damage: `sha256` is of all bytes behind the header,
 * `sha256_metadata` of what the header's metadata says besides.
 */
import { createHash } from "node:crypto";
import { DataError } from "../data/error.ts";
import type { HostArray } from "../data/table.ts";
import { readSafetensors, writeSafetensors, type HalfArray, type Safetensors } from "./safetensors.ts";

const unknownDigest = "0".repeat(64);

/** The numbers of a file: all that stands behind its header. */
function numbersIn(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.subarray(8 + Number(view.getBigUint64(0, true)));
}

const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

function metadataDigest(metadata: ReadonlyMap<string, string>): string {
  return sha256(JSON.stringify([...metadata].filter(([key]) => !key.startsWith("sha256")).sort()));
}

/** The file's bytes; the digests are added to the metadata. */
export function writeWithDigest(
  tensors: ReadonlyMap<string, HostArray | HalfArray>,
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const digests = [
    ["sha256", unknownDigest],
    ["sha256_metadata", metadataDigest(metadata)],
  ] as const;
  const bytes = writeSafetensors(tensors, new Map([...digests, ...metadata]));
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(unknownDigest);
  bytes.set(new TextEncoder().encode(sha256(numbersIn(bytes))), at);
  return bytes;
}

/** Reads a file; of our own only what is still as it was written. Errors: DataError. */
export function readWithDigest(bytes: Uint8Array, file: string): Safetensors {
  const read = readSafetensors(bytes, file);
  const { metadata } = read;
  if (metadata.get("format")?.startsWith("dlm") !== true) return read;
  const differs = (key: string, digest: () => string): boolean =>
    metadata.has(key) && metadata.get(key) !== digest();
  if (
    differs("sha256", () => sha256(numbersIn(bytes))) ||
    differs("sha256_metadata", () => metadataDigest(metadata))
  )
    throw new DataError("the file is not as it was written: it was altered or damaged", { file });
  return read;
}
