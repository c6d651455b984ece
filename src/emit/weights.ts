/** The weights beside a compiled model: what its manifest lists and nothing else, with a digest of the numbers. */
import { createHash } from "node:crypto";
import type { Manifest } from "../../runtime/artifact.ts";
import { writeSafetensors } from "../weights/safetensors.ts";

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
  const plain = writeSafetensors(listed);
  const headerSize = Number(new DataView(plain.buffer, plain.byteOffset).getBigUint64(0, true));
  const digest = createHash("sha256")
    .update(plain.subarray(8 + headerSize))
    .digest("hex");
  return writeSafetensors(
    listed,
    new Map([
      ["format", "dlm"],
      ["weights", manifest.hashes.weights],
      ["sha256", digest],
    ]),
  );
}
