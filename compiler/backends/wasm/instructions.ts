/** Scalar instructions as wasm, on one value and on four. A bool is 0 or 1, in a vector a mask of all bits. */
import { InternalError } from "../../ir/internal-error.ts";
import type { Instruction, Scalar } from "../../ir/scalar.ts";
import type { Code, Expr } from "./code.ts";
import type { Operation } from "./operations.ts";
import type { MathLibrary } from "./math.ts";
import { isVectorFunction, transcendental } from "./transcendental.ts";
import type { MathScope } from "./transcendental.ts";

type Apply = Extract<Scalar, { kind: "apply" }>;

const plainScalar: Partial<Record<Instruction, Operation>> = {
  add: "f32.add",
  sub: "f32.sub",
  mul: "f32.mul",
  div: "f32.div",
  neg: "f32.neg",
  abs: "f32.abs",
  floor: "f32.floor",
  sqrt: "f32.sqrt",
  eq: "f32.eq",
  ne: "f32.ne",
  lt: "f32.lt",
  le: "f32.le",
  add_i32: "i32.add",
  sub_i32: "i32.sub",
  mul_i32: "i32.mul",
  and_i32: "i32.and",
  or_i32: "i32.or",
  xor_i32: "i32.xor",
  shift_left: "i32.shl",
  shift_right_unsigned: "i32.shr_u",
  eq_i32: "i32.eq",
  ne_i32: "i32.ne",
  lt_i32: "i32.lt_s",
  le_i32: "i32.le_s",
  and: "i32.and",
  or: "i32.or",
  not: "i32.eqz",
  i32_to_f32: "f32.convert_s.i32",
  f32_to_i32: "i32.trunc_s_sat.f32",
  bool_to_f32: "f32.convert_s.i32",
};

const plainVector: Partial<Record<Instruction, Operation>> = {
  add: "f32x4.add",
  sub: "f32x4.sub",
  mul: "f32x4.mul",
  div: "f32x4.div",
  neg: "f32x4.neg",
  abs: "f32x4.abs",
  floor: "f32x4.floor",
  sqrt: "f32x4.sqrt",
  max: "f32x4.pmax",
  min: "f32x4.pmin",
  eq: "f32x4.eq",
  ne: "f32x4.ne",
  lt: "f32x4.lt",
  le: "f32x4.le",
  add_i32: "i32x4.add",
  sub_i32: "i32x4.sub",
  mul_i32: "i32x4.mul",
  min_i32: "i32x4.min_s",
  max_i32: "i32x4.max_s",
  and_i32: "v128.and",
  or_i32: "v128.or",
  xor_i32: "v128.xor",
  eq_i32: "i32x4.eq",
  ne_i32: "i32x4.ne",
  lt_i32: "i32x4.lt_s",
  le_i32: "i32x4.le_s",
  and: "v128.and",
  or: "v128.or",
  not: "v128.not",
  i32_to_f32: "f32x4.convert_i32x4_s",
  f32_to_i32: "i32x4.trunc_sat_f32x4_s",
};

const exponentBits = 0x7f800000;

/** Operands are locals or constants: they may be used more than once. */
export function applyScalar(
  scope: { readonly code: Code },
  math: MathLibrary,
  node: Apply,
  operands: readonly Expr[],
): Expr {
  const { code } = scope;
  const { instruction } = node;
  const plain = plainScalar[instruction];
  if (plain !== undefined) return code.op(plain, ...operands);
  const [a, b, c] = operands as [Expr, Expr, Expr];
  if (isVectorFunction(instruction)) return math.scalar(instruction, a);
  switch (instruction) {
    case "max":
      return code.select(code.op("f32.lt", a, b), b, a);
    case "min":
      return code.select(code.op("f32.lt", b, a), b, a);
    case "rsqrt":
      return code.op("f32.div", code.float(1), code.op("f32.sqrt", a));
    case "reciprocal":
      return code.op("f32.div", code.float(1), a);
    case "pow":
      return math.pow(a, b);
    case "is_finite": {
      const bits = code.op("i32.and", code.op("i32.reinterpret", a), code.int(exponentBits));
      return code.op("i32.ne", bits, code.int(exponentBits));
    }
    case "select":
    case "select_i32":
    case "select_bool":
      return code.select(a, b, c);
    case "min_i32":
      return code.select(code.op("i32.lt_s", a, b), a, b);
    case "max_i32":
      return code.select(code.op("i32.lt_s", a, b), b, a);
    case "bool_to_i32":
      return a;
    default:
      throw new InternalError("wasm", `no scalar code for ${instruction}`, undefined);
  }
}

export function applyVector(
  scope: MathScope,
  math: MathLibrary,
  node: Apply,
  operands: readonly Expr[],
): Expr {
  const { code } = scope;
  const { instruction } = node;
  const plain = plainVector[instruction];
  if (plain !== undefined) return code.op(plain, ...operands);
  const [a, b, c] = operands as [Expr, Expr, Expr];
  if (isVectorFunction(instruction))
    return instruction === "sin" || instruction === "cos"
      ? math.vector(instruction, a)
      : transcendental(scope, instruction, a);
  switch (instruction) {
    case "rsqrt":
      return code.op("f32x4.div", scope.splatFloat(1), code.op("f32x4.sqrt", a));
    case "reciprocal":
      return code.op("f32x4.div", scope.splatFloat(1), a);
    case "pow": {
      let result = a;
      for (let lane = 0; lane < 4; lane++) {
        const one = math.pow(code.lane("f32x4", a, lane), code.lane("f32x4", b, lane));
        result = code.withLane("f32x4", result, lane, one);
      }
      return result;
    }
    case "is_finite": {
      const bits = code.op("v128.and", a, scope.splatInt(exponentBits));
      return code.op("i32x4.ne", bits, scope.splatInt(exponentBits));
    }
    case "select":
    case "select_i32":
    case "select_bool":
      return code.op("v128.bitselect", b, c, a);
    case "shift_left":
    case "shift_right_unsigned": {
      const by = node.operands[1]!;
      if (by.kind !== "constant")
        throw new InternalError("wasm", "a shift by an amount that is no constant", undefined);
      return code.op(instruction === "shift_left" ? "i32x4.shl" : "i32x4.shr_u", a, code.int(by.value));
    }
    case "bool_to_f32":
      return code.op("v128.and", a, scope.splatFloat(1));
    case "bool_to_i32":
      return code.op("v128.and", a, scope.splatInt(1));
    default:
      throw new InternalError("wasm", `no vector code for ${instruction}`, undefined);
  }
}
