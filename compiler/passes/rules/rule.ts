/** What a simplification rule is, and what rules ask about values. */
import { tensorAttribute } from "../../ir/attribute.ts";
import { isNode } from "../../ir/graph.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Node, Value } from "../../ir/graph.ts";

export interface Rule {
  /** one English line: what becomes what */
  readonly sentence: string;
  /** names of the ops at whose nodes it is tried */
  readonly ops: readonly string[];
  /** What the only result of the node is equal to; undefined where the rule does not apply. Operands come before the node in the builder. */
  apply(node: Node, b: GraphBuilder): Value | undefined;
  /** Graphs to which it applies: each returns the value at whose node; inputs may have the dim B. */
  readonly examples: readonly ((b: GraphBuilder) => Value)[];
}

/** The node that makes a value, where it is one of this op. */
export function madeBy(value: Value | undefined, op: string): Node | undefined {
  return value && isNode(value.source) && value.source.op.name === op ? value.source : undefined;
}

/** The one number that all elements are, where that is known. */
export function everywhere(value: Value | undefined): number | undefined {
  const expanded = madeBy(value, "expand");
  if (expanded) return everywhere(expanded.operands[0]);
  const constant = madeBy(value, "constant");
  if (!constant) return undefined;
  const { data } = tensorAttribute(constant.attributes, "value");
  const [first] = data;
  return first !== undefined && data.every((each) => Object.is(each, first)) ? first : undefined;
}

/** Whether all elements are this number; 0 and -0 are different. */
export function isEverywhere(value: Value | undefined, number: number): boolean {
  return Object.is(everywhere(value), number);
}
