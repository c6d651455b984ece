/** Sums that read no carry, done for all steps before a loop. */
import { graphBuilder } from "../../ir/builder.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Node, Value } from "../../ir/graph.ts";
import type { Loop } from "../../ir/loop.ts";
import { copyNodes } from "../../ir/rewrite.ts";
import { finishStep } from "../../ops/make-loop.ts";
import { nodeOutside } from "./all-steps.ts";
import type { Outside } from "./all-steps.ts";

/** Values that no carry is needed for. */
export function earlyValues(loop: Loop): Set<Value> {
  const early = new Set<Value>(loop.body.inputs.slice(loop.carries));
  for (const node of loop.body.nodes)
    if (node.operands.every((operand) => early.has(operand)))
      for (const result of node.results) early.add(result);
  return early;
}

/** The loop with fewer nodes in its steps, and its operands, those that were made here among them. */
export function hoist(
  b: GraphBuilder,
  loop: Loop,
  operands: readonly Value[],
  owner: Node,
): { readonly loop: Loop; readonly operands: readonly Value[] } {
  const { body, carries, sequences } = loop;
  const known = new Map<Value, Outside | undefined>();
  body.inputs.forEach((input, i) => {
    if (i < carries) known.set(input, undefined);
    else known.set(input, { value: operands[i]!, stacked: i < carries + sequences });
  });
  const outside = (value: Value): Outside | undefined => {
    if (known.has(value)) return known.get(value);
    const node = value.source as Node;
    const given = node.operands.map(outside);
    const present = given.filter((each) => each !== undefined);
    const results = present.length === given.length ? nodeOutside(b, node, present, loop.length) : undefined;
    const stacked = present.some((each) => each.stacked);
    node.results.forEach((result, i) => known.set(result, results && { value: results[i]!, stacked }));
    return known.get(value);
  };
  const early = earlyValues(loop);
  const moved = new Map<Value, Outside>();
  for (const node of body.nodes) {
    if (node.op.cheap || !node.results.every((result) => early.has(result))) continue;
    for (const result of node.results) {
      const found = outside(result);
      if (found) moved.set(result, found);
    }
  }
  b.origin = owner.origin;
  if (moved.size === 0) return { loop, operands };

  const next = graphBuilder();
  const now = new Map<Value, Value>();
  const given: Value[] = [];
  let count = 0;
  const input = (value: Value, from: Value): void => {
    now.set(value, next.input(`x${count++}`, "input", value.type));
    given.push(from);
  };
  const hoisted = [...moved];
  body.inputs.slice(0, carries + sequences).forEach((value, i) => input(value, operands[i]!));
  for (const [value, { value: from, stacked }] of hoisted) if (stacked) input(value, from);
  const ends = count;
  body.inputs
    .slice(carries + sequences)
    .forEach((value, i) => input(value, operands[carries + sequences + i]!));
  for (const [value, { value: from, stacked }] of hoisted) if (!stacked) input(value, from);
  copyNodes(next, body.nodes, now);
  const graph = finishStep(
    next,
    body.outputs.map(({ value }) => now.get(value)!),
  );
  return { loop: { ...loop, sequences: ends - carries, body: graph }, operands: given };
}
