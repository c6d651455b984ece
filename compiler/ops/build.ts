/**
 * Small typed functions that make nodes: what the checker and the gradient rules write graphs with. Where two operands
 * of an elementwise op differ in rank, one of rank 0 is expanded to the other's shape; any other broadcast is the
 * caller's `expandTo`.
 */
import * as dim from "../ir/dim.ts";
import { tensor } from "../ir/tensor.ts";
import { sameShape } from "../ir/type.ts";
import { abs as absOp } from "./abs.ts";
import { add as addOp } from "./add.ts";
import { and as andOp } from "./and.ts";
import { argReduce as argReduceOp } from "./arg-reduce.ts";
import { barrier as barrierOp } from "./barrier.ts";
import { cast as castOp } from "./cast.ts";
import { concat as concatOp } from "./concat.ts";
import { constant as constantOp } from "./constant.ts";
import { cos as cosOp } from "./cos.ts";
import { detach as detachOp } from "./detach.ts";
import { div as divOp } from "./div.ts";
import { eq as eqOp } from "./eq.ts";
import { erf as erfOp } from "./erf.ts";
import { exp as expOp } from "./exp.ts";
import { expand as expandOp } from "./expand.ts";
import { expm1 as expm1Op } from "./expm1.ts";
import { floor as floorOp } from "./floor.ts";
import { gather as gatherOp } from "./gather.ts";
import { attributesOf, axisMap } from "./index-maps.ts";
import { index as indexOp } from "./index-sum.ts";
import { iota as iotaOp } from "./iota.ts";
import { isFinite as isFiniteOp } from "./is-finite.ts";
import { le as leOp } from "./le.ts";
import { log as logOp } from "./log.ts";
import { log1p as log1pOp } from "./log1p.ts";
import { lt as ltOp } from "./lt.ts";
import { max as maxOp } from "./max.ts";
import { merge as mergeOp } from "./merge.ts";
import { min as minOp } from "./min.ts";
import { mul as mulOp } from "./mul.ts";
import { ne as neOp } from "./ne.ts";
import { neg as negOp } from "./neg.ts";
import { not as notOp } from "./not.ts";
import { or as orOp } from "./or.ts";
import { pad as padOp } from "./pad.ts";
import { pow as powOp } from "./pow.ts";
import { randomBits as randomBitsOp } from "./random-bits.ts";
import { reciprocal as reciprocalOp } from "./reciprocal.ts";
import { reduce as reduceOp } from "./reduce.ts";
import { reorder as reorderOp } from "./reorder.ts";
import { rsqrt as rsqrtOp } from "./rsqrt.ts";
import { scatterAdd as scatterAddOp } from "./scatter-add.ts";
import { select as selectOp } from "./select.ts";
import { sigmoid as sigmoidOp } from "./sigmoid.ts";
import { sin as sinOp } from "./sin.ts";
import { size as sizeOp } from "./size.ts";
import { slice as sliceOp } from "./slice.ts";
import { softplus as softplusOp } from "./softplus.ts";
import { split as splitOp } from "./split.ts";
import { sqrt as sqrtOp } from "./sqrt.ts";
import { sub as subOp } from "./sub.ts";
import { tanh as tanhOp } from "./tanh.ts";
import { updateSlice as updateSliceOp } from "./update-slice.ts";
import { windowMax as windowMaxOp } from "./window-max.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { DType } from "../ir/type.ts";
import type { IndexMaps } from "./index-maps.ts";
import type { Window } from "./window-max.ts";

type B = GraphBuilder;

// ---------------------------------------------------------------- constants and sizes

export function constantTensor(b: B, value: Tensor): Value {
  return b.emit(constantOp, [], { value });
}

export function constantScalar(b: B, value: number, dtype: DType = "f32"): Value {
  return constantTensor(b, tensor(dtype, [], [value]));
}

/** One number everywhere. */
export function full(b: B, value: number, shape: readonly Dim[], dtype: DType = "f32"): Value {
  return expandTo(b, constantScalar(b, value, dtype), shape, []);
}

/** One number everywhere, with the dtype and shape of a value. */
export function fullLike(b: B, value: number, like: Value): Value {
  return full(b, value, like.type.shape, like.type.dtype);
}

/** The position along one axis, as i32. */
export function iota(b: B, shape: readonly Dim[], axis: number): Value {
  return b.emit(iotaOp, [], { shape, axis });
}

/** A size as an f32 of rank 0. */
export function size(b: B, of: Dim): Value {
  const known = dim.constantOf(of);
  return known === undefined ? b.emit(sizeOp, [], { dim: of }) : constantScalar(b, known);
}

// ---------------------------------------------------------------- elementwise

function elementwise(b: B, op: Op, operands: readonly Value[]): Value {
  const whole = operands.find((value) => value.type.shape.length > 0);
  const expanded = operands.map((value) =>
    whole && value.type.shape.length === 0 ? expandTo(b, value, whole.type.shape, []) : value,
  );
  return b.emit(op, expanded);
}

const unary =
  (op: () => Op) =>
  (b: B, x: Value): Value =>
    b.emit(op(), [x]);

