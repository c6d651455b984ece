/** gzip, with limits: what is claimed about sizes is not trusted. */
import { gunzipSync } from "node:zlib";
import { DataError } from "./error.ts";

/** deflate makes at most 1,032 bytes of one. */
export const mostExpansion = 1032;

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The bytes inside where they are gzipped, else the bytes themselves. */
export function unpacked(bytes: Uint8Array, file: string): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.min(bytes.length * mostExpansion + 64, 2 ** 32) });
  } catch {
    throw new DataError("the gzip data is damaged or truncated", { file });
  }
}
