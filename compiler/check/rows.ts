/** The architecture table: what each stage of a declaration's own body gives, and what it costs. */
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Node } from "../ir/graph.ts";
import { loopOf } from "../ir/loop.ts";
import type { Frame } from "./frame.ts";
import type { CheckValue } from "./values.ts";

/** Floating point operations count free dims as 1: the cost of one row. */
function flopsOf(sizes: readonly Dim[]): number {
  const total = dim.product(sizes);
  const ones = new Map([...dim.symbolsOf(total)].map((name) => [name, 1]));
  return dim.evaluate(total, ones);
}

/** The number of weights that have been asked for. */
export function parameterCount(frame: Frame): number {
  let count = 0;
  for (const { request, state } of frame.elaboration.requested.values()) {
    if (state) continue;
    const size = dim.constantOf(dim.product(request.type.axes.map((axis) => axis.size.dim)));
    count += size ?? 0;
  }
  return count;
}

function flopsOfNodes(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => {
    const loop = loopOf(node);
    if (loop) return sum + flopsOf([loop.length]) * flopsOfNodes(loop.body.nodes);
    // a contraction multiplies and adds once for each position of all its loops
    const { axes } = node.attributes;
    return node.op.name === "index" && Array.isArray(axes) ? sum + 2 * flopsOf(axes as Dim[]) : sum;
  }, 0);
}

/** `before`: nodes of the graph when the stage began. */
export function recordRow(
  frame: Frame,
  span: Span,
  label: string | undefined,
  value: CheckValue,
  before: number | undefined,
): void {
  const { rows, builder } = frame.elaboration;
  if (!rows || value.kind !== "tensor") return;
  const counted = rows.reduce((sum, row) => sum + row.parameters, 0);
  const nodes = builder?.nodes.slice(before ?? builder.nodes.length) ?? [];
  const flops = flopsOfNodes(nodes);
  rows.push({
    text: textOf(span).replace(/\s+/g, " "),
    span,
    label,
    type: value.type,
    parameters: parameterCount(frame) - counted,
    flops,
  });
}
