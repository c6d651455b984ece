/** Tensors as the bytes that lie in memory. */
import type { Tensor } from "../ir/tensor.ts";
import type { DType } from "../ir/type.ts";

export function constantBytes(dtype: DType, value: Tensor): Uint8Array {
  switch (dtype) {
    case "f32":
      return new Uint8Array(Float32Array.from(value.data).buffer);
    case "i32":
      return new Uint8Array(Int32Array.from(value.data).buffer);
    case "u8":
    case "bool":
      return Uint8Array.from(value.data);
    case "f16":
      return new Uint8Array(Uint16Array.from(value.data, halfBits).buffer);
  }
}

/** The nearest IEEE binary16, ties to even. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size === 0 ? 2 ** -14 : size)));
  const step = 2 ** (exponent - 10);
  const steps = roundToEven(size / step);
  // 1024 steps and more carry into the exponent by themselves
  return sign | (steps + (exponent + 14) * 1024);
}

function roundToEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
