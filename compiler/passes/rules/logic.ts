/** Rules of conditions, selections and casts. */
import { tensorType } from "../../ir/type.ts";
import { symbol } from "../../ir/dim.ts";
import { cast as castOp } from "../../ops/cast.ts";
import { select as selectOp } from "../../ops/select.ts";
import * as build from "../../ops/build.ts";
import { everywhere, isEverywhere, madeBy } from "./rule.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import type { DType } from "../../ir/type.ts";
import type { Rule } from "./rule.ts";

function input(b: GraphBuilder, name: string, dtype: DType = "f32"): Value {
  return b.input(name, "input", tensorType(dtype, [symbol("B"), 3]));
}

/** Whether a cast from one dtype to another keeps every number, so that casting back gives the same. */
function keepsAll(from: DType, to: DType): boolean {
  const wider: Readonly<Record<DType, readonly DType[]>> = {
    bool: ["u8", "i32", "f16", "f32"],
    u8: ["i32", "f16", "f32"],
    f16: ["f32"],
    i32: [],
    f32: [],
  };
  return wider[from].includes(to);
}

export const logicRules: readonly Rule[] = [
  {
    sentence: "not(not(x)) is x.",
    ops: ["not"],
    apply: ({ operands: [p] }) => madeBy(p, "not")?.operands[0],
    examples: [(b) => build.not(b, build.not(b, input(b, "x", "bool")))],
  },
  {
    sentence: "x and true, x or false, x and x, x or x are x; x and false is false, x or true is true.",
    ops: ["and", "or"],
    apply({ op, operands: [p, q] }) {
      const neutral = op.name === "and" ? 1 : 0;
      if (p === q || isEverywhere(q, neutral)) return p;
      if (isEverywhere(p, neutral)) return q;
      if (everywhere(q) !== undefined) return q;
      return everywhere(p) === undefined ? undefined : p;
    },
    examples: [1, 0].flatMap((value) => [
      (b) => build.and(b, input(b, "x", "bool"), build.constantScalar(b, value, "bool")),
      (b) => build.or(b, build.constantScalar(b, value, "bool"), input(b, "x", "bool")),
    ]),
  },
  {
    sentence: "A selection by a known condition is what it selects.",
    ops: ["select"],
    apply({ operands: [condition, p, q] }) {
      const known = everywhere(condition);
      return known === undefined ? undefined : known ? p : q;
    },
    examples: [1, 0].map(
      (value) => (b) => build.select(b, build.constantScalar(b, value, "bool"), input(b, "x"), input(b, "y")),
    ),
  },
  {
    sentence: "A selection between a value and itself is the value.",
    ops: ["select"],
    apply: ({ operands: [, p, q] }) => (p === q ? p : undefined),
    examples: [
      (b) => {
        const x = input(b, "x");
        return build.select(b, input(b, "c", "bool"), x, x);
      },
    ],
  },
  {
    sentence: "A selection by not(c) is the selection by c the other way round.",
    ops: ["select"],
    apply({ operands: [condition, p, q] }, b) {
      const inner = madeBy(condition, "not");
      return inner && b.emit(selectOp, [inner.operands[0]!, q!, p!]);
    },
    examples: [(b) => build.select(b, build.not(b, input(b, "c", "bool")), input(b, "x"), input(b, "y"))],
  },
  {
    sentence: "A cast to the dtype that a value has is the value.",
    ops: ["cast"],
    apply: ({ operands: [p], results }) => (p!.type.dtype === results[0]!.type.dtype ? p : undefined),
    examples: [
      (b) => {
        const x = input(b, "x");
        return b.emit(castOp, [x], { dtype: "f32" });
      },
    ],
  },
  {
    sentence: "A cast to a wider dtype and back is the value.",
    ops: ["cast"],
    apply({ operands: [p], results }) {
      const before = madeBy(p, "cast")?.operands[0];
      if (!before || before.type.dtype !== results[0]!.type.dtype) return undefined;
      return keepsAll(before.type.dtype, p!.type.dtype) ? before : undefined;
    },
    examples: [
      (b) => build.cast(b, build.cast(b, input(b, "x", "bool"), "f32"), "bool"),
      (b) => build.cast(b, build.cast(b, input(b, "x", "u8"), "i32"), "u8"),
    ],
  },
];
