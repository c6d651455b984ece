/** Cuts a loop's body out of a builder: what was built from the step's inputs becomes the body, all else stays outside. */
import { graphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { loopAttributes } from "../ir/loop.ts";
import { symbolsIn } from "../ir/attribute.ts";
import { loop as loopOp } from "./loop.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Dim } from "../ir/dim.ts";
import type { FreeDim, Graph, Node, Value } from "../ir/graph.ts";
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

/** Free dims that a graph's types and attributes mention. */
export function dimsOf(values: readonly Value[], nodes: readonly Node[]): FreeDim[] {
  const names = new Set<string>();
  for (const value of [...values, ...nodes.flatMap((node) => node.results)])
    for (const size of value.type.shape) dim.symbolsOf(size, names);
  for (const node of nodes) symbolsIn(node.attributes, names);
  return [...names].sort().map((name) => ({ name, max: undefined }));
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

  const wanted = new Set<Value>([...carries.map(({ next }) => next), ...parts.yields]);
  const needed = new Set<Node>();
  for (const node of moved.toReversed()) {
    if (!node.results.some((result) => wanted.has(result))) continue;
    needed.add(node);
    for (const operand of node.operands) wanted.add(operand);
  }
  const kept = moved.filter((node) => needed.has(node));

  const body = graphBuilder();
  const now = new Map<Value, Value>();
  let count = 0;
  const input = (value: Value): void => {
    now.set(value, body.input(`x${count++}`, "input", value.type));
  };
  for (const { input: value } of carries) input(value);
  const used = sequences.filter(({ input: value }) => wanted.has(value));
  for (const { input: value } of used) input(value);
  const given = whole.filter(({ input: value }) => wanted.has(value));
  const captured: Value[] = given.map(({ from }) => from);
  for (const { input: value } of given) input(value);
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
  for (const node of kept) {
    const operands = node.operands.map(of);
    body.origin = node.origin;
    const results = body.node(node.op, operands, node.attributes);
    node.results.forEach((result, i) => now.set(result, results[i]!));
  }
  const kinds = {
    length: parts.length,
    carries: carries.length,
    sequences: used.length,
    reverse: parts.reverse,
  };
  const outputs = [...carries.map(({ next }) => of(next)), ...parts.yields.map(of)];
  if (parts.keep) {
    for (const { input: value } of carries) outputs.push(of(value));
    for (const node of body.nodes) if (!node.op.cheap) outputs.push(...node.results);
  }
  const graph: Graph = body.finish({
    name: "step",
    dims: dimsOf(body.inputs, body.nodes),
    outputs: outputs.map((value, i) => ({ name: `y${i}`, value })),
    writes: [],
  });
  const operands = [...carries.map(({ start }) => start), ...used.map(({ from }) => from), ...captured];
  const results = emitLoop(builder, { ...kinds, body: graph }, operands);
  const finals = results.slice(0, carries.length);
  return { finals, yields: results.slice(carries.length, carries.length + parts.yields.length) };
}

/** A node that runs this loop. */
export function emitLoop(builder: GraphBuilder, loop: Loop, operands: readonly Value[]): readonly Value[] {
  return builder.node(loopOp, operands, loopAttributes(loop));
}
