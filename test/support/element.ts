/** Runs an op's `element` on tensors, element by element: scalar code that is evaluated as it is built. */
import * as dim from "../../compiler/ir/dim.ts";
import { affineConstant } from "../../compiler/ir/scalar.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { scalarTypeOf } from "../../compiler/ir/type.ts";
import { errorFunction } from "../../compiler/ops/erf.ts";
import { eachPosition, flatten } from "../../compiler/ops/positions.ts";
import type { Node } from "../../compiler/ir/graph.ts";
import type { ElementContext } from "../../compiler/ir/op.ts";
import type { Affine, Instruction, Scalar } from "../../compiler/ir/scalar.ts";

const yes = (condition: boolean): number => (condition ? 1 : 0);
const choose = (c: number, x: number, y: number): number => (c ? x : y);

/** What each scalar instruction means, in f64. */
const meaning: Readonly<Record<Instruction, (x: number, y: number, z: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  neg: (x) => -x,
  abs: Math.abs,
  max: (x, y) => (x < y ? y : x),
  min: (x, y) => (x > y ? y : x),
  floor: Math.floor,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => (x > 30 ? x : Math.log1p(Math.exp(x))),
  erf: errorFunction,
  sin: Math.sin,
  cos: Math.cos,
  pow: Math.pow,
  eq: (x, y) => yes(x === y),
  ne: (x, y) => yes(x !== y),
  lt: (x, y) => yes(x < y),
  le: (x, y) => yes(x <= y),
  is_finite: (x) => yes(Number.isFinite(x)),
  select: choose,
  add_i32: (x, y) => (x + y) | 0,
  sub_i32: (x, y) => (x - y) | 0,
  mul_i32: Math.imul,
  min_i32: (x, y) => Math.min(x, y),
  max_i32: (x, y) => Math.max(x, y),
  and_i32: (x, y) => x & y,
  or_i32: (x, y) => x | y,
  xor_i32: (x, y) => x ^ y,
  shift_left: (x, y) => x << y,
  shift_right_unsigned: (x, y) => (x >>> y) | 0,
  eq_i32: (x, y) => yes(x === y),
  ne_i32: (x, y) => yes(x !== y),
  lt_i32: (x, y) => yes(x < y),
  le_i32: (x, y) => yes(x <= y),
  select_i32: choose,
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  not: (x) => 1 - x,
  select_bool: choose,
  i32_to_f32: (x) => x,
  f32_to_i32: (x) => (x >= 2 ** 31 ? 2 ** 31 - 1 : x <= -(2 ** 31) ? -(2 ** 31) : Math.trunc(x) | 0),
  bool_to_f32: (x) => x,
  bool_to_i32: (x) => x,
};

export function elementsOf(
  node: Node,
  operands: readonly Tensor[],
  sizes: ReadonlyMap<string, number>,
): readonly Tensor[] {
  const known = (size: dim.Dim): number => dim.evaluate(size, sizes);
  const place = (affine: Affine): number => {
    if (affine.terms.length > 0) throw new Error("an index uses an axis that nobody gave");
    return known(affine.constant);
  };
  const at = (position: readonly number[]): Affine[] => position.map((p) => affineConstant(p));
  const done = new Map<Scalar, number>();
  function run(code: Scalar): number {
    const before = done.get(code);
    if (before !== undefined) return before;
    const value = runOnce(code);
    done.set(code, value);
    return value;
  }
  function runOnce(code: Scalar): number {
    switch (code.kind) {
      case "constant":
        return code.value;
      case "index":
        return place(code.index);
      case "size":
        return known(code.size);
      case "apply": {
        const [x, y, z] = code.operands.map(run);
        return meaning[code.instruction](x!, y!, z!);
      }
      default:
        throw new Error(`${code.kind} is not made by ops`);
    }
  }
  const context = (index: readonly Affine[]): ElementContext => ({
    operands: node.operands.map(({ type }) => type),
    results: node.results.map(({ type }) => type),
    index,
    read(operand, where) {
      const { shape, data, dtype } = operands[operand]!;
      if (where.length !== shape.length)
        throw new Error(`${where.length} positions for ${shape.length} axes`);
      const position = where.map((each, axis) => {
        if (!("kind" in each)) return place(each);
        if (each.kind === "affine") return place(each.affine);
        return Math.min(Math.max(run(each.value), 0), shape[axis]! - 1);
      });
      const inside = position.every((p, axis) => p >= 0 && p < shape[axis]!);
      return {
        kind: "constant",
        type: scalarTypeOf(dtype),
        value: inside ? data[flatten(position, shape)]! : 0,
      };
    },
    inside(operand, where) {
      const { shape } = operands[operand]!;
      const inside = where.every((each, axis) => place(each) >= 0 && place(each) < shape[axis]!);
      return { kind: "constant", type: "bool", value: yes(inside) };
    },
    reduce(combine, lengths, body) {
      let best: number | undefined;
      let first = 0;
      let type: Scalar["type"] = "f32";
      eachPosition(lengths.map(known), (position, flat) => {
        const scalar = body(at(position));
        type = scalar.type;
        const value = run(scalar);
        if (combine === "sum") best = (best ?? 0) + value;
        else if (best === undefined || (combine.endsWith("max") ? value > best : value < best)) {
          best = value;
          first = flat;
        }
      });
      if (best === undefined && combine !== "sum") throw new Error(`${combine} of nothing`);
      return combine.startsWith("arg")
        ? { kind: "constant", type: "i32", value: first }
        : { kind: "constant", type, value: best ?? 0 };
    },
    unmerge(merged, parts) {
      const position: number[] = [];
      let rest = place(merged);
      for (const size of parts.toReversed().map(known)) {
        position.unshift(rest % size);
        rest = Math.floor(rest / size);
      }
      return at(position);
    },
    size: (size) => ({ kind: "size", type: "i32", size }),
  });
  return node.results.map(({ type }, result) => {
    const out = tensor(type.dtype, type.shape.map(known));
    eachPosition(out.shape, (position, flat) => {
      done.clear();
      out.data[flat] = run(node.op.element(context(at(position)), node.attributes, result));
    });
    return out;
  });
}
