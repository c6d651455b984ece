/**
 * Fusion mechanics: one element of a value as scalar code. Reading a stored value is a load; reading any other is the
 * element of its producer at that index, so fusion is function composition.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Node, Value } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Buffer } from "../ir/kernel.ts";
import type { Combine, ElementContext } from "../ir/op.ts";
import * as scalar from "../ir/scalar.ts";
import type { Affine, Index, Instruction, LoopAxis, Scalar } from "../ir/scalar.ts";
import { scalarTypeOf } from "../ir/type.ts";
import type { ScalarType } from "../ir/type.ts";
import { provedInside } from "./bounds.ts";
import { isUnit } from "./digits.ts";
import type { Digits } from "./digits.ts";
import type { Names } from "./scalar-walk.ts";

/** Where a value lies: in a row-major view of a buffer, at its own index or where `place` says. */
export interface Location {
  readonly buffer: Buffer;
  readonly shape: readonly Dim[];
  readonly place: ((index: readonly Affine[]) => readonly Affine[]) | undefined;
}

/** How a kernel reads values. */
export interface Reader {
  /** one element of an operand that is known to lie inside it, or guarded by the caller */
  element(value: Value, index: readonly Affine[], guarded: readonly number[]): Scalar;
  /** a new reduction: its stage */
  stage(combine: Combine, over: readonly LoopAxis[], value: Scalar): Scalar;
}

const selectOf: Readonly<Record<ScalarType, Instruction>> = {
  f32: "select",
  i32: "select_i32",
  bool: "select_bool",
};

export function zeroOf(type: ScalarType): Scalar {
  return type === "f32" ? scalar.f32(0) : type === "i32" ? scalar.i32(0) : scalar.bool(false);
}

/** A loop axis a size; none where it is 1. */
export function indexOver(
  sizes: readonly Dim[],
  name: (k: number) => string,
): { readonly axes: readonly LoopAxis[]; readonly index: readonly Affine[] } {
  const axes: LoopAxis[] = [];
  const index = sizes.map((size, k) => {
    if (isUnit(size)) return scalar.affineConstant(0);
    const axis: LoopAxis = { name: name(k), size };
    axes.push(axis);
    return scalar.affineAxis(axis);
  });
  return { axes, index };
}

/**
 * Positions that are computed (gather) go through views as virtual axes; `known` says what each stands for.
 * A computed position is clamped into [0, size).
 */
export interface Computed {
  readonly known: Map<LoopAxis, Scalar>;
  axisOf(value: Scalar, size: Dim): LoopAxis;
}

export function makeComputed(): Computed {
  const known = new Map<LoopAxis, Scalar>();
  const made = new Map<Scalar, LoopAxis[]>();
  return {
    known,
    axisOf(value, size) {
      const list = made.get(value) ?? [];
      made.set(value, list);
      let axis = list.find((a) => dim.equal(a.size, size));
      if (axis === undefined) {
        axis = { name: "computed", size };
        list.push(axis);
        known.set(axis, value);
      }
      return axis;
    },
  };
}

export interface Loops {
  readonly names: Names;
  readonly digits: Digits;
  readonly computed: Computed;
}

/** A counter for readable names of loops. */
const loopNames = "ijklmnopqrstuvwxyz";

