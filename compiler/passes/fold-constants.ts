/** fold-constants: what depends on constants alone is computed when compiling, by the ops' reference meaning. */
import { symbolsIn, tensorAttribute } from "../ir/attribute.ts";
import { constantOf } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { rewrite } from "../ir/rewrite.ts";
import { constantTensor } from "../ops/build.ts";
import type { Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Pass } from "./pass.ts";

/** A result larger than this, or than what it is computed from, would cost more to read than to compute. */
const largestFolded = 16;

function constantValue({ source }: Value): Tensor | undefined {
  return isNode(source) && source.op.name === "constant"
    ? tensorAttribute(source.attributes, "value")
    : undefined;
}

export const foldConstants: Pass = {
  name: "fold-constants",
  summary: "Computes small results of constants alone when compiling.",
  run(graph) {
    return rewrite(graph, (node, operands, builder) => {
      const values = operands.map(constantValue);
      const known = values.filter((value) => value !== undefined);
      if (operands.length === 0 || known.length < operands.length) return undefined;
      if (symbolsIn(node.attributes).size > 0) return undefined;
      const largest = Math.max(...known.map(({ data }) => data.length));
      const results: { dtype: Tensor["dtype"]; shape: number[] }[] = [];
      for (const { type } of node.results) {
        const shape = type.shape.map(constantOf);
        if (shape.includes(undefined)) return undefined;
        const count = shape.reduce<number>((a, b) => a * b!, 1);
        if (count > largestFolded || count > largest) return undefined;
        results.push({ dtype: type.dtype, shape: shape.map((size) => size!) });
      }
      const sizes = new Map<string, number>();
      return node.op
        .evaluate(known, node.attributes, { sizes, results })
        .map((value) => constantTensor(builder, value));
    });
  },
};
