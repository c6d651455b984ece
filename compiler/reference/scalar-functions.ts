/** What each scalar instruction computes, in f64 for floats, as JavaScript text over operand texts. */
import { errorFunction } from "../ops/erf.ts";
import type { Instruction } from "../ir/scalar.ts";

/** Functions that the texts below may name. */
export const helpers = {
  erf: errorFunction,
  /** to i32, saturating; NaN gives 0 */
  truncate: (x: number): number =>
    Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -2147483648), 2147483647) + 0,
  softplus: (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid: (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
} as const;

/** Bools are 0 or 1. */
export const scalarTexts: Readonly<Record<Instruction, (a: string, b: string, c: string) => string>> = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  neg: (a) => `-${a}`,
  abs: (a) => `Math.abs(${a})`,
  max: (a, b) => `(${b} > ${a} ? ${b} : ${a})`,
  min: (a, b) => `(${b} < ${a} ? ${b} : ${a})`,
  floor: (a) => `Math.floor(${a})`,
  sqrt: (a) => `Math.sqrt(${a})`,
  rsqrt: (a) => `1 / Math.sqrt(${a})`,
  reciprocal: (a) => `1 / ${a}`,
  exp: (a) => `Math.exp(${a})`,
  expm1: (a) => `Math.expm1(${a})`,
  log: (a) => `Math.log(${a})`,
  log1p: (a) => `Math.log1p(${a})`,
  tanh: (a) => `Math.tanh(${a})`,
  sigmoid: (a) => `helpers.sigmoid(${a})`,
  softplus: (a) => `helpers.softplus(${a})`,
  erf: (a) => `helpers.erf(${a})`,
  sin: (a) => `Math.sin(${a})`,
  cos: (a) => `Math.cos(${a})`,
  pow: (a, b) => `Math.pow(${a}, ${b})`,
  eq: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  ne: (a, b) => `(${a} !== ${b} ? 1 : 0)`,
  lt: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  le: (a, b) => `(${a} <= ${b} ? 1 : 0)`,
  is_finite: (a) => `(Number.isFinite(${a}) ? 1 : 0)`,
  select: (a, b, c) => `(${a} ? ${b} : ${c})`,
  add_i32: (a, b) => `(${a} + ${b}) | 0`,
  sub_i32: (a, b) => `(${a} - ${b}) | 0`,
  mul_i32: (a, b) => `Math.imul(${a}, ${b})`,
  min_i32: (a, b) => `Math.min(${a}, ${b})`,
  max_i32: (a, b) => `Math.max(${a}, ${b})`,
  and_i32: (a, b) => `${a} & ${b}`,
  or_i32: (a, b) => `${a} | ${b}`,
  xor_i32: (a, b) => `${a} ^ ${b}`,
  shift_left: (a, b) => `${a} << ${b}`,
  shift_right_unsigned: (a, b) => `(${a} >>> ${b}) | 0`,
  eq_i32: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  ne_i32: (a, b) => `(${a} !== ${b} ? 1 : 0)`,
  lt_i32: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  le_i32: (a, b) => `(${a} <= ${b} ? 1 : 0)`,
  select_i32: (a, b, c) => `(${a} ? ${b} : ${c})`,
  and: (a, b) => `${a} & ${b}`,
  or: (a, b) => `${a} | ${b}`,
  not: (a) => `1 - ${a}`,
  select_bool: (a, b, c) => `(${a} ? ${b} : ${c})`,
  i32_to_f32: (a) => a,
  f32_to_i32: (a) => `helpers.truncate(${a})`,
  bool_to_f32: (a) => a,
  bool_to_i32: (a) => a,
};
