/** What a graph says of training: which weights have a gradient and where the way is cut, which outputs cannot be negative. */
import { isNode } from "../../ir/graph.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { valuesBehind } from "../../ir/reach.ts";
import { scalarTypeOf } from "../../ir/type.ts";
import { views } from "../../ops/views.ts";

/** Why no gradient passes a node. */
export interface Cut {
  readonly node: Node;
  readonly why: string;
}

function isFloat(value: Value): boolean {
  return scalarTypeOf(value.type.dtype) === "f32";
}

/** All values that lead to the target by differentiable steps, itself among them. */
export function differentiableSources(target: Value): ReadonlySet<Value> {
  const found = new Set<Value>([target]);
  const walk = [target];
  for (let value = walk.pop(); value; value = walk.pop()) {
    if (!isNode(value.source) || typeof value.source.op.gradient !== "function") continue;
    for (const operand of value.source.operands)
      if (isFloat(operand) && !found.has(operand)) {
        found.add(operand);
        walk.push(operand);
      }
  }
  return found;
}

/** The first place on the way from a weight to the target where the derivative ends; undefined where there is no way at all. */
export function cutBetween(nodes: readonly Node[], weight: Value, target: Value): Cut | undefined {
  const leads = valuesBehind([target]);
  const reached = new Set<Value>([weight]);
  for (const node of nodes) {
    if (!node.operands.some((operand) => reached.has(operand) && leads.has(operand))) continue;
    if (!node.results.some((result) => leads.has(result))) continue;
    const { gradient } = node.op;
    if (typeof gradient !== "function") return { node, why: gradient.none };
    for (const result of node.results) reached.add(result);
  }
  return undefined;
}

function isZero(value: Value): boolean {
  if (!isNode(value.source)) return false;
  const { op, operands, attributes } = value.source;
  if (views.has(op.name)) return isZero(operands[0]!);
  const constant = op.name === "constant" ? attributes["value"] : undefined;
  return (
    typeof constant === "object" &&
    "data" in constant &&
    constant.data instanceof Float64Array &&
    constant.data.every((x) => x === 0)
  );
}

/** The node max(x, 0) whose result is the value, at most moved; undefined where there is none. */
export function flooredAtZero(value: Value): Node | undefined {
  if (!isNode(value.source)) return undefined;
  const { op, operands } = value.source;
  if (views.has(op.name)) return flooredAtZero(operands[0]!);
  return op.name === "max" && operands.some(isZero) ? value.source : undefined;
}
