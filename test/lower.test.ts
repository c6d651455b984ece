/** Kernels mean what their graph means: networks written by hand, forward, backward and whole training steps, in f64. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import { tensorType } from "../compiler/ir/type.ts";
import * as build from "../compiler/ops/build.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import { lower } from "../compiler/lower/lower.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { executeOn, expectSame } from "./support/lowering.ts";
import * as nets from "./support/networks.ts";
import type { GraphBuilder } from "../compiler/ir/builder.ts";

const { attention, batch, cnn, inference, inputsOf, mlp, training } = nets;

function check(graph: Graph, ...batches: number[]): void {
  for (const size of batches) {
    const sizes = new Map([["B", size]]);
    expectSame(graph, inputsOf(graph, sizes), sizes);
    expectSame(graph, inputsOf(graph, sizes, 2), sizes, { merge: false });
  }
}

describe("networks", () => {
  test("a perceptron, forward", () => {
    check(
      inference((net) => ({ out: mlp(net)["out"]! })),
      1,
      4,
    );
  });
  test("a perceptron with dropout, a training step with adam", () => {
    check(training(mlp), 1, 5);
  });
  test("a perceptron, a training step with sgd", () => {
    check(training(mlp, "sgd"), 3);
  });
  test("convolutions with stride and padding, batch norm, pooling: forward and a training step", () => {
    check(
      inference((net) => ({ loss: cnn(net)["loss"]! })),
      2,
    );
    check(training(cnn), 1, 3);
  });
  test("overlapping pooling windows with padding, and their gradient", () => {
    check(
      training((net) => {
        const x = nets.conv(net, net.input("x", "f32", [batch, 7, 7, 2]), 4, 3, 1, 0);
        const p = nets.maxpool(net, x, 3, 2, 1);
        return { loss: build.reduceMean(net.b, build.mul(net.b, p, p), [0, 1, 2, 3]) };
      }),
      2,
    );
  });
  test("layer norm and softmax over rows, with gradients", () => {
    check(
      training((net) => {
        const x = net.input("x", "f32", [batch, 5, 6]);
        const h = nets.layerNorm(net, nets.dense(net, x, 8));
        const s = nets.softmax(net, nets.dense(net, h, 4));
        return { loss: build.reduceMean(net.b, build.mul(net.b, s, s), [0, 1, 2]) };
      }),
      1,
      3,
    );
  });
  test("attention over two heads, with gradients", () => {
    check(training(attention), 2);
  });
  test("an embedding table in the parameter region, with its gradient", () => {
    check(
      training((net) => {
        const { b } = net;
        nets.dense(net, net.input("unused", "f32", [batch, 3]), 4);
        const table = net.weight([7, 6]);
        const rows = build.gather(b, table, net.input("k", "i32", [batch, 4]));
        const h = nets.dense(net, rows, 5);
        return { loss: build.reduceMean(b, build.mul(b, h, h), [0, 1, 2]) };
      }),
      3,
    );
  });
});

describe("views", () => {
  const one = (
    name: string,
    shape: readonly (dim.Dim | number)[],
    make: (b: GraphBuilder, x: Value) => Value,
  ): void =>
    test(name, () => {
      const b = graphBuilder();
      const x = b.input("x", "input", tensorType("f32", shape));
      const out = make(b, x);
      const graph = b.finish({
        name: "views",
        dims: [{ name: "B", max: undefined }],
        outputs: [{ name: "out", value: out }],
        writes: [],
      });
      check(graph, 1, 3);
    });
  const sizes = (...list: number[]): dim.Dim[] => list.map(nets.c);
  one("merge of a reorder", [batch, 3, 4], (b, x) => build.merge(b, build.reorder(b, x, [0, 2, 1]), 1, 2));
  one("merges that do not refine each other", [4, 6], (b, x) => {
    const flat = build.merge(b, build.reorder(b, x, [1, 0]), 0, 2);
    const other = build.reorder(b, build.split(b, flat, 0, sizes(3, 8)), [1, 0]);
    return build.exp(b, build.merge(b, other, 0, 2));
  });
  one("a split of a sum of merges", [batch, 3, 4], (b, x) => {
    const flat = build.merge(b, build.exp(b, build.reorder(b, x, [0, 2, 1])), 1, 2);
    return build.reduceSum(
      b,
      build.split(b, build.add(b, flat, build.merge(b, x, 1, 2)), 1, sizes(2, 6)),
      [1],
    );
  });
  one("pad, slice and concat", [batch, 5], (b, x) => {
    const padded = build.pad(b, x, 1, nets.c(2), nets.c(1));
    const twice = build.concat(b, [padded, build.exp(b, x), x, x], 1);
    return build.slice(b, build.pad(b, twice, 0, nets.c(1), nets.c(0)), 1, nets.c(1), nets.c(13));
  });
  one("pad of a merge of a reorder", [3, 4], (b, x) =>
    build.pad(b, build.merge(b, build.exp(b, build.reorder(b, x, [1, 0])), 0, 2), 0, nets.c(2), nets.c(1)),
  );
  one("empty axes", [batch, 0, 3], (b, x) =>
    build.concat(b, [build.reduceSum(b, build.exp(b, x), [1]), build.merge(b, x, 1, 2)], 1),
  );
  one("axes of size 1", [1, batch, 1], (b, x) => build.merge(b, build.insertAxis(b, x, 1), 0, 3));
  one("a concat whose parts are made of each other", [batch, 3], (b, x) => {
    const first = build.exp(b, x);
    const second = build.scale(b, build.tanh(b, first), 2);
    const third = build.reduceSum(b, second, [1]);
    const wide = build.expandTo(b, third, x.type.shape, [0]);
    return build.concat(b, [build.mul(b, wide, first), second, first, build.abs(b, second)], 1);
  });
  one("a concat of concats", [batch, 2], (b, x) => {
    const inner = build.concat(b, [build.exp(b, x), build.neg(b, x)], 1);
    return build.concat(b, [inner, build.abs(b, inner)], 1);
  });
});

describe("states", () => {
  test("two states that become each other are copied", () => {
    const b = graphBuilder();
    const p = b.input("p", "state", tensorType("f32", [3]));
    const q = b.input("q", "state", tensorType("f32", [3]));
    const graph = b.finish({
      name: "swap",
      dims: [],
      outputs: [{ name: "out", value: p }],
      writes: [
        { input: p, value: q },
        { input: q, value: build.add(b, p, q) },
      ],
    });
    const entry = expectSame(graph, inputsOf(graph, new Map()), new Map());
    expect(entry.copies.length).toBeGreaterThan(0);
  });
  test("a state that later code reads again is not overwritten before", () => {
    const b = graphBuilder();
    const s = b.input("s", "state", tensorType("f32", [4]));
    const next = build.scale(b, s, 2);
    const shifted = build.reduceSum(
      b,
      build.mul(b, s, build.pad(b, build.slice(b, next, 0, nets.c(0), nets.c(3)), 0, nets.c(1), nets.c(0))),
      [0],
    );
    const graph = b.finish({
      name: "late",
      dims: [],
      outputs: [{ name: "out", value: shifted }],
      writes: [{ input: s, value: next }],
    });
    expectSame(graph, inputsOf(graph, new Map()), new Map());
  });
});

test("the largest of nothing is refused by the graph's meaning and by the kernels', where only a call's size tells", () => {
  const b = graphBuilder();
  const x = b.input("x", "input", tensorType("f32", [2, batch]));
  const rest = build.slice(b, x, 1, dim.one, dim.subtract(batch, dim.one));
  const graph = b.finish({
    name: "largest",
    dims: [{ name: "B", max: undefined }],
    outputs: [{ name: "out", value: build.reduceMax(b, rest, [1]) }],
    writes: [],
  });
  check(graph, 2, 4);
  const sizes = new Map([["B", 1]]);
  const inputs = inputsOf(graph, sizes);
  expect(() => evaluate(graph, inputs, sizes)).toThrow("no max of nothing");
  expect(() => executeOn(lower(graph).entry, graph, inputs, sizes)).toThrow("no max of nothing");
});
