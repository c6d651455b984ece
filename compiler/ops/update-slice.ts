/** update_slice: a range along one axis is replaced, from a place that is known when the program runs. */
import { numberAttribute } from "../ir/attribute.ts";
import * as dim from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { apply, i32 } from "../ir/scalar.ts";
import type { Affine, Index, Scalar } from "../ir/scalar.ts";
import { tensor } from "../ir/tensor.ts";
import { scalarTypeOf } from "../ir/type.ts";
import type { Value } from "../ir/graph.ts";
import * as build from "./build.ts";
import { eachPosition } from "./positions.ts";

const selections = { f32: "select", i32: "select_i32", bool: "select_bool" } as const;

export const updateSlice = defineOp({
  name: "update_slice",
  summary:
    "The base with a value in place of the positions from `start` on along one axis; what would lie outside is left out.",
  operands: ["base", "value", "start"],
  attributes: { axis: "the axis" },
  infer([base, value, start], attributes) {
    const axis = numberAttribute(attributes, "axis");
    if (!base!.shape[axis]) return { mismatch: `the base has no axis ${axis}` };
    if (start!.dtype !== "i32" || start!.shape.length > 0) return { mismatch: "start must be i32 of rank 0" };
    if (base!.dtype !== value!.dtype)
      return { mismatch: `the base is ${base!.dtype} and the value ${value!.dtype}` };
    const same =
      base!.shape.length === value!.shape.length &&
      base!.shape.every((size, i) => i === axis || dim.equal(size, value!.shape[i]!));
    return same ? [base!] : { mismatch: `the shapes differ on other axes than ${axis}` };
  },
  evaluate([base, value, start], attributes) {
    const axis = numberAttribute(attributes, "axis");
    const out = tensor(base!.dtype, base!.shape, base!.data);
    const strides = out.shape.map((_, i) => out.shape.slice(i + 1).reduce((a, b) => a * b, 1));
    eachPosition(value!.shape, (position, flat) => {
      const at = position[axis]! + start!.data[0]!;
      if (at < 0 || at >= out.shape[axis]!) return;
      const place = position.reduce((sum, p, i) => sum + (i === axis ? at : p) * strides[i]!, 0);
      out.data[place] = value!.data[flat]!;
    });
    return [out];
  },
  element(context, attributes) {
    const axis = numberAttribute(attributes, "axis");
    const own: Scalar = { kind: "index", type: "i32", index: context.index[axis]! };
    const at = apply("sub_i32", own, context.read(2, []));
    const size = context.size(context.operands[1]!.shape[axis]!);
    const inside = apply("and", apply("le_i32", i32(0), at), apply("lt_i32", at, size));
    const fresh = context.read(
      1,
      context.index.map((each, i): Affine | Index => (i === axis ? { kind: "computed", value: at } : each)),
    );
    const old = context.read(0, context.index);
    return apply(selections[scalarTypeOf(context.results[0]!.dtype)], inside, fresh, old);
  },
  gradient({ builder: b, node, cotangents, wanted }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined, undefined, undefined];
    const axis = numberAttribute(attributes, "axis");
    const [base, value, start] = node.operands as [Value, Value, Value];
    const { shape } = value.type;
    /** the positions that were replaced, read back; 0 for those left out */
    const back = (): Value => {
      const at = build.add(b, build.iota(b, [shape[axis]!], 0), start);
      const size = build.cast(b, build.size(b, base.type.shape[axis]!), "i32");
      const zero = build.fullLike(b, 0, at);
      const inside = build.and(b, build.le(b, zero, at), build.lt(b, at, size));
      const first = [axis, ...[...shape.keys()].filter((i) => i !== axis)];
      const rows = build.gather(b, build.reorder(b, ct, first), at);
      const read = build.reorder(
        b,
        rows,
        [...shape.keys()].map((i) => first.indexOf(i)),
      );
      return build.select(b, build.expandTo(b, inside, shape, [axis]), read, build.fullLike(b, 0, value));
    };
    return [
      wanted(0) ? build.updateSlice(b, ct, build.fullLike(b, 0, value), start, axis) : undefined,
      wanted(1) && dim.constantOf(base.type.shape[axis]!) !== 0 ? back() : undefined,
      undefined,
    ];
  },
  examples: [
    {
      operands: [
        tensor("f32", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
        tensor("f32", [2, 2], [10, 20, 30, 40]),
        tensor("i32", [], [1]),
      ],
      attributes: { axis: 1 },
      results: [tensor("f32", [2, 4], [1, 10, 20, 4, 5, 30, 40, 8])],
    },
    {
      operands: [tensor("f32", [3], [1, 2, 3]), tensor("f32", [2], [8, 9]), tensor("i32", [], [2])],
      attributes: { axis: 0 },
      results: [tensor("f32", [3], [1, 2, 8])],
    },
  ],
  cheap: false,
});
