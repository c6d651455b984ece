/** The world outside: files, network and what the engine can do. The one runtime file that knows where it runs. */
import { fail } from "./error.ts";

export type Bytes = Uint8Array | ArrayBuffer;
export type Source = Bytes | URL | string;

interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array>;
}

/** Node, Deno and Bun give it; a browser does not. */
function fileSystem(): FileSystem | undefined {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  return host?.getBuiltinModule?.("node:fs/promises") as FileSystem | undefined;
}

/** Refuses to go on where the signal was aborted. */
export function checkSignal(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) fail("aborted", `${what} was aborted`, undefined, signal.reason);
}

/** Whole bytes of a file or address. A text is an address where it has a scheme, else a path. Throws DlmError. */
export async function readBytes(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return new Uint8Array(source.buffer, source.byteOffset, source.length);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const files = fileSystem();
  // a scheme of one letter is a drive
  const place = typeof source === "string" && /^[a-z][a-z\d+.-]+:/i.test(source) ? new URL(source) : source;
  try {
    if (files && (typeof place === "string" || place.protocol === "file:"))
      return new Uint8Array(await files.readFile(place));
    const response = await fetch(place, signal ? { signal } : {});
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    checkSignal(signal, "loading");
    fail("read", `${String(place)} could not be read: ${(cause as Error).message}`, undefined, cause);
  }
}

/** A module of one function that uses f32x4.relaxed_madd. */
const relaxedProbe = "AGFzbQEAAAABBAFgAAADAgEAChQBEgBBAP0PQQD9D0EA/Q/9hQIaCw==";

/** Whether the engine has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(Uint8Array.from(atob(relaxedProbe), (letter) => letter.charCodeAt(0)));
}
