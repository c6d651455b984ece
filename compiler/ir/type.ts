/** Types of tensors in graphs. Labels end at the checker: here an axis is a size. */
import * as dim from "./dim.ts";
import type { Dim } from "./dim.ts";

/** `int<N>` is i32 here. u8 and bool take one byte. f16 is a storage type only. */
export type DType = "f32" | "f16" | "i32" | "u8" | "bool";

/** What a scalar instruction computes with: f32 (f64 in the reference), i32 (wraps), bool. */
export type ScalarType = "f32" | "i32" | "bool";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u8: 1, bool: 1 };

export function scalarTypeOf(dtype: DType): ScalarType {
  return dtype === "f32" || dtype === "f16" ? "f32" : dtype === "bool" ? "bool" : "i32";
}

export function tensorType(dtype: DType, shape: readonly (Dim | number)[]): TensorType {
  return { dtype, shape: shape.map((s) => (typeof s === "number" ? dim.constant(s) : s)) };
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => dim.equal(d, b[i]!));
}

export function elements(type: TensorType): Dim {
  return dim.product(type.shape);
}

/** `f32[B, 28, 28, 1]` */
export function showType(type: TensorType): string {
  return `${type.dtype}[${type.shape.map((d) => d.key).join(", ")}]`;
}
