/** Whether the rows of an entry depend on each other: a proof op by op. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { mentions, rowAxis } from "../ops/row-axis.ts";
import type { RowAxis } from "../ops/row-axis.ts";

/** True where every output has the rows as its first axis, and nothing is written. */
export function rowsIndependent(graph: Graph, rows: string): boolean {
  if (graph.writes.length > 0) return false;
  const axes = new Map<Value, RowAxis>();
  const symbol = dim.symbol(rows);
  for (const input of graph.inputs) axes.set(input, axisOfInput(input, symbol));
  for (const node of graph.nodes) {
    const operands = node.operands.map((operand) => axes.get(operand) ?? "mixed");
    node.results.forEach((result) => axes.set(result, rowAxis(node, operands, result, rows)));
  }
  return graph.outputs.every(({ value }) => axes.get(value) === 0);
}

function axisOfInput(input: Value, rows: Dim): RowAxis {
  const name = [...dim.symbolsOf(rows)][0]!;
  const { shape } = input.type;
  if (!shape.some((size) => mentions(size, name))) return "none";
  return dim.equal(shape[0]!, rows) && !shape.slice(1).some((size) => mentions(size, name)) ? 0 : "mixed";
}
