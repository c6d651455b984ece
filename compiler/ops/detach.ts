/** detach: the same number, through which no cotangent passes. */
import { defineOp } from "../ir/op.ts";
import { vectors } from "./elementwise.ts";

export const detach = defineOp({
  name: "detach",
  summary: "The same numbers; no cotangent passes through.",
  operands: ["x"],
  attributes: {},
  infer: ([x]) => [x!],
  evaluate: ([x]) => [x!],
  element: (context) => context.read(0, context.index),
  gradient: { none: "it is there to stop cotangents" },
  examples: [vectors([[1, -2]], [1, -2])],
  stacked: (attributes) => attributes,
  cheap: true,
});
