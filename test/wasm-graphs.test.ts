/** Graphs as wasm mean what they mean in f64: every op's examples, networks forward, backward and whole training steps. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import { tensorType } from "../compiler/ir/type.ts";
import * as build from "../compiler/ops/build.ts";
import { ops } from "../compiler/ops/index.ts";
import * as nets from "./support/networks.ts";
import { compileGraph, differences } from "./support/wasm-graph.ts";

const { attention, batch, cnn, inference, inputsOf, mlp, training } = nets;
const noSizes = new Map<string, number>();

async function check(graph: Graph, batches: readonly number[], relative = 1e-4): Promise<void> {
  const maxima = new Map([["B", Math.max(...batches)]]);
  for (const relaxed of [true, false]) {
    const compiled = await compileGraph(graph, maxima, { relaxed });
    expect(compiled.largestFunctionBytes).toBeLessThan(20_000);
    for (const size of batches) {
      const sizes = new Map([["B", size]]);
      const inputs = inputsOf(graph, sizes);
      expect(differences(graph, compiled.run(inputs, sizes), inputs, sizes, relative)).toEqual([]);
    }
  }
}

describe("examples of ops", () => {
  const graphs = ops.flatMap((op) =>
    op.examples.map(({ operands, attributes }, n) => {
      const b = graphBuilder();
      const values = operands.map((t, i) => b.input(`x${i}`, "input", tensorType(t.dtype, t.shape)));
      const results = b.node(op, values, attributes);
      const graph = b.finish({
        name: "example",
        dims: [],
        outputs: results.map((value, i) => ({ name: `r${i}`, value })),
        writes: [],
      });
      return { name: `${op.name} ${n}`, graph, operands };
    }),
  );
  for (const { name, graph, operands } of graphs)
    test(name, async () => {
      const compiled = await compileGraph(graph, noSizes);
      const inputs = new Map(operands.map((t, i) => [`x${i}`, t]));
      expect(differences(graph, compiled.run(inputs, noSizes), inputs, noSizes, 4e-7)).toEqual([]);
    });
});

const plainCnn = (net: nets.Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 9, 9, 3]);
  const h = nets.maxpool(net, nets.relu(net, nets.conv(net, x, 8, 3, 1, 1)), 3);
  return { out: nets.dense(net, nets.flatten(net, nets.relu(net, nets.conv(net, h, 12, 3, 2, 1))), 3) };
};

describe("networks", () => {
  test("a perceptron, forward", () =>
    check(
      inference((net) => ({ out: mlp(net)["out"]! })),
      [1, 4, 13],
    ));
  test("a perceptron with dropout, a step with adam", () => check(training(mlp), [1, 5, 8]));
  test("a perceptron, a step with sgd", () => check(training(mlp, "sgd"), [3]));
  test("convolutions, batch norm, pooling, forward", () =>
    check(
      inference((net) => ({ loss: cnn(net)["loss"]! })),
      [1, 2],
    ));
  test("convolutions, batch norm, pooling, a step", () => check(training(cnn), [1, 3], 1e-3));
  test("overlapping windows with padding, and their gradient", () =>
    check(
      training((net) => {
        const x = nets.conv(net, net.input("x", "f32", [batch, 7, 7, 2]), 4, 3, 1, 0);
        const p = nets.maxpool(net, x, 3, 2, 1);
        return { loss: build.reduceMean(net.b, build.mul(net.b, p, p), [0, 1, 2, 3]) };
      }),
      [2],
    ));
  test("layer norm and softmax over rows, with gradients", () =>
    check(
      training((net) => {
        const x = net.input("x", "f32", [batch, 5, 6]);
        const h = nets.layerNorm(net, nets.dense(net, x, 8));
        const s = nets.softmax(net, nets.dense(net, h, 4));
        return { loss: build.reduceMean(net.b, build.mul(net.b, s, s), [0, 1, 2]) };
      }),
      [1, 3],
    ));
  test("attention over two heads, with gradients", () => check(training(attention), [2]));
  test("an embedding table, with its gradient", () =>
    check(
      training((net) => {
        const { b } = net;
        nets.dense(net, net.input("unused", "f32", [batch, 3]), 4);
        const table = net.weight([7, 6]);
        const h = nets.dense(net, build.gather(b, table, net.input("k", "i32", [batch, 4])), 5);
        return { loss: build.reduceMean(b, build.mul(b, h, h), [0, 1, 2]) };
      }),
      [3],
    ));
});

describe("views", () => {
  const sizes = (...list: number[]): dim.Dim[] => list.map(nets.c);
  type Make = (b: ReturnType<typeof graphBuilder>, x: Value) => Value;
  const cases: readonly (readonly [string, readonly (dim.Dim | number)[], Make])[] = [
    ["merge of a reorder", [batch, 3, 4], (b, x) => build.merge(b, build.reorder(b, x, [0, 2, 1]), 1, 2)],
    [
      "merges that do not refine each other",
      [4, 6],
      (b, x) => {
        const flat = build.merge(b, build.reorder(b, x, [1, 0]), 0, 2);
        const other = build.reorder(b, build.split(b, flat, 0, sizes(3, 8)), [1, 0]);
        return build.exp(b, build.merge(b, other, 0, 2));
      },
    ],
    [
      "pad, slice and concat",
      [batch, 5],
      (b, x) => {
        const padded = build.pad(b, x, 1, nets.c(2), nets.c(1));
        const twice = build.concat(b, [padded, build.exp(b, x), x, x], 1);
        return build.slice(b, build.pad(b, twice, 0, nets.c(1), nets.c(0)), 1, nets.c(1), nets.c(13));
      },
    ],
    [
      "empty axes",
      [batch, 0, 3],
      (b, x) => build.concat(b, [build.reduceSum(b, build.exp(b, x), [1]), build.merge(b, x, 1, 2)], 1),
    ],
    ["axes of size 1", [1, batch, 1], (b, x) => build.merge(b, build.insertAxis(b, x, 1), 0, 3)],
    [
      "sums over leading, middle and last axes",
      [batch, 7, 9],
      (b, x) => {
        const e = build.exp(b, x);
        const all = [[0], [1], [2], [0, 2], [0, 1, 2]].map((axes) => build.reduceSum(b, e, axes));
        return build.concat(
          b,
          all.map((v) => build.merge(b, build.insertAxis(b, v, 0), 0, v.type.shape.length + 1)),
          0,
        );
      },
    ],
  ];
  for (const [name, shape, make] of cases)
    test(name, () => {
      const b = graphBuilder();
      const x = b.input("x", "input", tensorType("f32", shape));
      const out = make(b, x);
      const dims = [{ name: "B", max: undefined }];
      return check(
        b.finish({ name: "views", dims, outputs: [{ name: "out", value: out }], writes: [] }),
        [1, 3],
        1e-6,
      );
    });
});

describe("states", () => {
  test("two states that become each other are copied", async () => {
    const b = graphBuilder();
    const p = b.input("p", "state", tensorType("f32", [3]));
    const q = b.input("q", "state", tensorType("f32", [3]));
    const writes = [
      { input: p, value: q },
      { input: q, value: build.add(b, p, q) },
    ];
    const graph = b.finish({ name: "swap", dims: [], outputs: [{ name: "out", value: p }], writes });
    const compiled = await compileGraph(graph, noSizes);
    const inputs = inputsOf(graph, noSizes);
    expect(differences(graph, compiled.run(inputs, noSizes), inputs, noSizes, 1e-6)).toEqual([]);
  });
});

describe("order of additions", () => {
  for (const [name, body] of [
    ["perceptron", mlp],
    ["convolutions", plainCnn],
    ["attention", attention],
  ] as const)
    test(`a row has the same bits in every batch: ${name}`, async () => {
      const graph = inference((net) => ({ out: body(net)["out"]! }));
      const most = 64;
      const maxima = new Map([["B", most]]);
      const compiled = await compileGraph(graph, maxima);
      const many = inputsOf(graph, maxima);
      const all = compiled.run(many, maxima).outputs.get("out")!;
      for (const size of [1, 2, 5, 7, 33]) {
        const inputs = new Map(
          [...many].map(([input, t]) => {
            const rows = t.shape[0] === most ? t.data.slice(0, (t.data.length / most) * size) : t.data;
            return [input, { ...t, data: rows }];
          }),
        );
        const some = compiled.run(inputs, new Map([["B", size]])).outputs.get("out")!;
        expect(some.length).toBe((all.length / most) * size);
        expect([...some]).toEqual([...all.slice(0, some.length)]);
      }
    });
});
