/** Rules of arithmetic: neutral operands, double signs, small powers. All are exact in IEEE arithmetic. */
import { tensorType } from "../../ir/type.ts";
import { symbol } from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { everywhere, isEverywhere, madeBy } from "./rule.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import type { DType } from "../../ir/type.ts";
import type { Rule } from "./rule.ts";

function x(b: GraphBuilder, dtype: DType = "f32", name = "x"): Value {
  return b.input(name, "input", tensorType(dtype, [symbol("B"), 3]));
}

const y = (b: GraphBuilder): Value => x(b, "f32", "y");

/** Whether dividing by c and multiplying by 1 / c give the same f32: c is a power of two whose inverse is normal. */
function isPowerOfTwo(c: number): boolean {
  const exponent = Math.log2(Math.abs(c));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
}

export const arithmeticRules: readonly Rule[] = [
  {
    sentence: "x * 1 is x, and 1 * x is x.",
    ops: ["mul"],
    apply({ operands: [p, q] }) {
      if (isEverywhere(q, 1)) return p;
      return isEverywhere(p, 1) ? q : undefined;
    },
    examples: [
      (b) => build.scale(b, x(b), 1),
      (b) => build.mul(b, build.constantScalar(b, 1, "i32"), x(b, "i32")),
    ],
  },
  {
    sentence: "x * -1 is -x.",
    ops: ["mul"],
    apply({ operands: [p, q] }, b) {
      if (p!.type.dtype !== "f32") return undefined;
      if (isEverywhere(q, -1)) return build.neg(b, p!);
      return isEverywhere(p, -1) ? build.neg(b, q!) : undefined;
    },
    examples: [(b) => build.scale(b, x(b), -1), (b) => build.mul(b, build.constantScalar(b, -1), x(b))],
  },
  {
    sentence: "x / 1 is x.",
    ops: ["div"],
    apply: ({ operands: [p, q] }) => (isEverywhere(q, 1) ? p : undefined),
    examples: [(b) => build.div(b, x(b), build.constantScalar(b, 1))],
  },
  {
    sentence: "1 / x is reciprocal(x).",
    ops: ["div"],
    apply: ({ operands: [p, q] }, b) => (isEverywhere(p, 1) ? build.reciprocal(b, q!) : undefined),
    examples: [(b) => build.div(b, build.constantScalar(b, 1), x(b))],
  },
  {
    sentence: "x / c is x * (1 / c) where c is a power of two, which is exact.",
    ops: ["div"],
    apply({ operands: [p, q] }, b) {
      const c = everywhere(q);
      return c !== undefined && isPowerOfTwo(c) ? build.scale(b, p!, 1 / c) : undefined;
    },
    examples: [
      (b) => build.div(b, x(b), build.constantScalar(b, 8)),
      (b) => build.div(b, x(b), build.constantScalar(b, -0.25)),
    ],
  },
  {
    sentence: "x + -0 is x, -0 + x is x (but 0 + -0 is 0, so not with 0); for integers x + 0.",
    ops: ["add"],
    apply({ operands: [p, q] }) {
      const zero = p!.type.dtype === "f32" ? -0 : 0;
      if (isEverywhere(q, zero)) return p;
      return isEverywhere(p, zero) ? q : undefined;
    },
    examples: [
      (b) => build.shift(b, x(b), -0),
      (b) => build.add(b, build.constantScalar(b, -0), x(b)),
      (b) => build.add(b, x(b, "i32"), build.constantScalar(b, 0, "i32")),
    ],
  },
  {
    sentence: "x - 0 is x.",
    ops: ["sub"],
    apply: ({ operands: [p, q] }) => (isEverywhere(q, 0) ? p : undefined),
    examples: [
      (b) => build.sub(b, x(b), build.constantScalar(b, 0)),
      (b) => build.sub(b, x(b, "i32"), build.constantScalar(b, 0, "i32")),
    ],
  },
  {
    sentence: "x + -y is x - y, and -x + y is y - x.",
    ops: ["add"],
    apply({ operands: [p, q] }, b) {
      const right = madeBy(q, "neg");
      if (right) return build.sub(b, p!, right.operands[0]!);
      const left = madeBy(p, "neg");
      return left && build.sub(b, q!, left.operands[0]!);
    },
    examples: [(b) => build.add(b, x(b), build.neg(b, y(b))), (b) => build.add(b, build.neg(b, x(b)), y(b))],
  },
  {
    sentence: "x - -y is x + y.",
    ops: ["sub"],
    apply({ operands: [p, q] }, b) {
      const negated = madeBy(q, "neg");
      return negated && build.add(b, p!, negated.operands[0]!);
    },
    examples: [(b) => build.sub(b, x(b), build.neg(b, y(b)))],
  },
  {
    sentence: "-(-x) is x.",
    ops: ["neg"],
    apply: ({ operands: [p] }) => madeBy(p, "neg")?.operands[0],
    examples: [(b) => build.neg(b, build.neg(b, x(b)))],
  },
  {
    sentence: "(-x) * (-y) is x * y, and so for division.",
    ops: ["mul", "div"],
    apply({ op, operands: [p, q] }, b) {
      const left = madeBy(p, "neg");
      const right = madeBy(q, "neg");
      return left && right && b.emit(op, [left.operands[0]!, right.operands[0]!]);
    },
    examples: [
      (b) => build.mul(b, build.neg(b, x(b)), build.neg(b, y(b))),
      (b) => build.div(b, build.neg(b, x(b)), build.neg(b, y(b))),
    ],
  },
  {
    sentence: "x to the power 1 is x.",
    ops: ["pow"],
    apply: ({ operands: [p, q] }) => (isEverywhere(q, 1) ? p : undefined),
    examples: [(b) => build.pow(b, x(b), build.constantScalar(b, 1))],
  },
  {
    sentence: "x to the power 2 is x * x.",
    ops: ["pow"],
    apply: ({ operands: [p, q] }, b) => (isEverywhere(q, 2) ? build.mul(b, p!, p!) : undefined),
    examples: [(b) => build.pow(b, x(b), build.constantScalar(b, 2))],
  },
  {
    sentence: "x to the power -1 is reciprocal(x).",
    ops: ["pow"],
    apply: ({ operands: [p, q] }, b) => (isEverywhere(q, -1) ? build.reciprocal(b, p!) : undefined),
    examples: [(b) => build.pow(b, x(b), build.constantScalar(b, -1))],
  },
  {
    sentence: "|(-x)| is |x|, and | |x| | is |x|.",
    ops: ["abs"],
    apply({ operands: [p] }, b) {
      const negated = madeBy(p, "neg");
      if (negated) return build.abs(b, negated.operands[0]!);
      return madeBy(p, "abs") && p;
    },
    examples: [(b) => build.abs(b, build.neg(b, x(b))), (b) => build.abs(b, build.abs(b, x(b)))],
  },
  {
    sentence: "max(x, x) and min(x, x) are x.",
    ops: ["max", "min"],
    apply: ({ operands: [p, q] }) => (p === q ? p : undefined),
    examples: [
      (b) => {
        const value = x(b);
        return build.max(b, value, value);
      },
      (b) => {
        const value = x(b, "i32");
        return build.min(b, value, value);
      },
    ],
  },
  {
    sentence: "detach(x) is x: once gradients exist its work is done.",
    ops: ["detach"],
    apply: ({ operands: [p] }) => p,
    examples: [(b) => build.detach(b, x(b))],
  },
];
