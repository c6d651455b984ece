/** `weight_norm(x)`, a function that optimizers alone have: it tells the weights apart in the one vector that holds them all. */
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import { sameShape } from "../../ir/type.ts";
import type { Builtin } from "../builtins/builtin.ts";
import { refuse, tensorArgument } from "../builtins/helpers.ts";
import { computed, emit } from "../emit.ts";
import { shapeOf, showType } from "../type.ts";
import { unknown } from "../values.ts";
import type { TensorValue } from "../values.ts";

/** Norms of the parts of a vector that lies as the parameters do, each at every element of its part. */
export type NormsOfParts = (b: GraphBuilder, x: Value) => Value;

/** `made` is told of each result with what it was made of. */
export function weightNorm(
  { type }: TensorValue,
  norms: NormsOfParts,
  made: (norm: Value, x: Value) => void,
): Builtin {
  return {
    name: "weight_norm",
    signature: "weight_norm(x)",
    doc: "The Euclidean length of each weight (a kernel, a table, a shift) in `x`, a vector of the size of `w`; at each of its elements.",
    configuration: [],
    tensors: [{ name: "x" }],
    over: "none",
    run: (call) => {
      const x = tensorArgument(call, "x", "weight_norm");
      if (!x) return unknown;
      if (!sameShape(shapeOf(x.type), shapeOf(type))) {
        refuse(call.frame, x.span, "a vector of the size of `w`", showType(x.type));
        return unknown;
      }
      const node = emit(call.frame, call.span, [x.value], (b, [v]) => norms(b, v!));
      if (node && x.value) made(node, x.value);
      return computed([x], x.type, node, call.span);
    },
  };
}
