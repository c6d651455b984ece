/** ZIP archives as .npz files are: stored or deflated entries, no encryption, below 4 GiB. Sizes and checksums are checked. */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { mostExpansion } from "../data/compressed.ts";
import { DataError } from "../data/error.ts";

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const localBytes = 30;
const centralBytes = 46;
const endBytes = 22;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

/** The entries in the order of the archive's directory. Errors: DataError. */
export function readZip(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const damaged = (reason: string): DataError => new DataError(`the archive is damaged: ${reason}`, { file });
  const entries = new Map<string, Uint8Array>();
  const end = findEnd(view);
  if (end === undefined) throw damaged("its directory is missing, so it may be truncated");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (at === 0xffffffff) throw new DataError("archives of 4 GiB and more are not supported", { file });
  for (let i = 0; i < count; i++) {
    if (at + centralBytes > end || view.getUint32(at, true) !== centralSignature) {
      throw damaged(`entry ${i + 1} of its directory is not readable`);
    }
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const checksum = view.getUint32(at + 16, true);
    const [packed, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const nameLength = view.getUint16(at + 28, true);
    const behind = nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const local = view.getUint32(at + 42, true);
    if (at + centralBytes + behind > end) throw damaged(`entry ${i + 1} of its directory is not readable`);
    const name = new TextDecoder().decode(bytes.subarray(at + centralBytes, at + centralBytes + nameLength));
    if (flags & 1) throw new DataError("encrypted archives are not supported", { file, column: name });
    if (local + localBytes > at || view.getUint32(local, true) !== localSignature) {
      throw damaged(`${name} is not where its directory says`);
    }
    const start = local + localBytes + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > bytes.length) throw damaged(`${name} reaches beyond the end of the file`);
    const body = bytes.subarray(start, start + packed);
    const content = expand(body, method, size);
    if (content === undefined) throw damaged(`${name} cannot be unpacked`);
    if (content.length !== size || crc32(content) !== checksum)
      throw damaged(`the checksum of ${name} differs`);
    if (entries.has(name)) throw damaged(`it has two entries called ${name}`);
    entries.set(name, content);
    at += centralBytes + behind;
  }
  return entries;
}

/** The end record is the last thing in the file but for a comment of at most 65,535 bytes. */
function findEnd(view: DataView): number | undefined {
  const first = Math.max(0, view.byteLength - endBytes - 0xffff);
  for (let at = view.byteLength - endBytes; at >= first; at--) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  return undefined;
}

function expand(body: Uint8Array, method: number, size: number): Uint8Array | undefined {
  if (method === 0) return body;
  if (method !== 8 || size > body.length * mostExpansion + 64) return undefined;
  try {
    return inflateRawSync(body, { maxOutputLength: Math.max(size, 1) });
  } catch {
    return undefined;
  }
}

/** An archive whose bytes depend on its entries alone: the time of all entries is 1980-01-01. */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of entries) {
    const text = new TextEncoder().encode(name);
    const packed = deflateRawSync(content);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, 0x800, true);
    common.setUint16(4, 8, true);
    common.setUint16(8, 0x21, true);
    common.setUint32(10, crc32(content), true);
    common.setUint32(14, packed.length, true);
    common.setUint32(18, content.length, true);
    common.setUint16(22, text.length, true);
    const fields = new Uint8Array(common.buffer);
    parts.push(signature(localSignature), fields, text, packed);
    const central = new DataView(new ArrayBuffer(14));
    central.setUint32(10, at, true);
    directory.push(
      signature(centralSignature),
      Uint8Array.of(20, 0),
      fields,
      new Uint8Array(central.buffer),
      text,
    );
    at += localBytes + text.length + packed.length;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new DataView(new ArrayBuffer(endBytes));
  end.setUint32(0, endSignature, true);
  end.setUint16(8, entries.size, true);
  end.setUint16(10, entries.size, true);
  end.setUint32(12, directoryBytes, true);
  end.setUint32(16, at, true);
  return Buffer.concat([...parts, ...directory, new Uint8Array(end.buffer)]);
}

function signature(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}
