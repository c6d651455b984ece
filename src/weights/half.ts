/** Numbers as IEEE 754 binary16, for weights that are stored so. The way back is the runtime's `fromHalf`. */

/** 10 bits behind the point: rounding changes a normal number by at most this part of it. */
export const halfPrecision = 2 ** -11;
/** The largest finite number. */
export const largestHalf = 65504;
/** Distance of numbers below 2^-14, the smallest normal one. */
export const smallestHalf = 2 ** -24;

/** The nearest number's bits, ties to even; what is too large becomes infinite. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= largestHalf + 16) return sign | 0x7c00;
  // a fraction that rounds up to a whole one carries into the exponent, as it should
  if (size < 2 ** -14) return sign | roundToEven(size / smallestHalf);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
