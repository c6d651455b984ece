/** common-subexpressions: the same op on the same operands is computed once. */
import { attributeKey } from "../ir/attribute.ts";
import { keep, rewrite } from "../ir/rewrite.ts";
import type { Value } from "../ir/graph.ts";
import type { Pass } from "./pass.ts";

export const commonSubexpressions: Pass = {
  name: "common-subexpressions",
  summary: "Computes the same op on the same operands with the same attributes once.",
  run(graph) {
    const numbers = new Map<Value, number>();
    const numberOf = (value: Value): number => {
      const number = numbers.get(value) ?? numbers.size;
      numbers.set(value, number);
      return number;
    };
    const known = new Map<string, readonly Value[]>();
    return rewrite(graph, (node, operands, builder) => {
      const key = `${node.op.name}(${operands.map(numberOf).join(",")})${attributeKey(node.attributes)}`;
      const results = known.get(key) ?? keep(node, operands, builder);
      known.set(key, results);
      return results;
    });
  },
};
