/** Random inputs for a graph of any kind, in the ranges that it reads them in: for benchmarks and comparisons of passes. */
import * as dim from "../compiler/ir/dim.ts";
import { isNode, type Graph, type GraphInput, type Value } from "../compiler/ir/graph.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { threefry } from "../runtime/random.ts";

/** Uniform in [0, 1), 32 bits, the same numbers for the same seed. */
export function uniform(seed: number, stream: number): () => number {
  const drawn = new Uint32Array(2);
  let count = 0;
  return () => {
    if (count % 2 === 0) threefry(seed, stream, count / 2, 0, drawn);
    return drawn[count++ % 2]! / 2 ** 32;
  };
}

/** Standard normal numbers by the method of Box and Muller. */
export function normal(seed: number, stream: number): () => number {
  const next = uniform(seed, stream);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Ops through which an integer goes on being the same integer. */
const passing = new Set(["cast", "expand", "reorder", "split", "merge", "slice", "pad", "concat"]);

/** Of integers that name rows or classes: how many there are, as the smallest table or range they are compared with says. */
function classesOf(graph: Graph, input: Value, sizes: ReadonlyMap<string, number>): number | undefined {
  const same = new Set([input]);
  let least: number | undefined;
  const found = (count: number): void => void (least = Math.min(least ?? count, count));
  for (const { op, operands, results } of graph.nodes) {
    const at = operands.findIndex((operand) => same.has(operand));
    if (at < 0) continue;
    if (passing.has(op.name)) for (const result of results) same.add(result);
    if ((op.name === "gather" || op.name === "scatter_add") && at === 1)
      found(dim.evaluate(operands[0]!.type.shape[0]!, sizes));
    if (op.name === "eq")
      for (const operand of operands) {
        const positions = iotaBehind(operand);
        if (positions !== undefined) found(dim.evaluate(positions, sizes));
      }
  }
  return least;
}

/** How far the positions reach that a value holds, where it is an iota behind views. */
function iotaBehind(value: Value): dim.Dim | undefined {
  let { source } = value;
  while (isNode(source) && passing.has(source.op.name) && source.operands.length === 1)
    ({ source } = source.operands[0]!);
  if (!isNode(source) || source.op.name !== "iota") return undefined;
  const { shape, axis } = source.attributes as { shape: readonly dim.Dim[]; axis: number };
  return shape[axis];
}

const control: Readonly<Record<string, number>> = { step: 1, steps_per_epoch: 1, rate_factor: 1 };

/**
 * Numbers for one input at these sizes: floats of mean 0 and deviation 1 (weights 0.1), bytes 0 to 255, booleans, and
 * integers below the number of rows or classes that they name. Control scalars are those of a first step.
 */
export function randomInput(
  graph: Graph,
  input: Value,
  sizes: ReadonlyMap<string, number>,
  seed: number,
): Tensor {
  const { name, role, type } = input.source as GraphInput;
  const shape = type.shape.map((size) => dim.evaluate(size, sizes));
  if (role === "control") return tensor(type.dtype, shape, new Float64Array(1).fill(control[name] ?? 0));
  const place = graph.inputs.indexOf(input);
  const value = tensor(type.dtype, shape);
  const fill = (next: () => number): Tensor => {
    for (let i = 0; i < value.data.length; i++) value.data[i] = next();
    return value;
  };
  const next = uniform(seed, place);
  const below = (count: number) => (): number => Math.floor(next() * count);
  switch (type.dtype) {
    case "f32":
    case "f16": {
      const draw = normal(seed, place);
      // running variances, second moments and deviations are positive
      if (role === "state") return fill(() => Math.abs(draw()));
      const scale = role === "weight" ? 0.1 : 1;
      return fill(() => scale * draw());
    }
    case "u8":
      return fill(below(256));
    case "bool":
      return fill(below(2));
    case "i32":
      return fill(below(classesOf(graph, input, sizes) ?? 8));
  }
}

export function randomInputs(
  graph: Graph,
  sizes: ReadonlyMap<string, number>,
  seed: number,
): Map<string, Tensor> {
  return new Map(
    graph.inputs.map((input) => [(input.source as GraphInput).name, randomInput(graph, input, sizes, seed)]),
  );
}
