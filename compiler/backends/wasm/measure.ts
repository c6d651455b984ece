/** Reads sizes of functions out of a module's bytes. */

function unsigned(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0;
  let shift = 0;
  for (;;) {
    const byte = bytes[at++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
    shift += 7;
  }
}

/** Bytes of the largest function body of the code section; 0 where there is none. */
export function largestFunctionBytesOf(bytes: Uint8Array): number {
  const codeSection = 10;
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at]!;
    const [size, start] = unsigned(bytes, at + 1);
    if (id === codeSection) {
      let largest = 0;
      let [count, next] = unsigned(bytes, start);
      for (; count > 0; count--) {
        const [length, body] = unsigned(bytes, next);
        largest = Math.max(largest, length);
        next = body + length;
      }
      return largest;
    }
    at = start + size;
  }
  return 0;
}
