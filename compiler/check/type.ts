/** Types as people write them: axes with labels and sizes. Graph types (compiler/ir/type.ts) have sizes only. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { DType, TensorType } from "../ir/type.ts";
import type { SizeOrigin } from "./origin.ts";

export interface Size {
  readonly dim: Dim;
  readonly origin: SizeOrigin;
}

/**
 * One axis. Labels of axes that a pack took in are hidden while a module runs (`#0`, `S#1`): nobody can name them
 * there, and they get their own names back at the end of the call. `shown` is the name for messages.
 */
export interface Axis {
  readonly label: string | undefined;
  readonly size: Size;
  readonly shown?: string;
}

/** `int` is `int<N>`: integers known to lie in 0 .. N-1. */
export type ElementType = DType | "int";

export interface CheckType {
  readonly element: ElementType;
  /** of int<N> */
  readonly bound: (Size & { readonly label?: string | undefined }) | undefined;
  readonly axes: readonly Axis[];
}

export function checkType(
  element: ElementType,
  axes: readonly Axis[],
  bound?: CheckType["bound"],
): CheckType {
  return { element, axes, bound };
}

export function isFloat(type: CheckType): boolean {
  return type.element === "f32" || type.element === "f16";
}

export function dtypeOf(type: CheckType): DType {
  return type.element === "int" ? "i32" : type.element;
}

export function graphType(type: CheckType): TensorType {
  return { dtype: dtypeOf(type), shape: type.axes.map((axis) => axis.size.dim) };
}

export function shapeOf(type: CheckType): readonly Dim[] {
  return type.axes.map((axis) => axis.size.dim);
}

export function elementsOf(type: CheckType): Dim {
  return dim.product(shapeOf(type));
}

/** How dims are printed: a solver gives back the names that its substitutions hid. */
export type ShowDim = (size: Dim) => string;

export function showAxis(axis: Axis, show: ShowDim = dim.show): string {
  const label = axis.shown ?? axis.label;
  const size = show(axis.size.dim);
  return label === undefined || label === size || label.includes("#") ? size : `${label}=${size}`;
}

/** `[B, T, D=8]`, `u8[B, H=28]`, `int<10>[B]`; `[..R, D]` where a pack stands for axes of any size */
export function showType(type: CheckType, show: ShowDim = dim.show): string {
  const items = type.axes.map((axis) => showAxis(axis, show));
  const axes = `[${items.filter((item, i) => !(item.startsWith("..") && item === items[i - 1])).join(", ")}]`;
  if (type.element === "int") return `int<${type.bound ? show(type.bound.dim) : "?"}>${axes}`;
  return type.element === "f32" ? axes : `${type.element}${axes}`;
}
