/** The weights beside a compiled model: what its manifest lists and nothing else, with a digest of the numbers. */
import type { Manifest } from "../../runtime/artifact.ts";
import { writeWithDigest } from "../weights/digest.ts";

/**
 * Bytes of the .safetensors of weights and states by path; other tensors (optimizer state) are left out.
 * A missing tensor, or one of another size, is a caller's bug and throws.
 */
export function weightsFile(manifest: Manifest, tensors: ReadonlyMap<string, Float32Array>): Uint8Array {
  const listed = new Map(
    [...manifest.weights, ...manifest.states].map(({ path, shape }) => {
      const data = tensors.get(path);
      if (data?.length !== shape.reduce((a, b) => a * b, 1))
        throw new Error(`${path} has ${data?.length ?? "no"} numbers, and shape [${shape.join(", ")}]`);
      return [path, { dtype: "f32" as const, shape, data }];
    }),
  );
  return writeWithDigest(
    listed,
    new Map([
      ["format", "dlm"],
      ["weights", manifest.hashes.weights],
    ]),
  );
}
