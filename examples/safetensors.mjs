// Arrays as one .safetensors file, as `data NAME from arrays(...)` reads them.
import { writeFileSync } from "node:fs";

const dtypes = new Map([
  [Float32Array, "F32"],
  [Int32Array, "I32"],
  [Uint8Array, "U8"],
]);

/** `arrays`: by name, [shape, typed array]. */
export function writeSafetensors(path, arrays) {
  let end = 0;
  const header = {};
  for (const [name, [shape, values]] of Object.entries(arrays)) {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: dtypes.get(values.constructor), shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const bytes = Object.values(arrays).map(
    ([, { buffer, byteOffset, byteLength }]) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  writeFileSync(path, Buffer.concat([length, text, ...bytes]));
}
