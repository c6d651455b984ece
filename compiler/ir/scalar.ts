/**
 * Scalar code: what one element of a result is. A DAG of plain data; nodes are shared by identity.
 * Ops build it (`element`), lowering places it in kernels, backends emit it, the reference executes it.
 */
import * as dim from "./dim.ts";
import type { Dim } from "./dim.ts";
import type { Buffer, Stage } from "./kernel.ts";
import type { ScalarType } from "./type.ts";

/** One loop of a kernel. Compared by identity. */
export interface LoopAxis {
  readonly name: string;
  readonly size: Dim;
  /** the steps of a loop around kernels: no loop of theirs, but bound where they are run */
  readonly counter?: true;
}

/** constant + sum of coefficient * axis; at most one term an axis, no zero coefficients. */
export interface Affine {
  readonly constant: Dim;
  readonly terms: readonly { readonly axis: LoopAxis; readonly coefficient: Dim }[];
}

/** A position along one axis: affine in the loops, or computed (gather). */
export type Index =
  | { readonly kind: "affine"; readonly affine: Affine }
  | { readonly kind: "computed"; readonly value: Scalar };

export type Scalar =
  | { readonly kind: "constant"; readonly type: ScalarType; readonly value: number }
  /** an affine index as an i32 */
  | { readonly kind: "index"; readonly type: "i32"; readonly index: Affine }
  /** a size as an i32 */
  | { readonly kind: "size"; readonly type: "i32"; readonly size: Dim }
  /** 0 <= index < size on every axis */
  | {
      readonly kind: "inside";
      readonly type: "bool";
      readonly index: readonly Affine[];
      readonly shape: readonly Dim[];
    }
  | Load
  /** the register or the tile element of an earlier stage of the same kernel */
  | {
      readonly kind: "result";
      readonly type: ScalarType;
      readonly stage: Stage;
      readonly index: readonly Affine[];
    }
  | {
      readonly kind: "apply";
      readonly type: ScalarType;
      readonly instruction: Instruction;
      readonly operands: readonly Scalar[];
    };

/**
 * Reads one element of a buffer. `shape` is the row-major view through which `index` reads: the buffer's own
 * shape, or another with the same number of elements. On the axes in `guarded` the index may lie outside
 * [0, size): the whole load is then 0 (false). On all others it is proved inside. A computed index is clamped.
 */
export interface Load {
  readonly kind: "load";
  readonly type: ScalarType;
  readonly buffer: Buffer;
  readonly shape: readonly Dim[];
  readonly index: readonly Index[];
  readonly guarded: readonly number[];
}

/**
 * Operands and result: f float, i integer, b bool. `ulp` bounds the error of the f32 instruction on wasm in units
 * in the last place (0: correctly rounded or exact).
 */
