/** Entry graphs written by hand, in the shape that the checker and the passes give: one parameter region, one step. */
import * as dim from "../../compiler/ir/dim.ts";
import { graphBuilder } from "../../compiler/ir/builder.ts";
import { tensorType } from "../../compiler/ir/type.ts";
import * as build from "../../compiler/ops/build.ts";
import { axisMap } from "../../compiler/ops/index-maps.ts";
import { slice } from "../../compiler/ops/slice.ts";
import { differentiate } from "../../compiler/passes/differentiate.ts";
import type { GraphBuilder } from "../../compiler/ir/builder.ts";
import type { Dim } from "../../compiler/ir/dim.ts";
import type { Graph, Value } from "../../compiler/ir/graph.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { randomTensor } from "./graphs.ts";
import { random } from "./random.ts";

export const c = dim.constant;
export const batch = dim.symbol("B");

export interface Net {
  readonly b: GraphBuilder;
  /** a weight: its range of the parameter region */
  weight(shape: readonly number[]): Value;
  input(name: string, dtype: "f32" | "i32", shape: readonly (Dim | number)[]): Value;
  state(name: string, shape: readonly number[]): Value;
  readonly writes: { input: Value; value: Value }[];
}

type Body = (net: Net) => Readonly<Record<string, Value>>;

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Runs the body twice: first to know how large the parameter region is. */
function network(
  name: string,
  body: (net: Net, parameters: Value | undefined, parts: Value[]) => Readonly<Record<string, Value>>,
): Graph {
  let total = 0;
  const run = (parameterCount: number): Graph => {
    const b = graphBuilder();
    const parameters =
      parameterCount > 0 ? b.input("parameters", "weight", tensorType("f32", [parameterCount])) : undefined;
    const parts: Value[] = [];
    let offset = 0;
    const writes: { input: Value; value: Value }[] = [];
    const net: Net = {
      b,
      writes,
      weight(shape) {
        const region = parameters ?? b.input("nothing", "weight", tensorType("f32", [1_000_000]));
        const part = b.emit(slice, [region], { axis: 0, start: c(offset), size: c(size(shape)) });
        offset += size(shape);
        parts.push(part);
        return build.split(b, part, 0, shape.map(c));
      },
      input: (inputName, dtype, shape) => b.input(inputName, "input", tensorType(dtype, shape)),
      state: (stateName, shape) => b.input(stateName, "state", tensorType("f32", shape)),
    };
    const outputs = body(net, parameters, parts);
    total = offset;
    return b.finish({
      name,
      dims: [{ name: "B", max: undefined }],
      outputs: Object.entries(outputs).map(([key, value]) => ({ name: key, value })),
      writes,
    });
  };
  run(0);
  return run(total);
}

/** The forward pass. */
export function inference(body: Body): Graph {
  return network("infer", (net) => body(net));
}

/** One step of a training: body's `loss`, its gradient by all weights, adam over the whole region. */
export function training(body: Body, optimizer: "adam" | "sgd" = "adam"): Graph {
  return network("train", (net, parameters, parts) => {
    const { b } = net;
    const { loss, ...others } = body(net);
    const gradients = differentiate(b, loss!, parts);
    const gradient = build.concat(
      b,
      gradients.map((g, i) => g ?? build.fullLike(b, 0, parts[i]!)),
      0,
    );
    if (parameters === undefined) return { loss: loss!, g: gradient };
    const norm = build.sqrt(b, build.reduceSum(b, build.mul(b, gradient, gradient), [0]));
    const finite = build.and(b, build.isFinite(b, loss!), build.isFinite(b, norm));
    const guard = (next: Value, old: Value): Value => build.select(b, finite, next, old);
    const write = (input: Value, value: Value): void =>
      void net.writes.push({ input, value: guard(value, input) });
    const rate = 0.01;
    if (optimizer === "sgd") write(parameters, build.sub(b, parameters, build.scale(b, gradient, rate)));
    else {
      const step = b.input("step", "control", tensorType("f32", []));
      const count = dim.constantOf(parameters.type.shape[0]!)!;
      const m = net.state("optimizer.m", [count]);
      const v = net.state("optimizer.v", [count]);
      const nextM = build.add(b, build.scale(b, m, 0.9), build.scale(b, gradient, 0.1));
      const nextV = build.add(
        b,
        build.scale(b, v, 0.999),
        build.scale(b, build.mul(b, gradient, gradient), 0.001),
      );
      const bias = (beta: number): Value =>
        build.sub(b, build.constantScalar(b, 1), build.pow(b, build.constantScalar(b, beta), step));
      const mHat = build.div(b, nextM, bias(0.9));
      const vHat = build.div(b, nextV, bias(0.999));
      const change = build.div(b, build.scale(b, mHat, rate), build.shift(b, build.sqrt(b, vHat), 1e-8));
      write(parameters, build.sub(b, parameters, change));
      write(m, nextM);
      write(v, nextV);
    }
    return { loss: loss!, gradient_norm: norm, status: build.cast(b, finite, "i32"), ...others };
  });
}

