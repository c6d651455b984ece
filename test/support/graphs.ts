/** Shared by numeric tests: evaluating one node, random tensors, comparing, derivatives by differences. */
import { graphBuilder } from "../../compiler/ir/builder.ts";
import { evaluate as evaluateDim } from "../../compiler/ir/dim.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import type { GraphBuilder } from "../../compiler/ir/builder.ts";
import type { Graph, GraphInput, Value } from "../../compiler/ir/graph.ts";
import type { TensorType } from "../../compiler/ir/type.ts";
import type { Random } from "./random.ts";

/** A graph of all outputs that `make` returns. */
export function graphOf(
  make: (b: GraphBuilder) => Readonly<Record<string, Value>>,
  dims: readonly string[] = [],
): Graph {
  const b = graphBuilder();
  const outputs = Object.entries(make(b)).map(([name, value]) => ({ name, value }));
  return b.finish({
    name: "test",
    dims: dims.map((name) => ({ name, max: undefined })),
    outputs,
    writes: [],
  });
}

export function randomTensor(
  random: Random,
  type: TensorType,
  sizes: ReadonlyMap<string, number>,
  range: readonly [number, number] = [-2, 2],
): Tensor {
  const out = tensor(
    type.dtype,
    type.shape.map((size) => evaluateDim(size, sizes)),
  );
  for (let i = 0; i < out.data.length; i++) {
    if (type.dtype === "bool") out.data[i] = random.below(2);
    else if (type.dtype === "i32") out.data[i] = random.below(12) - 3;
    else if (type.dtype === "u8") out.data[i] = random.below(256);
    else out.data[i] = Math.fround(random.uniform(...range));
  }
  return out;
}

/** Equal up to `relative`; NaN equals NaN, and the sign of 0 counts. Returns what differs first. */
export function difference(found: Tensor, expected: Tensor, relative = 0): string | undefined {
  const show = (t: Tensor) => `${t.dtype}[${t.shape.join(", ")}]`;
  if (show(found) !== show(expected)) return `${show(found)} is not ${show(expected)}`;
  for (let i = 0; i < found.data.length; i++) {
    const x = found.data[i]!;
    const y = expected.data[i]!;
    if (
      Object.is(x, y) ||
      (x !== 0 && y !== 0 && Math.abs(x - y) <= relative * Math.max(Math.abs(x), Math.abs(y)))
    )
      continue;
    return `element ${i}: ${x} is not ${y}`;
  }
  return undefined;
}

export interface DirectionCheck {
  /** by the gradient graph: sum of gradient * direction */
  readonly byGraph: number;
  /** by central differences, with a step and with a tenth of it */
  readonly byDifference: number;
  readonly byFinerDifference: number;
  /** size of what was added up: errors are to be judged against this */
  readonly scale: number;
}

/**
 * The derivative of output `loss` along a random direction of the inputs `names`, twice: from the outputs `d.NAME`
 * and by central differences in f64.
 */
export function alongDirection(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
  names: readonly string[],
  random: Random,
): DirectionCheck {
  const directions = new Map<string, Tensor>();
  for (const name of names) {
    const { shape } = inputs.get(name)!;
    const direction = tensor("f32", shape);
    for (let i = 0; i < direction.data.length; i++) direction.data[i] = random.uniform(-1, 1);
    directions.set(name, direction);
  }
  const lossAt = (step: number): number => {
    const moved = new Map(inputs);
    for (const [name, direction] of directions) {
      const base = inputs.get(name)!;
      moved.set(name, { ...base, data: base.data.map((x, i) => x + step * direction.data[i]!) });
    }
    return evaluate(graph, moved, sizes).outputs.get("loss")!.data[0]!;
  };
  const { outputs } = evaluate(graph, inputs, sizes);
  let byGraph = 0;
  let scale = Math.abs(outputs.get("loss")!.data[0]!);
  for (const [name, direction] of directions) {
    const gradient = outputs.get(`d.${name}`);
    gradient?.data.forEach((g, i) => {
      byGraph += g * direction.data[i]!;
      scale += Math.abs(g * direction.data[i]!);
    });
  }
  const step = 1e-5;
  const central = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
  return { byGraph, byDifference: central(step), byFinerDifference: central(step / 10), scale };
}

export function inputNames(graph: Graph): readonly string[] {
  return graph.inputs.map((value) => (value.source as GraphInput).name);
}
