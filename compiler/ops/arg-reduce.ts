/** arg_reduce: where the largest or the smallest stands along an axis. */
import { numberAttribute, stringAttribute } from "../ir/attribute.ts";
import { constantOf } from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import { defineOp } from "../ir/op.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import type { Attributes } from "../ir/op.ts";

function combineOf(attributes: Attributes): "argmax" | "argmin" | undefined {
  const name = stringAttribute(attributes, "combine");
  return (["argmax", "argmin"] as const).find((each) => each === name);
}

export const argReduce = defineOp({
  name: "arg_reduce",
  summary:
    "The position of the largest or smallest number along an axis, as i32; the first one where several are equal.",
  operands: ["x"],
  attributes: { axis: "the axis that goes away", combine: "argmax or argmin" },
  infer([x], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const combine = combineOf(attributes);
    if (!combine) return { mismatch: "combine must be argmax or argmin" };
    if (x!.dtype !== "f32") return { mismatch: `arg_reduce takes f32, not ${x!.dtype}` };
    if (!x!.shape[axis]) return { mismatch: `the operand has no axis ${axis}` };
    if (constantOf(x!.shape[axis]!) === 0) return { mismatch: `there is no ${combine} of nothing` };
    return [{ dtype: "i32", shape: x!.shape.toSpliced(axis, 1) }];
  },
  evaluate([x], attributes, { results }) {
    const axis = numberAttribute(attributes, "axis");
    const sign = combineOf(attributes) === "argmax" ? 1 : -1;
    const count = x!.shape[axis]!;
    if (count === 0) throw new InternalError("evaluate", "there is no position of nothing", undefined);
    const inner = elementCount(x!.shape.slice(axis + 1));
    const out = tensor("i32", results[0]!.shape);
    out.data.forEach((_, flat) => {
      const start = Math.floor(flat / inner) * count * inner + (flat % inner);
      let best = 0;
      for (let i = 1; i < count; i++) {
        if (sign * x!.data[start + i * inner]! > sign * x!.data[start + best * inner]!) best = i;
      }
      out.data[flat] = best;
    });
    return [out];
  },
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    return context.reduce(combineOf(attributes)!, [context.operands[0]!.shape[axis]!], ([at]) =>
      context.read(0, context.index.toSpliced(axis, 0, at!)),
    );
  },
  gradient: { none: "it is a position" },
  examples: [
    {
      operands: [tensor("f32", [2, 3], [1, 3, 3, 6, 5, 4])],
      attributes: { axis: 1, combine: "argmax" },
      results: [tensor("i32", [2], [1, 0])],
    },
    {
      operands: [tensor("f32", [2, 3], [1, 3, 3, 6, 5, 3])],
      attributes: { axis: 0, combine: "argmin" },
      results: [tensor("i32", [3], [0, 0, 0])],
    },
  ],
  stacked: (attributes) => ({ ...attributes, axis: numberAttribute(attributes, "axis") + 1 }),
  cheap: false,
});