const binary =
  (op: () => Op) =>
  (b: B, x: Value, y: Value): Value =>
    elementwise(b, op(), [x, y]);

export const add = binary(() => addOp);
export const sub = binary(() => subOp);
export const mul = binary(() => mulOp);
export const div = binary(() => divOp);
export const max = binary(() => maxOp);
export const min = binary(() => minOp);
export const pow = binary(() => powOp);
export const eq = binary(() => eqOp);
export const ne = binary(() => neOp);
export const lt = binary(() => ltOp);
export const le = binary(() => leOp);
export const and = binary(() => andOp);
export const or = binary(() => orOp);
export const neg = unary(() => negOp);
export const abs = unary(() => absOp);
export const floor = unary(() => floorOp);
export const sqrt = unary(() => sqrtOp);
export const rsqrt = unary(() => rsqrtOp);
export const reciprocal = unary(() => reciprocalOp);
export const exp = unary(() => expOp);
export const expm1 = unary(() => expm1Op);
export const log = unary(() => logOp);
export const log1p = unary(() => log1pOp);
export const tanh = unary(() => tanhOp);
export const sigmoid = unary(() => sigmoidOp);
export const softplus = unary(() => softplusOp);
export const erf = unary(() => erfOp);
export const sin = unary(() => sinOp);
export const cos = unary(() => cosOp);
export const isFinite = unary(() => isFiniteOp);
export const not = unary(() => notOp);
export const detach = unary(() => detachOp);

/** x, computed from which nothing is shared with what is computed from x itself or from a barrier of another part. */
export function barrier(b: B, x: Value, part: number): Value {
  return b.emit(barrierOp, [x], { part });
}

export function select(b: B, condition: Value, x: Value, y: Value): Value {
  return elementwise(b, selectOp, [condition, x, y]);
}

/** max(x, 0): NaN stays NaN, the derivative at 0 is 0. */
export function relu(b: B, x: Value): Value {
  return max(b, x, fullLike(b, 0, x));
}

/** x times a number. */
export function scale(b: B, x: Value, factor: number): Value {
  return mul(b, x, constantScalar(b, factor));
}

/** x plus a number. */
export function shift(b: B, x: Value, by: number): Value {
  return add(b, x, constantScalar(b, by));
}

/** The same value where it already has the dtype. */
export function cast(b: B, x: Value, dtype: DType): Value {
  return x.type.dtype === dtype ? x : b.emit(castOp, [x], { dtype });
}

// ---------------------------------------------------------------- views

/** Axis i of x becomes axis axes[i] of the result (rising); the result's other axes repeat it. */
export function expandTo(b: B, x: Value, shape: readonly Dim[], axes: readonly number[]): Value {
  if (sameShape(x.type.shape, shape)) return x;
  return b.emit(expandOp, [x], { shape, axes });
}

/** Axis i of the result is axis permutation[i] of x. */
export function reorder(b: B, x: Value, permutation: readonly number[]): Value {
  return permutation.every((axis, i) => axis === i) ? x : b.emit(reorderOp, [x], { permutation });
}

export function split(b: B, x: Value, axis: number, sizes: readonly Dim[]): Value {
  return sizes.length === 1 ? x : b.emit(splitOp, [x], { axis, sizes });
}

export function merge(b: B, x: Value, axis: number, count: number): Value {
  return count === 1 ? x : b.emit(mergeOp, [x], { axis, count });
}

/** A new axis of size 1 before `axis`. */
export function insertAxis(b: B, x: Value, axis: number): Value {
  return merge(b, x, axis, 0);
}

/** An axis of size 1 goes away. */
export function dropAxis(b: B, x: Value, axis: number): Value {
  return split(b, x, axis, []);
}

export function slice(b: B, x: Value, axis: number, start: Dim, count: Dim): Value {
  if (dim.equal(start, dim.zero) && dim.equal(count, x.type.shape[axis] ?? dim.zero)) return x;
  return b.emit(sliceOp, [x], { axis, start, size: count });
}

export function pad(b: B, x: Value, axis: number, before: Dim, after: Dim): Value {
  if (dim.equal(before, dim.zero) && dim.equal(after, dim.zero)) return x;
  return b.emit(padOp, [x], { axis, before, after });
}

export function concat(b: B, parts: readonly Value[], axis: number): Value {
  return parts.length === 1 ? parts[0]! : b.emit(concatOp, parts, { axis });
}

// ---------------------------------------------------------------- reductions and contractions

function reduce(b: B, x: Value, axes: readonly number[], combine: string): Value {
  if (axes.length === 0) return x;
  return b.emit(reduceOp, [x], { axes: [...axes].sort((i, j) => i - j), combine });
}

export function reduceSum(b: B, x: Value, axes: readonly number[]): Value {
  return reduce(b, x, axes, "sum");
}

export function reduceMax(b: B, x: Value, axes: readonly number[]): Value {
  return reduce(b, x, axes, "max");
}

export function reduceMin(b: B, x: Value, axes: readonly number[]): Value {
  return reduce(b, x, axes, "min");
}

