/** One gradient case: a value of named inputs, differentiated by graph and by central differences in f64. */
import { expect } from "vitest";
import { graphBuilder } from "../../compiler/ir/builder.ts";
import * as build from "../../compiler/ops/build.ts";
import { differentiate } from "../../compiler/passes/differentiate.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { alongDirection, randomTensor } from "./graphs.ts";
import { random, seedOfRun } from "./random.ts";
import type { GraphBuilder } from "../../compiler/ir/builder.ts";
import type { Graph, Value } from "../../compiler/ir/graph.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import type { TensorType } from "../../compiler/ir/type.ts";

const seed = seedOfRun();

/** What is differentiated: a value of named inputs, whose loss is a weighted sum of its elements. */
export interface Case {
  readonly inputs: Readonly<Record<string, TensorType>>;
  readonly make: (b: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value;
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  readonly avoid?: readonly number[];
  readonly sizes?: Readonly<Record<string, number>>;
}

export function graphFor({ inputs, make }: Case): Graph {
  const b = graphBuilder();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, type]) => [name, b.input(name, "input", type)]),
  );
  const result = make(b, values);
  // weights that depend on the position, and a square, so that a wrong place or a lost factor shows
  const weights = result.type.shape.reduce<Value>(
    (sum, _, axis) =>
      build.add(
        b,
        build.scale(b, sum, 0.7),
        build.sin(b, build.cast(b, build.iota(b, result.type.shape, axis), "f32")),
      ),
    build.full(b, 0.3, result.type.shape),
  );
  const shaped = build.mul(b, result, build.add(b, weights, build.scale(b, result, 0.5)));
  const loss = build.reduceSum(
    b,
    shaped,
    result.type.shape.map((_, axis) => axis),
  );
  const floats = Object.entries(values).filter(([, value]) => value.type.dtype === "f32");
  const gradients = differentiate(
    b,
    loss,
    floats.map(([, value]) => value),
  );
  const outputs = [
    { name: "loss", value: loss },
    ...floats.flatMap(([name], i) => (gradients[i] ? [{ name: `d.${name}`, value: gradients[i] }] : [])),
  ];
  return b.finish({ name: "test", dims: [{ name: "B", max: undefined }], outputs, writes: [] });
}

export function check(each: Case, salt: number): void {
  const r = random(seed + salt);
  const graph = graphFor(each);
  const sizes = new Map(Object.entries({ B: 3, ...each.sizes }));
  const inputs = new Map<string, Tensor>();
  for (const [name, type] of Object.entries(each.inputs)) {
    const value = randomTensor(r, type, sizes, each.ranges?.[name]);
    for (let i = 0; i < value.data.length; i++)
      while ((each.avoid ?? []).some((kink) => Math.abs(value.data[i]! - kink) < 1e-3))
        value.data[i]! += 2e-3;
    inputs.set(name, value);
  }
  const names = Object.entries(each.inputs).flatMap(([name, type]) => (type.dtype === "f32" ? [name] : []));
  for (const name of names) {
    const gradient = evaluate(graph, inputs, sizes).outputs.get(`d.${name}`);
    if (gradient) expect(gradient.shape).toEqual(inputs.get(name)!.shape);
  }
  const { byGraph, byDifference, scale } = alongDirection(graph, inputs, sizes, names, r);
  const error = Math.abs(byGraph - byDifference);
  expect(error, `SEED=${seed}: ${byGraph} by the graph, ${byDifference} by differences`).toBeLessThan(
    1e-7 * (1 + scale),
  );
}
