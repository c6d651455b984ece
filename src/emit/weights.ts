/** The weights beside a compiled model: what its manifest lists and nothing else, with a digest of the numbers. */
import type { Manifest } from "../../runtime/artifact.ts";
import type { HostArray } from "../data/table.ts";
import { Failure } from "../failure.ts";
import { writeWithDigest } from "../weights/digest.ts";
import { largestHalf, toHalf } from "../weights/half.ts";
import type { HalfArray } from "../weights/safetensors.ts";

/**
 * Bytes of the .safetensors of weights and states by path; other tensors (optimizer state) are left out. Stored as f16,
 * weights take half the bytes; states, which are statistics, stay f32. Errors: Failure where f16 cannot hold a weight.
 * A missing tensor, or one of another size, is a caller's bug and throws.
 */
export function weightsFile(
  manifest: Manifest,
  tensors: ReadonlyMap<string, Float32Array>,
  stored: "f32" | "f16" = "f32",
): Uint8Array {
  const halved = new Set(stored === "f16" ? manifest.weights.map(({ path }) => path) : []);
  const listed = new Map(
    [...manifest.weights, ...manifest.states].map(
      ({ path, shape }): readonly [string, HostArray | HalfArray] => {
        const data = tensors.get(path);
        if (data?.length !== shape.reduce((a, b) => a * b, 1))
          throw new Error(`${path} has ${data?.length ?? "no"} numbers, and shape [${shape.join(", ")}]`);
        if (!halved.has(path)) return [path, { dtype: "f32", shape, data }];
        const large = data.find((value) => Math.abs(value) > largestHalf);
        if (large !== undefined)
          throw new Failure(`f16 cannot hold ${large}, a number of ${path}`, {
            help: "write `weights f32` in the deploy block",
          });
        return [path, { dtype: "f16", shape, data: Uint16Array.from(data, toHalf) }];
      },
    ),
  );
  return writeWithDigest(
    listed,
    new Map([
      ["format", "dlm"],
      ["weights", manifest.hashes.weights],
    ]),
  );
}
