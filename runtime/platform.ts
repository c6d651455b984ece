/** The world outside: files, network and what the engine can do. The one runtime file that knows where it runs. */
import { fail } from "./error.ts";

export type Bytes = Uint8Array | ArrayBuffer;
export type Source = Bytes | URL | string;

interface Host {
  getBuiltinModule?(name: string): unknown;
}

/** Node, Deno and Bun have it; a browser does not. */
const host = (): Host | undefined => (globalThis as { process?: Host }).process;

interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array>;
}

function fileSystem(): FileSystem | undefined {
  return host()?.getBuiltinModule?.("node:fs/promises") as FileSystem | undefined;
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

/** A worker, of a browser or of Node. */
export interface Port {
  postMessage(message: unknown): void;
  on?(event: "message" | "error", listener: (data: unknown) => void): void;
  onmessage?: ((event: { data: unknown }) => void) | null;
  onerror?: ((event: { message: string }) => void) | null;
  terminate(): unknown;
  unref?(): void;
}

interface NodeWorkers {
  readonly Worker: new (code: string, options: { eval: true }) => Port;
}

/** A worker that runs a script. */
export function openWorker(code: string): Port {
  const node = host()?.getBuiltinModule?.("node:worker_threads") as NodeWorkers | undefined;
  if (node) return new node.Worker(code, { eval: true });
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return new Worker(address) as unknown as Port;
}

/** Whether workers may share memory: in a page only where it is cross-origin isolated. */
export const canShareMemory = (): boolean =>
  typeof SharedArrayBuffer === "function" && (typeof Worker === "function" || host() !== undefined);

/** Whether the thread that asks may wait for others asleep: a page's own may not. */
export const maySleep = (): boolean => typeof document === "undefined";

export const processors = (): number =>
  (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 4;

/** WebGPU, where the engine has it. */
export function webGpu(): GPU | undefined {
  return (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
}
