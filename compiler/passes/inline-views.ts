/** inline-views: what a loop's steps only see through a view, they read in the place where it lies. */
import { graphBuilder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { loopAttributes, loopOf } from "../ir/loop.ts";
import { copyNodes, rewrite, rewriteBodies } from "../ir/rewrite.ts";
import { finishStep } from "../ops/make-loop.ts";
import { views } from "../ops/views.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Node, Value } from "../ir/graph.ts";
import type { Loop } from "../ir/loop.ts";
import type { Pass } from "./pass.ts";

export const inlineViews: Pass = {
  name: "inline-views",
  summary: "Moves views of what all steps of a loop see, such as weights, into the loop's body.",
  loops: true,
  run(graph) {
    const next = rewrite(graph, (node, operands, builder) => {
      const loop = loopOf(node);
      return loop && inlined(loop, node, operands, builder);
    });
    return rewriteBodies(next, inlineViews.run);
  },
};

const isView = (value: Value): value is Value & { readonly source: Node } =>
  isNode(value.source) && (views.has(value.source.op.name) || value.source.op.name === "constant");

function inlined(
  loop: Loop,
  node: Node,
  operands: readonly Value[],
  builder: GraphBuilder,
): readonly Value[] | undefined {
  const { body } = loop;
  const first = loop.carries + loop.sequences;
  if (!operands.some((operand, i) => i >= first && isView(operand))) return undefined;
  const next = graphBuilder();
  const now = new Map<Value, Value>();
  const given: Value[] = [];
  const inputs = new Map<Value, Value>();
  const input = (from: Value, type: Value["type"]): Value => {
    given.push(from);
    return next.input(`x${given.length - 1}`, "input", type);
  };
  body.inputs.slice(0, first).forEach((value, i) => now.set(value, input(operands[i]!, value.type)));
  const inside = (outer: Value): Value => {
    const known = inputs.get(outer);
    if (known) return known;
    let made: Value;
    if (isView(outer)) {
      const from = outer.source.operands.map(inside);
      next.origin = outer.source.origin;
      made = next.emit(outer.source.op, from, outer.source.attributes);
    } else made = input(outer, outer.type);
    inputs.set(outer, made);
    return made;
  };
  body.inputs.slice(first).forEach((value, i) => now.set(value, inside(operands[first + i]!)));
  copyNodes(next, body.nodes, now);
  const graph = finishStep(
    next,
    body.outputs.map(({ value }) => now.get(value)!),
  );
  builder.origin = node.origin;
  return builder.node(node.op, given, loopAttributes({ ...loop, body: graph }));
}
