/** The one error type of the runtime: what went wrong as a code, and where. */

export type ErrorCode =
  /** not an artifact, truncated, altered, or not what its manifest says */
  | "artifact"
  /** written by a newer compiler */
  | "format"
  /** a file could not be read or fetched */
  | "read"
  /** more memory than there is */
  | "memory"
  /** a size given for a dim is not possible */
  | "dims"
  /** an input, or an array in `into`, is not what the entry takes */
  | "input"
  /** a weights file, or weights given, are not those of this model; or there are none yet */
  | "weights"
  /** the artifact was compiled without this entry */
  | "entry"
  /** the code stopped in the middle; the model is no longer usable */
  | "trap"
  /** `signal` was aborted */
  | "aborted"
  /** there is no WebGPU, or it gives no device */
  | "gpu"
  /** the GPU's driver refuses a kernel: `layer` says of what */
  | "kernel"
  /** weights were asked for while a call was under way */
  | "busy"
  /** the model was destroyed */
  | "destroyed";

export class DlmError extends Error {
  readonly code: ErrorCode;
  /** the entry that was called: infer, train, ... */
  readonly entry: string | undefined;
  /** path of the layer, where one is to blame */
  readonly layer: string | undefined;

  constructor(code: ErrorCode, message: string, entry?: string, cause?: unknown, layer?: string) {
    super(message, { cause });
    this.name = "DlmError";
    this.code = code;
    this.entry = entry;
    this.layer = layer;
  }
}

export function fail(code: ErrorCode, message: string, entry?: string, cause?: unknown): never {
  throw new DlmError(code, message, entry, cause);
}