// ---------------------------------------------------------------- layers

export function dense({ b, weight }: Net, x: Value, out: number): Value {
  const last = x.type.shape.length - 1;
  const w = weight([dim.constantOf(x.type.shape[last]!)!, out]);
  const shift = weight([out]);
  const y = build.matmul(b, x, w);
  return build.add(b, y, build.expandTo(b, shift, y.type.shape, [last]));
}

/** NHWC, square kernel. */
export function conv(
  net: Net,
  x: Value,
  out: number,
  kernel: number,
  stride: number,
  padding: number,
): Value {
  const { b } = net;
  const [n, h, w, channels] = x.type.shape as [Dim, Dim, Dim, Dim];
  const filter = net.weight([kernel, kernel, dim.constantOf(channels)!, out]);
  const outer = (d: Dim): Dim =>
    dim.add(dim.floorDivide(dim.add(d, c(2 * padding - kernel)), c(stride)), dim.one);
  const axes = [n, outer(h), outer(w), c(out), c(kernel), c(kernel), channels];
  const y = build.index(b, [x, filter], {
    axes,
    result: 4,
    maps: [
      [
        axisMap(7, [[0, 1]]),
        axisMap(
          7,
          [
            [1, stride],
            [4, 1],
          ],
          -padding,
        ),
        axisMap(
          7,
          [
            [2, stride],
            [5, 1],
          ],
          -padding,
        ),
        axisMap(7, [[6, 1]]),
      ],
      [axisMap(7, [[4, 1]]), axisMap(7, [[5, 1]]), axisMap(7, [[6, 1]]), axisMap(7, [[3, 1]])],
    ],
  });
  const shift = net.weight([out]);
  return build.add(b, y, build.expandTo(b, shift, y.type.shape, [3]));
}

export function maxpool({ b }: Net, x: Value, window: number, stride = window, padding = 0): Value {
  const one = { size: window, stride, before: padding, after: padding };
  return build.windowMax(b, x, [
    { axis: 1, ...one },
    { axis: 2, ...one },
  ])[0];
}

/** The axes before the last of x, as a shape to expand to. */
function rows(x: Value): number[] {
  return x.type.shape.slice(0, -1).map((_, axis) => axis);
}

export function softmax({ b }: Net, x: Value): Value {
  const last = x.type.shape.length - 1;
  const back = (v: Value): Value => build.expandTo(b, v, x.type.shape, rows(x));
  const top = build.detach(b, build.reduceMax(b, x, [last]));
  const e = build.exp(b, build.sub(b, x, back(top)));
  return build.div(b, e, back(build.reduceSum(b, e, [last])));
}

function logSoftmax({ b }: Net, x: Value): Value {
  const last = x.type.shape.length - 1;
  const back = (v: Value): Value => build.expandTo(b, v, x.type.shape, rows(x));
  const top = build.detach(b, build.reduceMax(b, x, [last]));
  const shifted = build.sub(b, x, back(top));
  const sum = build.reduceSum(b, build.exp(b, shifted), [last]);
  return build.sub(b, shifted, back(build.log(b, sum)));
}

/** Mean over all rows of -log softmax at the row's class. */
export function crossEntropy(net: Net, x: Value, classes: Value): Value {
  const { b } = net;
  const logs = logSoftmax(net, x);
  const hot = build.oneHot(b, classes, x.type.shape.at(-1)!);
  const all = x.type.shape.length - 1;
  const picked = build.neg(b, build.reduceSum(b, build.mul(b, logs, hot), [all]));
  return build.reduceMean(b, picked, rows(x));
}

export function layerNorm({ b, weight }: Net, x: Value): Value {
  const last = x.type.shape.length - 1;
  const back = (v: Value): Value => build.expandTo(b, v, x.type.shape, rows(x));
  const along = (v: Value): Value => build.expandTo(b, v, x.type.shape, [last]);
  const width = dim.constantOf(x.type.shape[last]!)!;
  const centred = build.sub(b, x, back(build.reduceMean(b, x, [last])));
  const variance = build.reduceMean(b, build.mul(b, centred, centred), [last]);
  const scaled = build.mul(b, centred, back(build.rsqrt(b, build.shift(b, variance, 1e-5))));
  return build.add(b, build.mul(b, scaled, along(weight([width]))), along(weight([width])));
}