export const instructions = {
  add: { operands: "ff", result: "f", ulp: 0.5 },
  sub: { operands: "ff", result: "f", ulp: 0.5 },
  mul: { operands: "ff", result: "f", ulp: 0.5 },
  div: { operands: "ff", result: "f", ulp: 0.5 },
  neg: { operands: "f", result: "f", ulp: 0 },
  abs: { operands: "f", result: "f", ulp: 0 },
  /** NaN in the first operand passes through */
  max: { operands: "ff", result: "f", ulp: 0 },
  min: { operands: "ff", result: "f", ulp: 0 },
  floor: { operands: "f", result: "f", ulp: 0 },
  sqrt: { operands: "f", result: "f", ulp: 0.5 },
  rsqrt: { operands: "f", result: "f", ulp: 1.5 },
  reciprocal: { operands: "f", result: "f", ulp: 0.5 },
  exp: { operands: "f", result: "f", ulp: 4 },
  expm1: { operands: "f", result: "f", ulp: 4 },
  log: { operands: "f", result: "f", ulp: 4 },
  log1p: { operands: "f", result: "f", ulp: 4 },
  tanh: { operands: "f", result: "f", ulp: 4 },
  sigmoid: { operands: "f", result: "f", ulp: 4 },
  softplus: { operands: "f", result: "f", ulp: 4 },
  erf: { operands: "f", result: "f", ulp: 8 },
  /** absolute error in units of 2^-24 for |x| <= 100 pi */
  sin: { operands: "f", result: "f", ulp: 4 },
  cos: { operands: "f", result: "f", ulp: 4 },
  pow: { operands: "ff", result: "f", ulp: 16 },
  eq: { operands: "ff", result: "b", ulp: 0 },
  ne: { operands: "ff", result: "b", ulp: 0 },
  lt: { operands: "ff", result: "b", ulp: 0 },
  le: { operands: "ff", result: "b", ulp: 0 },
  /** by bit test: neither infinite nor NaN */
  is_finite: { operands: "f", result: "b", ulp: 0 },
  select: { operands: "bff", result: "f", ulp: 0 },
  add_i32: { operands: "ii", result: "i", ulp: 0 },
  sub_i32: { operands: "ii", result: "i", ulp: 0 },
  mul_i32: { operands: "ii", result: "i", ulp: 0 },
  min_i32: { operands: "ii", result: "i", ulp: 0 },
  max_i32: { operands: "ii", result: "i", ulp: 0 },
  and_i32: { operands: "ii", result: "i", ulp: 0 },
  or_i32: { operands: "ii", result: "i", ulp: 0 },
  xor_i32: { operands: "ii", result: "i", ulp: 0 },
  /** shift amounts are constants in 0..31 */
  shift_left: { operands: "ii", result: "i", ulp: 0 },
  shift_right_unsigned: { operands: "ii", result: "i", ulp: 0 },
  eq_i32: { operands: "ii", result: "b", ulp: 0 },
  ne_i32: { operands: "ii", result: "b", ulp: 0 },
  lt_i32: { operands: "ii", result: "b", ulp: 0 },
  le_i32: { operands: "ii", result: "b", ulp: 0 },
  select_i32: { operands: "bii", result: "i", ulp: 0 },
  and: { operands: "bb", result: "b", ulp: 0 },
  or: { operands: "bb", result: "b", ulp: 0 },
  not: { operands: "b", result: "b", ulp: 0 },
  select_bool: { operands: "bbb", result: "b", ulp: 0 },
  /** nearest f32, ties to even */
  i32_to_f32: { operands: "i", result: "f", ulp: 0.5 },
  /** truncates; saturates; NaN gives 0 */
  f32_to_i32: { operands: "f", result: "i", ulp: 0 },
  /** 1 or 0 */
  bool_to_f32: { operands: "b", result: "f", ulp: 0 },
  bool_to_i32: { operands: "b", result: "i", ulp: 0 },
} as const;

export type Instruction = keyof typeof instructions;

const typeLetters: Readonly<Record<string, ScalarType>> = { f: "f32", i: "i32", b: "bool" };

export function resultTypeOf(instruction: Instruction): ScalarType {
  return typeLetters[instructions[instruction].result]!;
}

export function operandTypesOf(instruction: Instruction): readonly ScalarType[] {
  return [...instructions[instruction].operands].map((letter) => typeLetters[letter]!);
}

export function apply(instruction: Instruction, ...operands: Scalar[]): Scalar {
  return { kind: "apply", type: resultTypeOf(instruction), instruction, operands };
}

export function f32(value: number): Scalar {
  return { kind: "constant", type: "f32", value };
}

export function i32(value: number): Scalar {
  return { kind: "constant", type: "i32", value: value | 0 };
}

export function bool(value: boolean): Scalar {
  return { kind: "constant", type: "bool", value: value ? 1 : 0 };
}

// ---------------------------------------------------------------- affine arithmetic

export function affineConstant(value: Dim | number): Affine {
  return { constant: typeof value === "number" ? dim.constant(value) : value, terms: [] };
}

export function affineAxis(axis: LoopAxis): Affine {
  return { constant: dim.zero, terms: [{ axis, coefficient: dim.one }] };
}

export function affineAdd(a: Affine, b: Affine): Affine {
  const terms = new Map(a.terms.map((t) => [t.axis, t.coefficient]));
  for (const { axis, coefficient } of b.terms)
    terms.set(axis, dim.add(terms.get(axis) ?? dim.zero, coefficient));
  return {
    constant: dim.add(a.constant, b.constant),
    terms: [...terms]
      .filter(([, c]) => !dim.equal(c, dim.zero))
      .map(([axis, coefficient]) => ({ axis, coefficient })),
  };
}

export function affineScale(a: Affine, factor: Dim | number): Affine {
  const by = typeof factor === "number" ? dim.constant(factor) : factor;
  if (dim.equal(by, dim.zero)) return affineConstant(0);
  return {
    constant: dim.multiply(a.constant, by),
    terms: a.terms.map(({ axis, coefficient }) => ({ axis, coefficient: dim.multiply(coefficient, by) })),
  };
}

export function affineShift(a: Affine, by: Dim | number): Affine {
  return affineAdd(a, affineConstant(by));
}

/** Replaces axes by affine expressions; axes without an entry stay. */
export function affineSubstitute(a: Affine, values: ReadonlyMap<LoopAxis, Affine>): Affine {
  let result = affineConstant(a.constant);
  for (const { axis, coefficient } of a.terms)
    result = affineAdd(result, affineScale(values.get(axis) ?? affineAxis(axis), coefficient));
  return result;
}
