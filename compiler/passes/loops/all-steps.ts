/** Nodes of a loop's body outside of it: for all steps at once. */
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Node, Value } from "../../ir/graph.ts";
import * as build from "../../ops/build.ts";

/** A value outside the loop: the same for all steps, or with all steps along a new first axis. */
export interface Outside {
  readonly value: Value;
  readonly stacked: boolean;
}

/** The value repeated for all steps. */
export function forAllSteps(b: GraphBuilder, { value, stacked }: Outside, length: Dim): Value {
  if (stacked) return value;
  const { shape } = value.type;
  return build.expandTo(
    b,
    value,
    [length, ...shape],
    shape.map((_, axis) => axis + 1),
  );
}

/** Results of the node, stacked where an operand is; undefined where its op has no form for that. */
export function nodeOutside(
  b: GraphBuilder,
  node: Node,
  operands: readonly Outside[],
  length: Dim,
): readonly Value[] | undefined {
  const { op, attributes } = node;
  b.origin = node.origin;
  const values = operands.map(({ value }) => value);
  const has = operands.map(({ stacked }) => stacked);
  if (!has.includes(true)) return b.node(op, values, attributes);
  const direct = op.stacked?.(attributes, length, has);
  if (direct) return b.node(op, values, direct);
  const all = op.stacked?.(
    attributes,
    length,
    operands.map(() => true),
  );
  return (
    all &&
    b.node(
      op,
      operands.map((operand) => forAllSteps(b, operand, length)),
      all,
    )
  );
}
