/** Rules that move expands outwards: what is computed of repeated numbers is computed once and then repeated. */
import { dimsAttribute, numbersAttribute } from "../../ir/attribute.ts";
import * as dim from "../../ir/dim.ts";
import { tensorType } from "../../ir/type.ts";
import * as build from "../../ops/build.ts";
import { ops } from "../../ops/index.ts";
import { madeBy } from "./rule.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Node, Value } from "../../ir/graph.ts";
import type { Rule } from "./rule.ts";

const d = dim.constant;
const B = dim.symbol("B");

function x(b: GraphBuilder, ...shape: (number | dim.Dim)[]): Value {
  return b.input(`x${b.inputs.length}`, "input", tensorType("f32", shape));
}

const axesOf = (node: Node): readonly number[] => numbersAttribute(node.attributes, "axes");

/** Ops whose element depends on the operands' elements at the same place alone: no attributes but a dtype. */
const elementwise = ops
  .filter(
    (op) =>
      op.cheap && op.operands.length > 0 && Object.keys(op.attributes).every((name) => name === "dtype"),
  )
  .map((op) => op.name)
  .filter((name) => name !== "gather" && name !== "detach");

/** The operand of an expand of rank 0, whatever its shape. */
function scalarOf(value: Value | undefined): Value | undefined {
  const [p] = madeBy(value, "expand")?.operands ?? [];
  return p?.type.shape.length === 0 ? p : undefined;
}

export const expandRules: readonly Rule[] = [
  {
    sentence: "An expand of an expand is one expand.",
    ops: ["expand"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "expand");
      if (!inner) return undefined;
      const axes = axesOf(inner).map((axis) => axesOf(node)[axis]!);
      return build.expandTo(b, inner.operands[0]!, dimsAttribute(node.attributes, "shape"), axes);
    },
    examples: [
      (b) => {
        const inner = build.expandTo(b, x(b, 2), [B, d(2)], [1]);
        return build.expandTo(b, inner, [d(3), B, d(4), d(2)], [1, 3]);
      },
      (b) => build.expandTo(b, build.full(b, 2, [B]), [d(3), B], [1]),
    ],
  },
  {
    sentence: "An elementwise op of values that are all expanded the same way is expanded itself.",
    ops: elementwise,
    apply(node, b) {
      const whole = node.operands
        .map((operand) => madeBy(operand, "expand"))
        .find((each) => each && each.operands[0]!.type.shape.length > 0);
      const { shape } = node.results[0]!.type;
      if (!whole) {
        const scalars = node.operands.map(scalarOf);
        const known = scalars.filter((each) => each !== undefined);
        if (shape.length === 0 || known.length < scalars.length) return undefined;
        return build.expandTo(b, b.emit(node.op, known, node.attributes), shape, []);
      }
      const axes = axesOf(whole);
      const small = whole.operands[0]!.type.shape;
      const operands: Value[] = [];
      for (const operand of node.operands) {
        const expanded = madeBy(operand, "expand");
        const scalar = scalarOf(operand);
        if (scalar) operands.push(build.expandTo(b, scalar, small, []));
        else if (expanded && axesOf(expanded).join() === axes.join()) operands.push(expanded.operands[0]!);
        else return undefined;
      }
      return build.expandTo(b, b.emit(node.op, operands, node.attributes), shape, axes);
    },
    examples: [
      (b) => build.exp(b, build.expandTo(b, x(b, B), [B, d(3)], [0])),
      (b) =>
        build.add(b, build.expandTo(b, x(b, 3), [B, d(3)], [1]), build.expandTo(b, x(b, 3), [B, d(3)], [1])),
      (b) => build.scale(b, build.expandTo(b, x(b, 3), [B, d(3)], [1]), 3),
      (b) => build.mul(b, build.expandTo(b, x(b), [B, d(3)], []), build.full(b, 2, [B, d(3)])),
      (b) => build.cast(b, build.expandTo(b, x(b), [B, d(3)], []), "i32"),
    ],
  },
  {
    sentence: "A view of one number repeated is the number repeated in another shape.",
    ops: ["reorder", "split", "merge", "slice"],
    apply(node, b) {
      const scalar = scalarOf(node.operands[0]);
      return scalar && build.expandTo(b, scalar, node.results[0]!.type.shape, []);
    },
    examples: [
      (b) => build.reorder(b, build.full(b, 2, [B, d(3)]), [1, 0]),
      (b) => build.merge(b, build.expandTo(b, x(b), [B, d(3)], []), 0, 2),
      (b) => build.split(b, build.expandTo(b, x(b), [B, d(6)], []), 1, [d(2), d(3)]),
      (b) => build.slice(b, build.expandTo(b, x(b), [B, d(6)], []), 1, d(2), d(3)),
    ],
  },
  {
    sentence: "A reorder of a value that stays in order among repeated axes is an expand.",
    ops: ["reorder"],
    apply(node, b) {
      const inner = madeBy(node.operands[0], "expand");
      if (!inner) return undefined;
      const permutation = numbersAttribute(node.attributes, "permutation");
      const axes = axesOf(inner).map((axis) => permutation.indexOf(axis));
      if (axes.some((axis, i) => i > 0 && axis <= axes[i - 1]!)) return undefined;
      return build.expandTo(b, inner.operands[0]!, node.results[0]!.type.shape, axes);
    },
    examples: [(b) => build.reorder(b, build.expandTo(b, x(b, 2), [B, d(2)], [1]), [1, 0])],
  },
];
