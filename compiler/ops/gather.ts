/** gather: rows of a table by number. */
import { constantOf } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import { scalarTypeOf } from "../ir/type.ts";
import * as build from "./build.ts";

export const gather = defineOp({
  name: "gather",
  summary:
    "The rows of a table (along its first axis) that the ids name; an id outside is the nearest one inside.",
  operands: ["table", "ids"],
  attributes: {},
  infer([table, ids]) {
    if (!table!.shape[0]) return { mismatch: "the table has no rows" };
    if (constantOf(table!.shape[0]) === 0) return { mismatch: "the table has no rows" };
    if (ids!.dtype !== "i32") return { mismatch: `ids must be i32, not ${ids!.dtype}` };
    return [{ dtype: table!.dtype, shape: [...ids!.shape, ...table!.shape.slice(1)] }];
  },
  evaluate([table, ids], _, { results }) {
    const { dtype, shape } = results[0]!;
    const out = tensor(dtype, shape);
    const width = elementCount(table!.shape.slice(1));
    const last = table!.shape[0]! - 1;
    ids!.data.forEach((id, i) => {
      const row = Math.min(Math.max(id, 0), last);
      out.data.set(table!.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return [out];
  },
  element(context) {
    const rank = context.operands[1]!.shape.length;
    const row = context.read(1, context.index.slice(0, rank));
    return context.read(0, [{ kind: "computed", value: row }, ...context.index.slice(rank)]);
  },
  gradient({ builder, node, cotangents, wanted }) {
    const ct = cotangents[0];
    const [table, ids] = node.operands;
    if (!ct || !wanted(0) || scalarTypeOf(table!.type.dtype) !== "f32") return [undefined, undefined];
    return [build.scatterAdd(builder, build.fullLike(builder, 0, table!), ids!, ct), undefined];
  },
  examples: [
    {
      operands: [tensor("f32", [3, 2], [1, 2, 3, 4, 5, 6]), tensor("i32", [4], [2, 0, -5, 9])],
      attributes: {},
      results: [tensor("f32", [4, 2], [5, 6, 1, 2, 1, 2, 5, 6])],
    },
    {
      operands: [tensor("i32", [3], [10, 20, 30]), tensor("i32", [], [1])],
      attributes: {},
      results: [tensor("i32", [], [20])],
    },
  ],
  stacked: (attributes, _, [table, ids]) => (ids && !table ? attributes : undefined),
  cheap: true,
});
