/** The learning rate of a step, as the program's schedule gives it, for events. */
import type { Graph, GraphInput } from "../../compiler/ir/graph.ts";
import { tensor } from "../../compiler/ir/tensor.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import type { Control } from "./loop.ts";

export function rateOf(graph: Graph | undefined): ((control: Control) => number) | undefined {
  if (!graph) return undefined;
  return (control) => {
    const inputs = graph.inputs.map(({ source, type }) => {
      const { name } = source as GraphInput;
      return [name, tensor(type.dtype, [], [control[name as keyof Control] ?? 0])] as const;
    });
    return evaluate(graph, new Map(inputs), new Map()).outputs.get("rate")!.data[0]!;
  };
}
