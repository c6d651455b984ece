/**
 * Computed indices taken apart: a position such as `i + 64 * clamped` is a step along the loop i and a computed rest.
 * Only where the whole is proved inside, since a computed index is otherwise clamped as a whole.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Affine, Scalar } from "../ir/scalar.ts";
import { affineAdd, affineConstant, affineScale } from "../ir/scalar.ts";

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Values an i32 scalar can have; undefined where no bound is known. */
function rangeOf(node: Scalar): Range | undefined {
  switch (node.kind) {
    case "constant":
      return { low: node.value, high: node.value };
    case "index":
      return affineRange(node.index);
    case "load":
      return node.buffer.dtype === "u8" ? { low: 0, high: 255 } : undefined;
    case "apply": {
      const [a, b] = node.operands.map(rangeOf);
      switch (node.instruction) {
        case "add_i32":
          return a && b && { low: a.low + b.low, high: a.high + b.high };
        case "sub_i32":
          return a && b && { low: a.low - b.high, high: a.high - b.low };
        case "mul_i32": {
          if (a === undefined || b === undefined) return undefined;
          const all = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
          return { low: Math.min(...all), high: Math.max(...all) };
        }
        case "min_i32": {
          const high = Math.min(a?.high ?? Infinity, b?.high ?? Infinity);
          return { low: Math.min(a?.low ?? -Infinity, b?.low ?? -Infinity), high };
        }
        case "max_i32": {
          const low = Math.max(a?.low ?? -Infinity, b?.low ?? -Infinity);
          return { low, high: Math.max(a?.high ?? Infinity, b?.high ?? Infinity) };
        }
        default:
          return undefined;
      }
    }
    case "size":
    case "inside":
    case "result":
      return undefined;
  }
}

function affineRange(a: Affine): Range | undefined {
  let low = dim.constantOf(a.constant);
  let high = low;
  for (const { axis, coefficient } of a.terms) {
    const size = dim.constantOf(axis.size);
    const step = dim.constantOf(coefficient);
    if (size === undefined || step === undefined || low === undefined || high === undefined) return undefined;
    const reach = step * Math.max(size - 1, 0);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low === undefined || high === undefined ? undefined : { low, high };
}

export interface Parts {
  readonly affine: Affine;
  /** sum of factor * value, each a whole number computed per element */
  readonly rest: readonly { readonly value: Scalar; readonly factor: number }[];
}

/** The parts of an index that is proved to lie in [0, size); undefined where it is not, or where there is nothing affine in it. */
export function partsOf(value: Scalar, size: Dim): Parts | undefined {
  const range = rangeOf(value);
  const limit = dim.constantOf(size);
  if (range === undefined || limit === undefined || !(range.low >= 0 && range.high < limit)) return undefined;
  return takeApart(value, 1);
}

function takeApart(node: Scalar, factor: number): Parts {
  if (node.kind === "constant") return { affine: affineConstant(node.value * factor), rest: [] };
  if (node.kind === "index") return { affine: affineScale(node.index, factor), rest: [] };
  if (node.kind === "apply" && node.instruction === "add_i32") {
    const [a, b] = node.operands.map((operand) => takeApart(operand, factor)) as [Parts, Parts];
    return { affine: affineAdd(a.affine, b.affine), rest: [...a.rest, ...b.rest] };
  }
  if (node.kind === "apply" && node.instruction === "mul_i32") {
    const [a, b] = node.operands as [Scalar, Scalar];
    if (b.kind === "constant") return takeApart(a, factor * b.value);
    if (a.kind === "constant") return takeApart(b, factor * a.value);
  }
  return { affine: affineConstant(0), rest: [{ value: node, factor }] };
}
