/** scatter_add: rows added into a table at the ids. */
import { constantOf, subtract, one } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { apply, f32, i32 } from "../ir/scalar.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import { sameShape } from "../ir/type.ts";
import * as build from "./build.ts";

export const scatterAdd = defineOp({
  name: "scatter_add",
  summary:
    "The base with each row added to the one that its id names (along the first axis); an id outside is the nearest one inside.",
  operands: ["base", "ids", "rows"],
  attributes: {},
  infer([base, ids, rows]) {
    if (!base!.shape[0] || constantOf(base!.shape[0]) === 0) return { mismatch: "the base has no rows" };
    if (base!.dtype !== "f32" || rows!.dtype !== "f32" || ids!.dtype !== "i32")
      return { mismatch: "scatter_add takes f32, i32, f32" };
    if (!sameShape(rows!.shape, [...ids!.shape, ...base!.shape.slice(1)]))
      return { mismatch: "rows must have the shape of ids and then that of a row of the base" };
    return [base!];
  },
  evaluate([base, ids, rows]) {
    const out = tensor("f32", base!.shape, base!.data);
    const width = elementCount(base!.shape.slice(1));
    const last = base!.shape[0]! - 1;
    ids!.data.forEach((id, i) => {
      const row = Math.min(Math.max(id, 0), last);
      for (let c = 0; c < width; c++) out.data[row * width + c]! += rows!.data[i * width + c]!;
    });
    return [out];
  },
  element(context) {
    const [row, ...column] = context.index;
    const [base, ids] = context.operands;
    const last = context.size(subtract(base!.shape[0]!, one));
    const sum = context.reduce("sum", ids!.shape, (at) => {
      const id = apply("min_i32", apply("max_i32", context.read(1, at), i32(0)), last);
      const here = apply("eq_i32", id, { kind: "index", type: "i32", index: row! });
      return apply("select", here, context.read(2, [...at, ...column]), f32(0));
    });
    return apply("add", context.read(0, context.index), sum);
  },
  gradient({ builder, node, cotangents, wanted }) {
    const ct = cotangents[0];
    if (!ct) return [undefined, undefined, undefined];
    return [
      wanted(0) ? ct : undefined,
      undefined,
      wanted(2) ? build.gather(builder, ct, node.operands[1]!) : undefined,
    ];
  },
  examples: [
    {
      operands: [
        tensor("f32", [2, 2], [10, 20, 30, 40]),
        tensor("i32", [4], [1, 1, 0, 7]),
        tensor("f32", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      ],
      attributes: {},
      results: [tensor("f32", [2, 2], [15, 26, 41, 54])],
    },
  ],
  cheap: false,
});
