/** Scalar instructions as WGSL, and how far they may be off. */
import { instructions, type Instruction } from "../../ir/scalar.ts";

export interface InstructionText {
  /** a function of functions.ts that the text calls */
  readonly needs?: string;
  text(a: string, b: string, c: string): string;
}

const call = (needs: string): InstructionText => ({
  needs,
  text: (a, b) => `${needs}(${b ? `${a}, ${b}` : a})`,
});
const infix = (sign: string): InstructionText => ({ text: (a, b) => `(${a} ${sign} ${b})` });
const select: InstructionText = { text: (a, b, c) => `select(${c}, ${b}, ${a})` };

export const instructionTexts: Readonly<Record<Instruction, InstructionText>> = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: infix("/"),
  neg: { text: (a) => `(-${a})` },
  abs: { text: (a) => `abs(${a})` },
  max: { text: (a, b) => `select(${a}, ${b}, ${a} < ${b})` },
  min: { text: (a, b) => `select(${a}, ${b}, ${b} < ${a})` },
  floor: { text: (a) => `floor(${a})` },
  sqrt: { text: (a) => `sqrt(${a})` },
  rsqrt: { text: (a) => `inverseSqrt(${a})` },
  reciprocal: { text: (a) => `(1f / ${a})` },
  exp: call("exp_of"),
  expm1: call("expm1_of"),
  log: call("log_of"),
  log1p: call("log1p_of"),
  tanh: call("tanh_of"),
  sigmoid: call("sigmoid_of"),
  softplus: call("softplus_of"),
  erf: call("erf_of"),
  sin: call("sin_of"),
  cos: call("cos_of"),
  pow: call("pow_of"),
  eq: infix("=="),
  ne: infix("!="),
  lt: infix("<"),
  le: infix("<="),
  is_finite: { text: (a) => `((bitcast<u32>(${a}) & 0x7f800000u) != 0x7f800000u)` },
  select,
  add_i32: infix("+"),
  sub_i32: infix("-"),
  mul_i32: infix("*"),
  min_i32: { text: (a, b) => `min(${a}, ${b})` },
  max_i32: { text: (a, b) => `max(${a}, ${b})` },
  and_i32: infix("&"),
  or_i32: infix("|"),
  xor_i32: infix("^"),
  shift_left: { text: (a, b) => `(${a} << u32(${b}))` },
  shift_right_unsigned: { text: (a, b) => `bitcast<i32>(bitcast<u32>(${a}) >> u32(${b}))` },
  eq_i32: infix("=="),
  ne_i32: infix("!="),
  lt_i32: infix("<"),
  le_i32: infix("<="),
  select_i32: select,
  and: infix("&"),
  or: infix("|"),
  not: { text: (a) => `(!${a})` },
  select_bool: select,
  i32_to_f32: { text: (a) => `f32(${a})` },
  f32_to_i32: call("truncate"),
  bool_to_f32: { text: (a) => `select(0f, 1f, ${a})` },
  bool_to_i32: { text: (a) => `select(0, 1, ${a})` },
};

/**
 * Where WGSL allows more than the table of ir/scalar.ts, in units in the last place (WGSL, "Floating Point Accuracy"):
 * division 2.5, inverseSqrt 2, sqrt as 1 / inverseSqrt; and the functions that divide.
 */
const wider: Partial<Record<Instruction, number>> = {
  div: 2.5,
  reciprocal: 2.5,
  rsqrt: 2,
  sqrt: 4.5,
  tanh: 6,
  sigmoid: 7,
};

/** Error of an instruction in units in the last place; that of `pow` also grows by 3 |y log2 x|. */
export function ulpOnWgsl(instruction: Instruction): number {
  return wider[instruction] ?? instructions[instruction].ulp;
}
