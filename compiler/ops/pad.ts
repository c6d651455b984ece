/** pad: zeros around one axis. */
import { dimAttribute, numberAttribute } from "../ir/attribute.ts";
import { add, constant, constantOf, negate } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { affineShift } from "../ir/scalar.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import * as dim from "../ir/dim.ts";
import * as build from "./build.ts";

export const pad = defineOp({
  name: "pad",
  summary: "The operand with zeros before and after it along one axis.",
  operands: ["x"],
  attributes: { axis: "the axis", before: "zeros before", after: "zeros after" },
  infer([x], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const before = dimAttribute(attributes, "before");
    const after = dimAttribute(attributes, "after");
    const size = x!.shape[axis];
    if (!size) return { mismatch: `the operand has no axis ${axis}` };
    if ((constantOf(before) ?? 0) < 0 || (constantOf(after) ?? 0) < 0)
      return { mismatch: "padding cannot be negative" };
    return [{ dtype: x!.dtype, shape: x!.shape.with(axis, add(add(before, size), after)) }];
  },
  evaluate([x], attributes, { results, sizes }) {
    const axis = numberAttribute(attributes, "axis");
    const out = tensor(x!.dtype, results[0]!.shape);
    const inner = elementCount(x!.shape.slice(axis + 1));
    const outer = elementCount(x!.shape.slice(0, axis));
    const before = dim.evaluate(dimAttribute(attributes, "before"), sizes);
    const run = x!.shape[axis]! * inner;
    for (let o = 0; o < outer; o++) {
      out.data.set(x!.data.subarray(o * run, (o + 1) * run), (o * out.shape[axis]! + before) * inner);
    }
    return [out];
  },
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const at = affineShift(context.index[axis]!, negate(dimAttribute(attributes, "before")));
    return context.read(0, context.index.with(axis, at));
  },
  gradient({ builder, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const axis = numberAttribute(attributes, "axis");
    const size = node.operands[0]!.type.shape[axis]!;
    return [build.slice(builder, ct, axis, dimAttribute(attributes, "before"), size)];
  },
  examples: [
    {
      operands: [tensor("f32", [2, 1], [1, 2])],
      attributes: { axis: 1, before: constant(1), after: constant(2) },
      results: [tensor("f32", [2, 4], [0, 1, 0, 0, 0, 2, 0, 0])],
    },
  ],
  stacked: (attributes) => ({ ...attributes, axis: numberAttribute(attributes, "axis") + 1 }),
  cheap: true,
});
