/** barrier: the same numbers, of which nothing is known while passes run: what is computed from them is computed again. */
import { defineOp } from "../ir/op.ts";
import { vectors } from "./elementwise.ts";

export const barrier = defineOp({
  name: "barrier",
  summary:
    "The same numbers; what is computed from them is not shared with what is computed from the operand.",
  operands: ["x"],
  attributes: { part: "barriers of one part of the graph share this number" },
  infer: ([x]) => [x!],
  evaluate: ([x]) => [x!],
  element: (context) => context.read(0, context.index),
  gradient: ({ cotangents }) => [cotangents[0]],
  examples: [{ ...vectors([[1, -2]], [1, -2]), attributes: { part: 0 } }],
  cheap: true,
});