/** Training form: statistics of the batch, running ones are written. */
export function batchNorm(net: Net, x: Value, name: string): Value {
  const { b, weight, writes } = net;
  const last = x.type.shape.length - 1;
  const others = rows(x);
  const along = (v: Value): Value => build.expandTo(b, v, x.type.shape, [last]);
  const width = dim.constantOf(x.type.shape[last]!)!;
  const mean = build.reduceMean(b, x, others);
  const centred = build.sub(b, x, along(mean));
  const variance = build.reduceMean(b, build.mul(b, centred, centred), others);
  for (const [key, value] of [
    ["mean", mean],
    ["variance", variance],
  ] as const) {
    const state = net.state(`${name}.${key}`, [width]);
    writes.push({
      input: state,
      value: build.add(b, build.scale(b, state, 0.9), build.scale(b, value, 0.1)),
    });
  }
  const scaled = build.mul(b, centred, along(build.rsqrt(b, build.shift(b, variance, 1e-5))));
  return build.add(b, build.mul(b, scaled, along(weight([width]))), along(weight([width])));
}

export function dropout({ b }: Net, x: Value, rate: number, key: number): Value {
  const known = (name: string): Value =>
    b.inputs.find((v) => "name" in v.source && v.source.name === name) ??
    b.input(name, "control", tensorType("i32", []));
  const bits = build.randomBits(b, known("seed"), known("iteration"), key, x.type.shape);
  const keep = build.le(b, build.full(b, Math.round(rate * 2 ** 24), x.type.shape, "i32"), bits);
  return build.select(b, keep, build.scale(b, x, 1 / (1 - rate)), build.fullLike(b, 0, x));
}

export function flatten({ b }: Net, x: Value): Value {
  return build.merge(b, x, 1, x.type.shape.length - 1);
}

export function relu({ b }: Net, x: Value): Value {
  return build.relu(b, x);
}

export const mlp = (net: Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 12]);
  const h = relu(net, dense(net, x, 9));
  const h2 = dropout(net, relu(net, dense(net, h, 8)), 0.25, 7);
  const out = dense(net, h2, 3);
  return { loss: crossEntropy(net, out, net.input("k", "i32", [batch])), out };
};

export const cnn = (net: Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 8, 8, 2]);
  const h = relu(net, batchNorm(net, conv(net, x, 5, 3, 1, 1), "norm0"));
  const p = maxpool(net, h, 2);
  const h2 = relu(net, conv(net, p, 8, 3, 2, 1));
  const out = dense(net, flatten(net, h2), 3);
  return { loss: crossEntropy(net, out, net.input("k", "i32", [batch])), out };
};

export const attention = (net: Net): Record<string, Value> => {
  const { b } = net;
  const x = net.input("x", "f32", [batch, 5, 6]);
  const heads = (v: Value): Value => build.reorder(b, build.split(b, v, 2, [c(2), c(4)]), [0, 2, 1, 3]);
  const [q, k, v] = [1, 2, 3].map(() => heads(dense(net, x, 8))) as [Value, Value, Value];
  const batches = [
    [0, 0],
    [1, 1],
  ] as const;
  const scores = softmax(
    net,
    build.scale(b, build.contract(b, q, k, { batch: batches, inner: [[3, 3]] }), 0.5),
  );
  const mixed = build.contract(b, scores, v, { batch: batches, inner: [[3, 2]] });
  const out = dense(net, build.merge(b, build.reorder(b, mixed, [0, 2, 1, 3]), 2, 2), 3);
  return { loss: build.reduceMean(b, build.mul(b, out, out), [0, 1, 2]), out };
};

/** Random inputs; variances and steps are positive, classes lie in range. */
export function inputsOf(graph: Graph, sizes: ReadonlyMap<string, number>, seed = 1): Map<string, Tensor> {
  const r = random(seed);
  return new Map(
    graph.inputs.map((value) => {
      const name = "name" in value.source ? value.source.name : "";
      const range = /optimizer.v|variance|step/.test(name) ? ([1, 2] as const) : ([-1, 1] as const);
      const made = randomTensor(r, value.type, sizes, range);
      if (name === "k") made.data.forEach((x, i) => (made.data[i] = Math.abs(x) % 3));
      return [name, made] as const;
    }),
  );
}
