/**
 * Random well-typed programs: a graph that uses every op of the vocabulary in random ways, with inputs and sizes to run it
 * on. The same seed gives the same program.
 *
 * While it is built every value is also computed, so that operands are brought into the domains of their ops. Ops that
 * are not continuous (floor, comparisons, casts to integers, positions of maxima) read inputs and views of them only,
 * so that rounding elsewhere does not change what they give.
 */
import { graphBuilder, type GraphBuilder } from "../../compiler/ir/builder.ts";
import * as dim from "../../compiler/ir/dim.ts";
import { isNode, type Graph, type GraphInput, type Value } from "../../compiler/ir/graph.ts";
import { tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { sameShape, tensorType, type DType, type TensorType } from "../../compiler/ir/type.ts";
import * as build from "../../compiler/ops/build.ts";
import { differentiate } from "../../compiler/passes/differentiate.ts";
import { random, type Random } from "./random.ts";
import { randomTensor } from "./graphs.ts";
import { recipes } from "./recipes.ts";

export interface RandomProgram {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: ReadonlyMap<string, number>;
  /** inputs by which `loss` is differentiated; their gradients are the outputs `d.NAME` where they are not absent */
  readonly differentiated: readonly string[];
}

/** What a shape must be: one shape, or any that satisfies. */
export type Fits = readonly dim.Dim[] | ((shape: readonly dim.Dim[]) => boolean);

/** What a recipe works with. */
export interface Kitchen {
  readonly b: GraphBuilder;
  readonly r: Random;
  readonly sizes: ReadonlyMap<string, number>;
  /** the number that a size is in this program */
  known(size: dim.Dim): number;
  /** what a value is in this program */
  tensorOf(value: Value): Tensor;
  randomShape(rank?: number): readonly dim.Dim[];
  /** a value there is or a new input: of this dtype, with a shape that fits, and not too large */
  pick(dtype: DType, fits?: Fits): Value;
  /** as pick, and an input or a view of one */
  raw(dtype: DType, fits?: Fits): Value;
  /** of exactly this shape */
  like(dtype: DType, shape: readonly dim.Dim[]): Value;
  rawLike(dtype: DType, shape: readonly dim.Dim[]): Value;
  /** the value, squeezed into a range where it is not in it */
  within(value: Value, range: readonly [number, number]): Value;
  /** whether its numbers depend on what is differentiated */
  depends(value: Value): boolean;
  input(type: TensorType, range?: readonly [number, number]): Value;
  weight(shape: readonly number[]): Value;
  control(name: string): Value;
}

function fitsTo(shape: readonly dim.Dim[], fits: Fits): boolean {
  return typeof fits === "object" ? sameShape(shape, fits) : fits(shape);
}

/** Results of these are exact where their operands are. */
const exact = new Set([
  "constant",
  "iota",
  "size",
  "expand",
  "reorder",
  "split",
  "merge",
  "slice",
  "pad",
  "concat",
]);
const largest = 1500;
const regionSize = 60;

export function randomProgram(
  seed: number,
  options: { readonly gradient?: boolean; readonly steps?: number } = {},
): RandomProgram {
  const r = random(seed);
  const b = graphBuilder();
  const sizes = new Map([
    ["B", r.pick([1, 2, 3, 5, 8])],
    ["T", r.pick([1, 2, 3, 5])],
  ]);
  const known = (size: dim.Dim): number => dim.evaluate(size, sizes);
  const count = (shape: readonly dim.Dim[]): number => shape.reduce((n, size) => n * known(size), 1);
  const inputs = new Map<string, Tensor>();
  const tensors = new Map<Value, Tensor>();
  const rawValues = new Set<Value>();
  const dependent = new Set<Value>();
  const pool: Value[] = [];
  let computed = 0;

  /** Computes the nodes that are new. */
  function compute(): void {
    for (; computed < b.nodes.length; computed++) {
      const node = b.nodes[computed]!;
      const results = node.op.evaluate(
        node.operands.map((operand) => tensors.get(operand)!),
        node.attributes,
        {
          sizes,
          results: node.results.map(({ type }) => ({ dtype: type.dtype, shape: type.shape.map(known) })),
        },
      );
      node.results.forEach((value, i) => tensors.set(value, results[i]!));
      const isExact = exact.has(node.op.name) && node.operands.every((operand) => rawValues.has(operand));
      const passes = typeof node.op.gradient === "function" && node.operands.some((o) => dependent.has(o));
      for (const value of node.results) {
        if (isExact || value.type.dtype !== "f32") rawValues.add(value);
        if (passes && value.type.dtype === "f32") dependent.add(value);
      }
    }
  }

  function addInput(name: string, role: GraphInput["role"], type: TensorType, value: Tensor): Value {
    const input = b.input(name, role, type);
    inputs.set(name, value);
    tensors.set(input, value);
    rawValues.add(input);
    if (type.dtype === "f32" && role !== "control") dependent.add(input);
    return input;
  }

  let region: Value | undefined;
  let used = 0;
  const shapeSizes = [
    ...[1, 2, 3, 5, 8, 2, 3, 4, 6].map(dim.constant),
    dim.symbol("B"),
    dim.symbol("B"),
    dim.symbol("T"),
  ];
  const kitchen: Kitchen = {
    b,
    r,
    sizes,
    known,
    tensorOf(value) {
      compute();
      return tensors.get(value)!;
    },
    randomShape(rank = r.pick([0, 1, 1, 2, 2, 2, 3, 3, 4])) {
      for (;;) {
        const shape = Array.from({ length: rank }, () => (r.chance(0.02) ? dim.zero : r.pick(shapeSizes)));
        if (count(shape) <= 200) return shape;
      }
    },
    pick(dtype, fits = () => true) {
      compute();
      const fitting = pool.filter(({ type }) => type.dtype === dtype && fitsTo(type.shape, fits));
      if (fitting.length > 0 && r.chance(0.8)) return r.pick(fitting);
      return kitchen.input({ dtype, shape: fittingShape(fits) });
    },
    raw(dtype, fits = () => true) {
      compute();
      const fitting = pool.filter(
        (value) => rawValues.has(value) && value.type.dtype === dtype && fitsTo(value.type.shape, fits),
      );
      if (fitting.length > 0 && r.chance(0.6)) return r.pick(fitting);
      return kitchen.input({ dtype, shape: fittingShape(fits) });
    },
    like: (dtype, shape) =>
      r.chance(0.2) && shape.length > 0
        ? build.expandTo(b, kitchen.pick(dtype, []), shape, [])
        : kitchen.pick(dtype, shape),
    rawLike: (dtype, shape) => kitchen.raw(dtype, shape),
    within(value, [low, high]) {
      const { data } = kitchen.tensorOf(value);
      const margin = 1e-3;
      if (data.every((x) => x >= low + margin && x <= high - margin)) return value;
      const squeezed = build.scale(b, build.sigmoid(b, value), high - low - 4 * margin);
      return build.shift(b, squeezed, low + 2 * margin);
    },
    depends(value) {
      compute();
      return dependent.has(value);
    },
    input(type, range) {
      const value = addInput(`x${inputs.size}`, "input", type, randomTensor(r, type, sizes, range));
      pool.push(value);
      return value;
    },
    weight(shape) {
      const size = shape.reduce((n, each) => n * each, 1);
      const type = tensorType("f32", [regionSize]);
      region ??= addInput("parameters", "weight", type, randomTensor(r, type, sizes));
      if (used + size > regionSize) used = 0;
      const part = build.slice(b, region, 0, dim.constant(used), dim.constant(size));
      used += size;
      return build.split(b, part, 0, shape.map(dim.constant));
    },
    control(name) {
      const found = b.inputs.find(({ source }) => !isNode(source) && source.name === name);
      return found ?? addInput(name, "control", tensorType("i32", []), tensor("i32", [], [r.below(1000)]));
    },
  };

  /** A shape that fits. */
  function fittingShape(fits: Fits): readonly dim.Dim[] {
    if (typeof fits === "object") return fits;
    for (let i = 0; i < 1000; i++) {
      const shape = kitchen.randomShape();
      if (fits(shape)) return shape;
    }
    throw new Error(`program ${seed}: no shape fits`);
  }

  const names = Object.keys(recipes);
  const steps = options.steps ?? 6 + r.below(12);
  for (let step = 0; step < steps; step++) {
    const made = recipes[r.pick(names)]!(kitchen) ?? [];
    compute();
    for (const value of made) {
      const { data } = tensors.get(value)!;
      if (data.length <= largest && data.every((x) => Number.isFinite(x) && Math.abs(x) < 2 ** 31))
        pool.push(value);
    }
  }

  const writes: { input: Value; value: Value }[] = [];
  if (r.chance(0.4)) {
    const target = kitchen.pick("f32");
    const fixed = target.type.shape.every((size) => dim.constantOf(size) !== undefined);
    if (fixed) {
      const state = addInput("average", "state", target.type, randomTensor(r, target.type, sizes));
      writes.push({
        input: state,
        value: build.add(b, build.scale(b, state, 0.9), build.scale(b, target, 0.1)),
      });
    }
  }
  compute();

  const read = new Set(b.nodes.flatMap((node) => node.operands));
  const leaves = pool.filter((value) => !read.has(value));
  const outputs = leaves.map((value, i) => ({ name: `out${i}`, value }));
  const differentiated: string[] = [];
  if (options.gradient) {
    const floats = leaves.filter((value) => value.type.dtype === "f32");
    const parts = floats.map((value) => {
      const largestValue = tensors.get(value)!.data.reduce((m, x) => Math.max(m, Math.abs(x)), 1);
      const scaled = build.scale(b, value, Math.fround(1 / largestValue));
      const all = value.type.shape.map((_, axis) => axis);
      return build.reduceSum(b, build.mul(b, scaled, build.shift(b, scaled, 0.5)), all);
    });
    const loss = parts.reduce((x, y) => build.add(b, x, y), build.constantScalar(b, 0));
    const wrt = b.inputs.filter(
      ({ type, source }) => type.dtype === "f32" && !isNode(source) && source.role !== "control",
    );
    outputs.push({ name: "loss", value: loss });
    differentiate(b, loss, wrt).forEach((gradient, i) => {
      const { name } = wrt[i]!.source as GraphInput;
      differentiated.push(name);
      if (gradient) outputs.push({ name: `d.${name}`, value: gradient });
    });
  }
  const graph = b.finish({
    name: "random",
    dims: [
      { name: "B", max: 8 },
      { name: "T", max: 5 },
    ],
    outputs,
    writes,
  });
  return { graph, inputs, sizes, differentiated };
}
