/** Kernels built by hand, run as wasm, strict and relaxed, and compared with the reference in f64. */
import { expect } from "vitest";
import type { Buffer, Kernel } from "../../compiler/ir/kernel.ts";
import { instantiate, noise, programOf, reference, worst } from "./wasm-run.ts";

export type Values = ReadonlyMap<Buffer, ArrayLike<number>>;

interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
  readonly dims?: Readonly<Record<string, number>>;
  /** what memory is planned for; the dims where not given */
  readonly max?: Readonly<Record<string, number>>;
}

/** Runs strict and relaxed, and compares these buffers with the reference; without a tolerance they are equal. */
export async function check(
  kernels: readonly Kernel[],
  given: Values,
  outputs: readonly Buffer[],
  tolerance: Tolerance = {},
): Promise<void> {
  const { relative = 0, absolute = 0, dims = {} } = tolerance;
  const max = tolerance.max ?? dims;
  const wanted = reference(kernels, given, dims);
  for (const relaxed of [false, true]) {
    const instance = await instantiate(programOf(kernels, max), relaxed);
    for (const [b, values] of given) instance.set(b, values);
    instance.run(dims);
    for (const output of outputs) {
      const got = instance.get(output, dims);
      const want = wanted.get(output);
      if (relative === 0 && absolute === 0) expect([...got]).toEqual([...want]);
      else expect(worst(got, want, absolute, relative)).toBeLessThanOrEqual(1);
    }
  }
}

export const integers = (count: number, most: number): Float32Array =>
  noise(count, 9).map((x) => Math.floor(Math.abs(x) * most));