/** The scalar code of one element of a node's result, its operands read by `reader`. */
export function elementOf(
  node: Node,
  result: number,
  index: readonly Affine[],
  loops: Loops,
  reader: Reader,
): Scalar {
  const { digits, computed } = loops;
  const context: ElementContext = {
    operands: node.operands.map((v) => v.type),
    results: node.results.map((v) => v.type),
    index,
    read(operand, given) {
      const value = operandOf(node, operand);
      const { shape, dtype } = value.type;
      const at = given.map((i: Affine | Index, k) => {
        if (!("kind" in i)) return digits.recombine(i);
        return i.kind === "affine"
          ? digits.recombine(i.affine)
          : scalar.affineAxis(computed.axisOf(i.value, shape[k]!));
      });
      const outside = at.flatMap((a, k) => (provedInside(a, shape[k]!) ? [] : [k]));
      const element = reader.element(value, at, outside);
      if (
        outside.length === 0 ||
        alreadyGuarded(
          element,
          outside.map((k) => at[k]!),
          outside.map((k) => shape[k]!),
          loops,
        )
      )
        return element;
      return scalar.apply(
        selectOf[scalarTypeOf(dtype)],
        insideOf(at, shape, outside),
        element,
        zeroOf(scalarTypeOf(dtype)),
      );
    },
    inside(operand, at) {
      const { shape } = operandOf(node, operand).type;
      return insideOf(
        at,
        shape,
        at.flatMap((a, k) => (provedInside(a, shape[k]!) ? [] : [k])),
      );
    },
    reduce(combine, sizes, body) {
      const { axes, index: inner } = indexOver(sizes, (k) => loopNames[k] ?? `r${k}`);
      const value = body(inner);
      if (axes.length === 0) return combine === "argmax" || combine === "argmin" ? scalar.i32(0) : value;
      return reader.stage(combine, axes, value);
    },
    unmerge: (whole, sizes) => digits.unmerge(whole, sizes, node),
    size(size) {
      const number = dim.constantOf(size);
      return number === undefined ? { kind: "size", type: "i32", size } : scalar.i32(number);
    },
  };
  return node.op.element(context, node.attributes, result);
}

function operandOf(node: Node, operand: number): Value {
  const value = node.operands[operand];
  if (value === undefined)
    throw new InternalError(
      "lower",
      `${node.op.name} reads operand ${operand}, which it does not have`,
      undefined,
    );
  return value;
}

function insideOf(index: readonly Affine[], shape: readonly Dim[], axes: readonly number[]): Scalar {
  if (axes.length === 0) return scalar.bool(true);
  return {
    kind: "inside",
    type: "bool",
    index: axes.map((k) => index[k]!),
    shape: axes.map((k) => shape[k]!),
  };
}

/** True where the element is a load that is 0 itself when any of these positions lies outside. */
function alreadyGuarded(
  element: Scalar,
  index: readonly Affine[],
  shape: readonly Dim[],
  { names }: Loops,
): boolean {
  if (element.kind !== "load") return false;
  return index.every((a, n) =>
    element.guarded.some((k) => {
      const own = element.index[k]!;
      return (
        own.kind === "affine" &&
        dim.equal(element.shape[k]!, shape[n]!) &&
        names.affine(own.affine) === names.affine(a)
      );
    }),
  );
}

/** A load of one element; positions not proved inside the buffer's view are guarded. */
export function loadAt(
  location: Location,
  value: Value,
  index: readonly Affine[],
  { digits, computed }: Loops,
): Scalar {
  const type = scalarTypeOf(location.buffer.dtype);
  const at = location.place ? location.place(index) : index;
  if (at.length !== location.shape.length)
    throw new InternalError(
      "lower",
      `a value of rank ${value.type.shape.length} read with ${at.length} positions`,
      undefined,
    );
  const view = digits.collapse(location.shape, at);
  return {
    kind: "load",
    type,
    buffer: location.buffer,
    shape: view.shape,
    index: view.index.map((a, k): Index => {
      // the load itself clamps a position that is nothing but computed, where the axis is the one it belongs to
      const [term] = a.terms;
      const sole = a.terms.length === 1 && dim.equal(a.constant, dim.zero) && isUnit(term!.coefficient);
      const value = sole && computed.known.get(term!.axis);
      if (value && dim.equal(term!.axis.size, view.shape[k]!)) return { kind: "computed", value };
      return { kind: "affine", affine: a };
    }),
    guarded: view.index.flatMap((a, k) => (provedInside(a, view.shape[k]!) ? [] : [k])),
  };
}

export function producerOf(value: Value): Node {
  if (!isNode(value.source))
    throw new InternalError("lower", `the input ${value.source.name} has no buffer`, undefined);
  return value.source;
}
