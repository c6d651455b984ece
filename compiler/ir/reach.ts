/** What values are made of. */
import { isNode } from "./graph.ts";
import type { Node, Value } from "./graph.ts";

/** All values that the targets are made of, themselves among them. */
export function valuesBehind(targets: Iterable<Value>): ReadonlySet<Value> {
  const found = new Set<Value>();
  const walk = [...targets];
  for (let value = walk.pop(); value; value = walk.pop()) {
    if (found.has(value)) continue;
    found.add(value);
    if (isNode(value.source)) walk.push(...value.source.operands);
  }
  return found;
}

/** Those of the nodes, which are in order, that the values need. */
export function neededNodes(nodes: readonly Node[], values: Iterable<Value>): readonly Node[] {
  const wanted = new Set(values);
  const needed = new Set<Node>();
  for (const node of nodes.toReversed()) {
    if (!node.results.some((result) => wanted.has(result))) continue;
    needed.add(node);
    for (const operand of node.operands) wanted.add(operand);
  }
  return nodes.filter((node) => needed.has(node));
}