/** The sum divided by the number of elements along the axes. */
export function reduceMean(b: B, x: Value, axes: readonly number[]): Value {
  const count = size(b, dim.product(axes.map((axis) => x.type.shape[axis]!)));
  return div(b, reduceSum(b, x, axes), count);
}

export function argmax(b: B, x: Value, axis: number): Value {
  return b.emit(argReduceOp, [x], { axis, combine: "argmax" });
}

export function argmin(b: B, x: Value, axis: number): Value {
  return b.emit(argReduceOp, [x], { axis, combine: "argmin" });
}

/** The sum over loops from `result` on of the product of the operands, read through affine maps (see index-maps.ts: axisMap). */
export function index(b: B, operands: readonly Value[], maps: IndexMaps): Value {
  return b.emit(indexOp, operands, attributesOf(maps));
}

/**
 * The sum over pairs of inner axes of x times y; pairs of batch axes are kept in common.
 * Result: the batch axes as paired, then the other axes of x, then those of y.
 */
export function contract(
  b: B,
  x: Value,
  y: Value,
  pairs: {
    readonly batch?: readonly (readonly [x: number, y: number])[];
    readonly inner: readonly (readonly [x: number, y: number])[];
  },
): Value {
  const batch = pairs.batch ?? [];
  const rest = (value: Value, side: 0 | 1) =>
    value.type.shape
      .map((_, axis) => axis)
      .filter((axis) => ![...batch, ...pairs.inner].some((pair) => pair[side] === axis));
  const rows = rest(x, 0);
  const columns = rest(y, 1);
  const loopsOfX = [...batch.map(([i]) => i), ...rows];
  const result = loopsOfX.length + columns.length;
  const axes = [
    ...loopsOfX.map((axis) => x.type.shape[axis]!),
    ...columns.map((axis) => y.type.shape[axis]!),
    ...pairs.inner.map(([i]) => x.type.shape[i]!),
  ];
  const inner = (axis: number, side: 0 | 1) => result + pairs.inner.findIndex((pair) => pair[side] === axis);
  const loopOfX = (axis: number) => (loopsOfX.includes(axis) ? loopsOfX.indexOf(axis) : inner(axis, 0));
  const loopOfY = (axis: number) => {
    if (columns.includes(axis)) return loopsOfX.length + columns.indexOf(axis);
    const paired = batch.findIndex(([, j]) => j === axis);
    return paired >= 0 ? paired : inner(axis, 1);
  };
  return index(b, [x, y], {
    axes,
    result,
    maps: [
      x.type.shape.map((_, axis) => axisMap(axes.length, [[loopOfX(axis), 1]])),
      y.type.shape.map((_, axis) => axisMap(axes.length, [[loopOfY(axis), 1]])),
    ],
  });
}

/** x's last axis with y's first. */
export function matmul(b: B, x: Value, y: Value): Value {
  return contract(b, x, y, { inner: [[x.type.shape.length - 1, 0]] });
}

/** [value, u8 row-major position in the window] */
export function windowMax(b: B, x: Value, windows: readonly Window[]): readonly [Value, Value] {
  const [value, position] = b.node(windowMaxOp, [x], {
    windows: windows.map((w) => [w.axis, w.size, w.stride, w.before, w.after]),
  });
  return [value!, position!];
}

// ---------------------------------------------------------------- tables and random numbers

/** Rows of the table's first axis; result: the shape of ids, then that of a row. */
export function gather(b: B, table: Value, ids: Value): Value {
  return b.emit(gatherOp, [table, ids]);
}

export function scatterAdd(b: B, base: Value, ids: Value, rows: Value): Value {
  return b.emit(scatterAddOp, [base, ids, rows]);
}

/** The base with `value` in place of the positions from `start` (an i32 of rank 0) on along an axis. */
export function updateSlice(b: B, base: Value, value: Value, start: Value, axis: number): Value {
  return b.emit(updateSliceOp, [base, value, start], { axis });
}

/** 1 at the id along a new last axis of this size, else 0; f32. */
export function oneHot(b: B, ids: Value, classes: Dim): Value {
  const shape = [...ids.type.shape, classes];
  const own = ids.type.shape.map((_, axis) => axis);
  const wanted = expandTo(b, cast(b, ids, "i32"), shape, own);
  return cast(b, eq(b, wanted, iota(b, shape, shape.length - 1)), "f32");
}

/**
 * i32 in [0, 2^24); seed, iteration and rows (those before the first) are i32 of rank 0, `key` tells this use apart from
 * all others.
 */
export function randomBits(
  b: B,
  seed: Value,
  iteration: Value,
  key: number,
  shape: readonly Dim[],
  rows = constantScalar(b, 0, "i32"),
): Value {
  return b.emit(randomBitsOp, [seed, iteration, rows], { key, shape });
}

/** Uniform in [0, 1): 24 random bits times 2^-24, exact in f32. */
export function uniform(b: B, seed: Value, iteration: Value, key: number, shape: readonly Dim[]): Value {
  return scale(b, cast(b, randomBits(b, seed, iteration, key, shape), "f32"), 2 ** -24);
}
