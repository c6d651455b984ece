/** prune-loops: carries, yields and operands of loops that nothing needs go away. */
import { isNode } from "../ir/graph.ts";
import { loopAttributes, loopOf } from "../ir/loop.ts";
import { rewrite, rewriteBodies } from "../ir/rewrite.ts";
import { deadCode } from "./dead-code.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Loop } from "../ir/loop.ts";
import type { Pass } from "./pass.ts";

export const pruneLoops: Pass = {
  name: "prune-loops",
  summary: "Removes carries, yields and operands of loops that nothing needs, and what is yielded twice.",
  loops: true,
  run(graph) {
    if (!graph.nodes.some(loopOf)) return graph;
    const used = new Set<Value>();
    for (const node of graph.nodes) for (const operand of node.operands) used.add(operand);
    for (const { value } of [...graph.outputs, ...graph.writes]) used.add(value);
    const next = rewrite(graph, (node, operands, builder) => {
      const loop = loopOf(node);
      if (!loop) return undefined;
      const pruned = prune(loop, node, used);
      if (!pruned) return undefined;
      const results = builder.node(
        node.op,
        pruned.operands.map((i) => operands[i]!),
        loopAttributes(pruned.loop),
      );
      return pruned.results.map((i) => results[i] ?? results[0]!);
    });
    return deadCode.run(rewriteBodies(next, pruneLoops.run));
  },
};

interface Pruned {
  readonly loop: Loop;
  /** numbers of the operands that stay */
  readonly operands: readonly number[];
  /** for each old result the number of the one that stands for it; -1: nothing reads it */
  readonly results: readonly number[];
}

/** Undefined where all of it is needed. */
function prune(loop: Loop, node: Node, used: ReadonlySet<Value>): Pruned | undefined {
  const { body, carries } = loop;
  const outputs = body.outputs.map(({ value }) => value);
  // a carry is needed for its last value, or where anything needed reads it
  const needed = new Set<Value>();
  const walk: Value[] = [];
  const need = (value: Value): void => {
    if (needed.has(value)) return;
    needed.add(value);
    walk.push(value);
  };
  outputs.forEach((value, i) => {
    if (used.has(node.results[i]!)) need(value);
  });
  const carryNeeded = (i: number): boolean => used.has(node.results[i]!) || needed.has(body.inputs[i]!);
  for (let value = walk.pop(); value; value = walk.pop()) {
    if (isNode(value.source)) value.source.operands.forEach(need);
    const carry = body.inputs.indexOf(value);
    if (carry >= 0 && carry < carries) need(outputs[carry]!);
  }

  const kept: number[] = [];
  const results: number[] = [];
  const first = new Map<Value, number>();
  outputs.forEach((value, i) => {
    const wanted = i < carries ? carryNeeded(i) : used.has(node.results[i]!);
    const same = i < carries ? undefined : first.get(value);
    if (!wanted) results.push(-1);
    else if (same !== undefined) results.push(same);
    else {
      if (i >= carries) first.set(value, kept.length);
      results.push(kept.length);
      kept.push(i);
    }
  });
  const operands = body.inputs.flatMap((input, i) => {
    const stays = i < carries ? carryNeeded(i) : needed.has(input);
    return stays ? [i] : [];
  });
  if (kept.length === outputs.length && operands.length === body.inputs.length) return undefined;
  const count = (from: number, to: number): number => operands.filter((i) => i >= from && i < to).length;
  return {
    loop: {
      ...loop,
      carries: count(0, carries),
      sequences: count(carries, carries + loop.sequences),
      body: bodyWith(body, operands, kept),
    },
    operands,
    results,
  };
}

/** The body with these of its inputs and outputs. */
function bodyWith(body: Graph, inputs: readonly number[], outputs: readonly number[]): Graph {
  return deadCode.run({
    ...body,
    inputs: inputs.map((i) => body.inputs[i]!),
    outputs: outputs.map((i) => body.outputs[i]!),
  });
}
