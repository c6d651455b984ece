/** Windows of 3 x 3 by F(2 x 2): exact in f64, in f32 as near as the direct form, used where it pays and nowhere else. */
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import { flatSteps } from "../compiler/ir/kernel.ts";
import { makeProgram } from "../compiler/lower/program.ts";
import * as build from "../compiler/ops/build.ts";
import { compileGraph, differences } from "./support/wasm-graph.ts";
import type { CompileOptions } from "./support/wasm-graph.ts";
import * as nets from "./support/networks.ts";

const { batch, c } = nets;

interface Case {
  readonly pictures: dim.Dim;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly padding: number;
}

/** Two convolutions, so that there is the gradient of an input too, each with something behind it. */
const body =
  ({ pictures, height, width, inputs, outputs, padding }: Case) =>
  (net: nets.Net): Record<string, Value> => {
    const { b } = net;
    const x = net.input("x", "f32", [pictures, c(height), c(width), c(inputs)]);
    const h = nets.relu(net, nets.conv(net, x, outputs, 3, 1, padding));
    const y = nets.conv(net, h, outputs, 3, 1, 1);
    const out = nets.relu(net, build.add(b, y, h));
    return { loss: build.reduceMean(b, build.mul(b, out, out), [0, 1, 2, 3]), out };
  };

const usual: Case = { pictures: batch, height: 8, width: 8, inputs: 16, outputs: 16, padding: 1 };
const taken: Readonly<Record<string, Case>> = {
  "a free batch": usual,
  "one picture": { ...usual, pictures: c(1) },
  "sides that differ, no padding": { ...usual, height: 10, width: 12, padding: 0 },
  "channels that are no multiple of 8, several panels": { ...usual, inputs: 19, outputs: 24 },
  "several blocks of channels": { ...usual, inputs: 512, outputs: 16, pictures: c(1) },
};
const left: Readonly<Record<string, Case>> = {
  "an odd side": { ...usual, height: 9 },
  "few channels": { ...usual, inputs: 8, outputs: 8 },
  "few tiles": { ...usual, height: 4, width: 6 },
};

const graphsOf = (each: Case): readonly Graph[] =>
  [nets.inference((net) => ({ out: body(each)(net)["out"]! })), nets.training(body(each), "sgd")].map((g) =>
    optimize(g),
  );
const sizes = new Map([["B", 3]]);
type Evaluated = ReturnType<typeof evaluate>;

function tiled(graph: Graph): number {
  const { program } = makeProgram([graph], { plan: "tight", prepare: false });
  const names = program.entries.flatMap(({ steps }) => flatSteps(steps).map(({ kernel }) => kernel.name));
  return names.filter((name) => name.endsWith(".products")).length;
}

/** Largest difference of outputs and writes from the meaning, by the largest value. */
async function errorOf(graph: Graph, wanted: Evaluated, options: CompileOptions): Promise<number> {
  const { run } = await compileGraph(graph, sizes, options);
  const found = run(nets.inputsOf(graph, sizes), sizes);
  let worst = 0;
  const compare = (got: Float64Array, { data }: { readonly data: ArrayLike<number> }): void => {
    const values = Array.from(data);
    const largest = Math.max(...values.map(Math.abs));
    values.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - got[i]!) / largest)));
  };
  for (const [name, value] of wanted.outputs) compare(found.outputs.get(name)!, value);
  for (const [name, value] of wanted.writes) compare(found.writes.get(name)!, value);
  return worst;
}

describe.each(Object.entries(taken))("%s", (_, each) => {
  const graphs = graphsOf(each);
  test("is taken: forward, and in a training step by both gradients", () => {
    const [infer, train] = graphs.map(tiled);
    expect(infer).toBe(2);
    // the first convolution has no gradient of its input
    expect(train).toBe(5);
  });
  test("within 1e-5, and ten times the error of the direct form", async () => {
    for (const graph of graphs) {
      const wanted = evaluate(graph, nets.inputsOf(graph, sizes), sizes);
      for (const relaxed of [false, true]) {
        const direct = await errorOf(graph, wanted, { winograd: false, relaxed });
        const fast = await errorOf(graph, wanted, { winograd: true, relaxed });
        expect(fast).toBeLessThan(1e-5);
        expect(fast).toBeLessThan(10 * Math.max(direct, 2 ** -23));
      }
    }
  });
});

test.each(Object.entries(left))("%s is left alone", (_, each) => {
  for (const graph of graphsOf(each)) expect(tiled(graph)).toBe(0);
});

test("a picture gives the same bits in any batch", async () => {
  const [infer] = graphsOf(usual);
  const compiled = await compileGraph(infer!, sizes);
  const inputs = nets.inputsOf(infer!, sizes);
  const all = compiled.run(inputs, sizes).outputs.get("out")!;
  const one = new Map([["B", 1]]);
  const x = inputs.get("x")!;
  const size = x.data.length / 3;
  for (let picture = 0; picture < 3; picture++) {
    const alone = new Map(inputs).set("x", {
      ...x,
      shape: [1, ...x.shape.slice(1)],
      data: x.data.slice(size * picture, size * (picture + 1)),
    });
    const { outputs } = compiled.run(alone, one);
    const count = all.length / 3;
    expect(outputs.get("out")).toEqual(all.slice(count * picture, count * (picture + 1)));
  }
  expect(differences(infer!, compiled.run(inputs, sizes), inputs, sizes, 1e-5)).toEqual([]);
});
