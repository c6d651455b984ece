/** What all elementwise ops have in common: operands of one shape, one scalar instruction an element. */
import { apply, operandTypesOf, resultTypeOf } from "../ir/scalar.ts";
import { defineOp } from "../ir/op.ts";
import { tensor } from "../ir/tensor.ts";
import { sameShape, showType } from "../ir/type.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import type { Attributes, Op, OpExample } from "../ir/op.ts";
import type { Instruction } from "../ir/scalar.ts";
import type { DType } from "../ir/type.ts";

/** One choice of operand dtypes: what the instruction is and, independently, what it computes in f64. */
export interface Variant {
  readonly instruction: Instruction;
  readonly operands: readonly DType[];
  readonly result: DType;
  readonly compute: (x: number, y: number, z: number) => number;
}

/** The variant whose dtypes are the instruction's. */
export function variant(instruction: Instruction, compute: Variant["compute"]): Variant {
  return {
    instruction,
    compute,
    operands: operandTypesOf(instruction),
    result: resultTypeOf(instruction),
  };
}

export interface ElementwiseGradient {
  readonly b: GraphBuilder;
  /** cotangent of the result */
  readonly ct: Value;
  /** the operands, as far as there are */
  readonly x: Value;
  readonly y: Value;
  readonly z: Value;
  readonly result: Value;
}

export interface Elementwise {
  readonly name: string;
  readonly summary: string;
  readonly operands: readonly string[];
  readonly variants: readonly Variant[];
  /** Per operand how its cotangent is built, or undefined; called only for those that are wanted. */
  readonly gradient:
    ((context: ElementwiseGradient) => readonly ((() => Value) | undefined)[]) | { readonly none: string };
  readonly domain?: Op["domain"];
  readonly kinks?: Op["kinks"];
  readonly examples: readonly OpExample[];
}

export function elementwise(parts: Elementwise): Op {
  const { name, variants, gradient } = parts;
  const fitting = (dtypes: readonly DType[]): Variant | undefined =>
    variants.find((v) => v.operands.length === dtypes.length && v.operands.every((d, i) => d === dtypes[i]));
  return defineOp({
    name,
    summary: parts.summary,
    operands: parts.operands,
    attributes: {},
    infer(operands) {
      const found = fitting(operands.map((type) => type.dtype));
      if (!found) {
        const known = variants.map((v) => `(${v.operands.join(", ")})`).join(" or ");
        return { mismatch: `${name} takes ${known}, not (${operands.map((t) => t.dtype).join(", ")})` };
      }
      const shape = operands[0]!.shape;
      const other = operands.find((type) => !sameShape(type.shape, shape));
      if (other) {
        return { mismatch: `the shapes of ${showType(operands[0]!)} and ${showType(other)} differ` };
      }
      return [{ dtype: found.result, shape }];
    },
    evaluate(operands) {
      const { compute, result } = fitting(operands.map((each) => each.dtype))!;
      const [x, y, z] = operands;
      const data = new Float64Array(x!.data.length);
      for (let i = 0; i < data.length; i++) data[i] = compute(x!.data[i]!, y?.data[i] ?? 0, z?.data[i] ?? 0);
      return [{ dtype: result, shape: x!.shape, data }];
    },
    element(context) {
      const { instruction } = fitting(context.operands.map((type) => type.dtype))!;
      return apply(instruction, ...context.operands.map((_, i) => context.read(i, context.index)));
    },
    gradient:
      typeof gradient === "object"
        ? gradient
        : ({ builder, node, cotangents, wanted }) => {
            const ct = cotangents[0];
            if (!ct) return node.operands.map(() => undefined);
            const [x, y, z] = node.operands;
            const rules = gradient({ b: builder, ct, x: x!, y: y!, z: z!, result: node.results[0]! });
            return node.operands.map((_, i) => (wanted(i) ? rules[i]?.() : undefined));
          },
    ...(parts.domain ? { domain: parts.domain } : {}),
    ...(parts.kinks ? { kinks: parts.kinks } : {}),
    examples: parts.examples,
    stacked: (attributes, _, has) => (has.every(Boolean) ? attributes : undefined),
    cheap: true,
  });
}

/** An example over vectors: lists of numbers are f32 unless dtypes are given. */
export function vectors(
  operands: readonly (readonly number[])[],
  result: readonly number[],
  dtypes: readonly DType[] = [],
  resultType: DType = "f32",
  attributes: Attributes = {},
): OpExample {
  return {
    operands: operands.map((data, i) => tensor(dtypes[i] ?? "f32", [data.length], data)),
    attributes,
    results: [tensor(resultType, [result.length], result)],
  };
}
