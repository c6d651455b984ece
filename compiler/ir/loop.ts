/**
 * Loops: the one kind of node with a graph inside. Its operands are first the carries' starts, then sequences (their
 * first axis is the steps), then what every step sees whole. Its body is a graph of inputs in the same order, sequences
 * without their first axis; the body's outputs are the carries' next values, then what each step yields. Its results
 * are the carries after the last step, and the yields stacked along a new first axis.
 */
import { dimAttribute, isGraph, numberAttribute } from "./attribute.ts";
import type { Dim } from "./dim.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { Attributes } from "./op.ts";

export interface Loop {
  /** how many steps */
  readonly length: Dim;
  readonly carries: number;
  readonly sequences: number;
  /** the last element of the sequences comes first; yields are stacked where their sequence element lies */
  readonly reverse: boolean;
  readonly body: Graph;
}

/** The loop that a node is, or undefined. */
export function loopOf({ attributes }: Pick<Node, "attributes">): Loop | undefined {
  const body = attributes["body"];
  if (body === undefined || !isGraph(body)) return undefined;
  return {
    length: dimAttribute(attributes, "length"),
    carries: numberAttribute(attributes, "carries"),
    sequences: numberAttribute(attributes, "sequences"),
    reverse: attributes["reverse"] === true,
    body,
  };
}

export function loopAttributes(loop: Loop): Attributes {
  return { ...loop };
}

/** Operands of a loop, or inputs of its body, by kind. */
export function partsOfLoop(
  loop: Pick<Loop, "carries" | "sequences">,
  values: readonly Value[],
): {
  readonly carries: readonly Value[];
  readonly sequences: readonly Value[];
  readonly whole: readonly Value[];
} {
  const ends = loop.carries + loop.sequences;
  return {
    carries: values.slice(0, loop.carries),
    sequences: values.slice(loop.carries, ends),
    whole: values.slice(ends),
  };
}
