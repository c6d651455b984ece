/** concat: parts one after the other along one axis. */
import { numberAttribute } from "../ir/attribute.ts";
import * as dim from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { affineShift, apply } from "../ir/scalar.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import { sameShape, scalarTypeOf } from "../ir/type.ts";
import * as build from "./build.ts";
import type { Instruction, Scalar } from "../ir/scalar.ts";
import type { ScalarType, TensorType } from "../ir/type.ts";

const selects: Readonly<Record<ScalarType, Instruction>> = {
  f32: "select",
  i32: "select_i32",
  bool: "select_bool",
};

/** Where each part begins along the axis, and, last, the whole size. */
function offsets(parts: readonly TensorType[], axis: number): readonly dim.Dim[] {
  return parts.reduce<dim.Dim[]>(
    (all, part) => [...all, dim.add(all.at(-1)!, part.shape[axis]!)],
    [dim.zero],
  );
}

export const concat = defineOp({
  name: "concat",
  summary: "The parts one after the other along one axis.",
  operands: ["...parts"],
  attributes: { axis: "the axis" },
  infer(parts, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const [first] = parts;
    if (!first?.shape[axis]) return { mismatch: `there is no part with an axis ${axis}` };
    for (const part of parts) {
      const like =
        part.shape.length === first.shape.length &&
        sameShape(part.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1));
      if (part.dtype !== first.dtype || !like)
        return { mismatch: `the parts differ in more than the size of axis ${axis}` };
    }
    return [{ dtype: first.dtype, shape: first.shape.with(axis, offsets(parts, axis).at(-1)!) }];
  },
  evaluate(parts, attributes, { results }) {
    const axis = numberAttribute(attributes, "axis");
    const { dtype, shape } = results[0]!;
    const out = tensor(dtype, shape);
    const inner = elementCount(shape.slice(axis + 1));
    const outer = elementCount(shape.slice(0, axis));
    let at = 0;
    for (let o = 0; o < outer; o++)
      for (const part of parts) {
        const run = part.shape[axis]! * inner;
        out.data.set(part.data.subarray(o * run, (o + 1) * run), at);
        at += run;
      }
    return [out];
  },
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const starts = offsets(context.operands, axis);
    const at = (part: number) =>
      context.index.with(axis, affineShift(context.index[axis]!, dim.negate(starts[part]!)));
    const last = context.operands.length - 1;
    let value: Scalar = context.read(last, at(last));
    for (let part = last - 1; part >= 0; part--) {
      const choose = selects[scalarTypeOf(context.operands[part]!.dtype)];
      value = apply(choose, context.inside(part, at(part)), context.read(part, at(part)), value);
    }
    return value;
  },
  gradient({ builder, node, cotangents, wanted }, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const ct = cotangents[0];
    const types = node.operands.map((part) => part.type);
    const starts = offsets(types, axis);
    return types.map((type, i) =>
      ct && wanted(i) ? build.slice(builder, ct, axis, starts[i]!, type.shape[axis]!) : undefined,
    );
  },
  examples: [
    {
      operands: [tensor("f32", [2, 1], [1, 2]), tensor("f32", [2, 2], [3, 4, 5, 6])],
      attributes: { axis: 1 },
      results: [tensor("f32", [2, 3], [1, 3, 4, 2, 5, 6])],
    },
    {
      operands: [tensor("i32", [0], []), tensor("i32", [2], [3, 4]), tensor("i32", [1], [5])],
      attributes: { axis: 0 },
      results: [tensor("i32", [3], [3, 4, 5])],
    },
  ],
  stacked: (attributes, _, has) =>
    has.every(Boolean) ? { axis: numberAttribute(attributes, "axis") + 1 } : undefined,
  cheap: true,
});
