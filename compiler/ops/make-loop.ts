/** Cuts a loop's body out of a builder: what was built from the step's inputs becomes the body, all else stays outside. */
import { graphBuilder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { loopAttributes } from "../ir/loop.ts";
import { neededNodes } from "../ir/reach.ts";
import { copyNodes } from "../ir/rewrite.ts";
import { loop as loopOp } from "./loop.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Dim } from "../ir/dim.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Loop } from "../ir/loop.ts";
import type { TensorType } from "../ir/type.ts";

/** An input of a step, not among the inputs of any builder. */
export function stepInput(name: string, type: TensorType): Value {
  return { type, source: { name, role: "input", type }, result: 0 };
}

export interface LoopParts {
  readonly length: Dim;
  readonly reverse: boolean;
  readonly carries: readonly { readonly input: Value; readonly start: Value; readonly next: Value }[];
  /** `from` has one axis more than `input`, the first */
  readonly sequences: readonly { readonly input: Value; readonly from: Value }[];
  readonly whole?: readonly { readonly input: Value; readonly from: Value }[];
  readonly yields: readonly Value[];
  /**
   * also yields what a gradient would need of each step: the carries as the step finds them, and every result that costs
   * more than to load it; what nothing reads goes away again
   */
  readonly keep: boolean;
}

/** The graph of a step, of what its builder holds. */
export function finishStep(builder: GraphBuilder, outputs: readonly Value[]): Graph {
  return builder.finish({
    name: "step",
    outputs: outputs.map((value, i) => ({ name: `y${i}`, value })),
    writes: [],
  });
}

/**
 * The carries after the last step and the stacked yields. Nodes that the builder got since it had `mark` nodes are moved into
 * the body where they depend on the step's inputs.
 */
export function makeLoop(
  builder: GraphBuilder,
  mark: number,
  parts: LoopParts,
): { readonly finals: readonly Value[]; readonly yields: readonly Value[] } {
  const { carries, sequences, whole = [] } = parts;
  const inner = new Set<Value>([...carries, ...sequences, ...whole].map(({ input }) => input));
  const moved: Node[] = [];
  const stay: Node[] = [];
  for (const node of builder.nodes.slice(mark)) {
    const depends = node.operands.some((operand) => inner.has(operand));
    (depends ? moved : stay).push(node);
    if (depends) for (const result of node.results) inner.add(result);
  }
  builder.nodes.splice(mark, builder.nodes.length - mark, ...stay);

  const given = [...carries.map(({ next }) => next), ...parts.yields];
  const kept = neededNodes(moved, given);
  const read = new Set([...given, ...kept.flatMap((node) => node.operands)]);

  const body = graphBuilder();
  const now = new Map<Value, Value>();
  let count = 0;
  const input = (value: Value): void => {
    now.set(value, body.input(`x${count++}`, "input", value.type));
  };
  for (const { input: value } of carries) input(value);
  const used = sequences.filter(({ input: value }) => read.has(value));
  for (const { input: value } of used) input(value);
  const seen = whole.filter(({ input: value }) => read.has(value));
  const captured: Value[] = seen.map(({ from }) => from);
  for (const { input: value } of seen) input(value);
  const of = (value: Value): Value => {
    const known = now.get(value);
    if (known) return known;
    // a value of the surroundings: small constants are written again, all else is seen whole by every step
    if (isNode(value.source) && value.source.op.name === "constant") {
      const [copy] = body.node(value.source.op, [], value.source.attributes);
      now.set(value, copy!);
      return copy!;
    }
    input(value);
    captured.push(value);
    return now.get(value)!;
  };
  copyNodes(body, kept, now, of);
  const outputs = given.map(of);
  if (parts.keep) {
    for (const { input: value } of carries) outputs.push(of(value));
    for (const node of body.nodes) if (!node.op.cheap) outputs.push(...node.results);
  }
  const loop: Loop = {
    length: parts.length,
    carries: carries.length,
    sequences: used.length,
    reverse: parts.reverse,
    body: finishStep(body, outputs),
  };
  const operands = [...carries.map(({ start }) => start), ...used.map(({ from }) => from), ...captured];
  const results = builder.node(loopOp, operands, loopAttributes(loop));
  const finals = results.slice(0, carries.length);
  return { finals, yields: results.slice(carries.length, carries.length + parts.yields.length) };
}
