/** Reverse-mode differentiation: cotangents of values, written as nodes by the gradient rules of the ops. */
import { add, barrier, constantScalar } from "../ops/build.ts";
import { InternalError } from "../ir/internal-error.ts";
import { scalarTypeOf } from "../ir/type.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { copyNodes } from "../ir/rewrite.ts";
import type { Node, Value } from "../ir/graph.ts";

/**
 * d target / d each of wrt, in order; undefined where the target does not depend on it (or through no derivative).
 * `target` is f32 of rank 0. `wrt` may be inputs or results of nodes; one of them may depend on another, whose cotangent
 * then includes the way through it. Works on the nodes that the builder holds, and adds the nodes of the backward pass
 * with the origins of those that they differentiate. Of a `recompute` block it reads none of the values inside: it computes
 * them again from what the block reads, and so they need not be kept until then.
 */
export function differentiate(
  builder: GraphBuilder,
  target: Value,
  wrt: readonly Value[],
): readonly (Value | undefined)[] {
  if (target.type.dtype !== "f32" || target.type.shape.length !== 0)
    throw new InternalError("differentiate", "only a number of rank 0 has a gradient", undefined);
  return pullBack(builder, () => new Map([[target, constantScalar(builder, 1)]]), [target], wrt);
}

/** Cotangents of `wrt` from those of `targets`; `seedsOf` builds these after the forward nodes were counted. */
function pullBack(
  builder: GraphBuilder,
  seedsOf: () => ReadonlyMap<Value, Value>,
  targets: readonly Value[],
  wrt: readonly Value[],
): readonly (Value | undefined)[] {
  const forward = [...builder.nodes];
  const isFloat = (value: Value): boolean => scalarTypeOf(value.type.dtype) === "f32";

  // what lies between wrt and the targets
  const depends = new Set<Value>(wrt.filter(isFloat));
  for (const node of forward) {
    if (typeof node.op.gradient !== "function" || !node.operands.some((operand) => depends.has(operand)))
      continue;
    for (const result of node.results) if (isFloat(result)) depends.add(result);
  }

  const cotangents = new Map<Value, Value>();
  const { origin } = builder;
  const again = recomputed(builder, forward);
  if (targets.some((target) => depends.has(target)))
    for (const [value, seed] of seedsOf()) if (depends.has(value)) cotangents.set(value, seed);
  for (const node of forward.toReversed()) {
    const { gradient } = node.op;
    const wanted = (operand: number): boolean => depends.has(node.operands[operand]!);
    if (typeof gradient !== "function" || !node.operands.some((_, i) => wanted(i))) continue;
    const given = node.results.map((result) => cotangents.get(result));
    if (given.every((cotangent) => cotangent === undefined)) continue;
    builder.origin = node.origin;
    const found = gradient(
      {
        builder,
        node: again(node),
        cotangents: given,
        wanted,
        pullBack: (seeds, inner) => pullBack(builder, () => seeds, [...seeds.keys()], inner),
      },
      node.attributes,
    );
    node.operands.forEach((operand, i) => {
      const cotangent = found[i];
      if (!cotangent || !wanted(i)) return;
      const before = cotangents.get(operand);
      cotangents.set(operand, before ? add(builder, before, cotangent) : cotangent);
    });
  }
  builder.origin = origin;
  return wrt.map((value) => cotangents.get(value));
}

/**
 * The node that stands for one of the forward pass in the backward pass: itself, or its copy where it is part of a
 * `recompute` block. The copies of a block are made when the first is asked for, so they come after the gradients of all
 * that follows the block. Weights and states are there anyway; all else that a block reads is behind a barrier, or the
 * copies would be found to be the same as what they copy.
 */
function recomputed(builder: GraphBuilder, forward: readonly Node[]): (node: Node) => Node {
  const { parts } = builder;
  const copies = new Map<Node, Node>();
  const copyPart = (part: number): void => {
    const now = new Map<Value, Value>();
    const inside = forward.filter((node) => parts.get(node) === part);
    const own = new Set(inside.flatMap((node) => node.results));
    const read = (value: Value): Value => {
      const known = now.get(value);
      if (known) return known;
      const kept = !isNode(value.source) && value.source.role !== "input";
      const behind = own.has(value) || kept ? value : barrier(builder, value, part);
      now.set(value, behind);
      return behind;
    };
    copyNodes(builder, inside, now, read);
    for (const node of inside) copies.set(node, now.get(node.results[0]!)!.source as Node);
  };
  return (node) => {
    const part = parts.get(node);
    if (part === undefined) return node;
    if (!copies.has(node)) copyPart(part);
    return copies.get(node)!;
  };
}
