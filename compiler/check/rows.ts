/** The architecture table: what each stage of a declaration's own body gives, and what it costs. */
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { contractionFlops } from "../ops/contraction-flops.ts";
import type { Frame } from "./frame.ts";
import type { CheckValue } from "./values.ts";

/** Floating point operations count free dims as 1: the cost of one row. */
function sizeOfRow(size: Dim): number {
  return dim.evaluate(size, new Map([...dim.symbolsOf(size)].map((name) => [name, 1])));
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
  const flops = contractionFlops(nodes, sizeOfRow);
  rows.push({
    text: textOf(span).replace(/\s+/g, " "),
    span,
    label,
    type: value.type,
    parameters: parameterCount(frame) - counted,
    flops,
  });
}
