/** A tensor's numbers on the host: row-major. The reference computes in f64 whatever the dtype of floats. */
import type { DType } from "./type.ts";

export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** f64 for floats, integers for the rest; bool is 0 or 1 */
  readonly data: Float64Array;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function tensor(dtype: DType, shape: readonly number[], data?: ArrayLike<number>): Tensor {
  const count = elementCount(shape);
  if (data && data.length !== count)
    throw new Error(`${data.length} values for a tensor of shape [${shape.join(", ")}]`);
  return { dtype, shape, data: data ? Float64Array.from(data) : new Float64Array(count) };
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
