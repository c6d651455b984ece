/** Numbers for the inputs of library items: the same in TypeScript and in the scripts that record PyTorch. */
import * as dim from "../../compiler/ir/dim.ts";
import type { Graph, GraphInput, Value } from "../../compiler/ir/graph.ts";
import { elementCount, tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import type { Hand, Item } from "./library-items.ts";

export type Inputs = Map<string, Tensor>;
type Sizes = ReadonlyMap<string, number>;

/** FNV-1a of the name seeds a 32-bit linear congruential generator; values in [-1, 1) with 16 bits. */
export function numbers(name: string, count: number): number[] {
  let state = 2166136261;
  for (const c of Buffer.from(name)) state = Math.imul(state ^ c, 16777619) >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) / 32768 - 1;
  });
}

export function scaled(name: string, count: number, low: number, high: number): Float64Array {
  return Float64Array.from(numbers(name, count), (v) => Math.fround(low + ((v + 1) / 2) * (high - low)));
}

export function classes(name: string, count: number, n: number): Float64Array {
  return Float64Array.from(numbers(name, count), (v) => Math.trunc((v + 1) * 0.5 * n) % n);
}

const rangeOf = (item: Item, { name, role }: GraphInput): readonly [number, number] =>
  item.ranges?.[name] ?? (role === "state" && /\.[vs]$/.test(name) ? [0.5, 1.5] : [-2, 2]);

/** The control block of the first step. */
const control: Readonly<Record<string, number>> = { seed: 7, iteration: 0 };

/** One for every input of the graph. */
export function inputsOf(item: Item, graph: Graph, sizes: Sizes): Inputs {
  return new Map(
    graph.inputs.map((value) => {
      const source = value.source as GraphInput;
      const { name, role, type } = source;
      const shape = shapeOf(value, sizes);
      const count = elementCount(shape);
      const unique = `${item.name}.${name}`;
      const data = () => {
        if (role === "control") return [control[name]!];
        if (type.dtype === "i32") return classes(unique, count, item.classes![name]!);
        return scaled(unique, count, ...rangeOf(item, source));
      };
      return [name, tensor(type.dtype, shape, data())];
    }),
  );
}

export function shapeOf(value: Value, sizes: Sizes): number[] {
  return value.type.shape.map((size) => dim.evaluate(size, sizes));
}

/** Sizes of free dims that fit to numbers written out: B = 1 where another dim is free. */
export function sizesOfHand(graph: Graph, hand: Hand): Map<string, number> {
  const sizes = new Map(graph.dims.map(({ name }) => [name, 1]));
  const [free] = graph.dims.filter(({ name }) => name !== "B").concat(graph.dims);
  const single = new Map(sizes);
  for (const value of graph.inputs) {
    const given = hand[(value.source as GraphInput).name];
    if (!free || !given) continue;
    const one = elementCount(shapeOf(value, single));
    if (value.type.shape.some((size) => dim.symbolsOf(size).has(free.name)))
      sizes.set(free.name, given.length / one);
  }
  return sizes;
}

/** The inputs written out, ones as the cotangent. */
export function inputsOfHand(item: Item, graph: Graph, hand: Hand, sizes: Sizes): Inputs {
  const inputs = inputsOf(item, graph, sizes);
  for (const [name, value] of inputs) {
    const given = hand[name];
    if (given) inputs.set(name, tensor(value.dtype, value.shape, given));
    else if (name === "cotangent") inputs.set(name, { ...value, data: value.data.map(() => 1) });
  }
  return inputs;
}

/** The first rows of inputs whose leading axis is B. */
export function firstRows(graph: Graph, inputs: ReadonlyMap<string, Tensor>, sizes: Sizes): Inputs {
  return new Map(
    graph.inputs.map((value) => {
      const { name } = value.source as GraphInput;
      const whole = inputs.get(name)!;
      const shape = shapeOf(value, sizes);
      return [name, tensor(whole.dtype, shape, whole.data.slice(0, elementCount(shape)))];
    }),
  );
}
