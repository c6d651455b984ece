/** Nodes run one after the other by the reference meaning of their ops. */
import { evaluate as evaluateDim } from "./dim.ts";
import { InternalError } from "./internal-error.ts";
import type { Node, Value } from "./graph.ts";
import type { Tensor } from "./tensor.ts";
import type { TensorType } from "./type.ts";

/** `f32[2, 3]` */
function show(dtype: string, shape: readonly number[]): string {
  return `${dtype}[${shape.join(", ")}]`;
}

/** Throws where a tensor does not have its value's type. */
export function checkShape(
  what: string,
  found: Tensor,
  type: TensorType,
  sizes: ReadonlyMap<string, number>,
): void {
  const expected = show(
    type.dtype,
    type.shape.map((size) => evaluateDim(size, sizes)),
  );
  const actual = show(found.dtype, found.shape);
  if (actual !== expected)
    throw new InternalError("evaluate", `${what} is ${actual}, not ${expected}`, undefined);
}

/** Fills `values`, which holds the inputs, with the results of the nodes; `done` is told after each. */
export function evaluateNodes(
  nodes: readonly Node[],
  values: Map<Value, Tensor>,
  sizes: ReadonlyMap<string, number>,
  done: (node: Node, at: number) => void = () => {},
): void {
  nodes.forEach((node, at) => {
    const operands = node.operands.map((operand) => {
      const found = values.get(operand);
      if (!found)
        throw new InternalError("evaluate", `an operand of ${node.op.name} has no value`, undefined);
      return found;
    });
    const results = node.op.evaluate(operands, node.attributes, {
      sizes,
      results: node.results.map(({ type }) => ({
        dtype: type.dtype,
        shape: type.shape.map((size) => evaluateDim(size, sizes)),
      })),
    });
    node.results.forEach((value, i) => {
      checkShape(`result ${i} of ${node.op.name}`, results[i]!, value.type, sizes);
      values.set(value, results[i]!);
    });
    done(node, at);
  });
}
