/** Loops in graphs: what they mean, their gradients, and that moving work out of their steps changes no number. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import { loopOf } from "../compiler/ir/loop.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { verify } from "../compiler/ir/verify.ts";
import { printGraph } from "../compiler/ir/print.ts";
import { parseGraph } from "../compiler/ir/parse.ts";
import * as build from "../compiler/ops/build.ts";
import { opNamed } from "../compiler/ops/index.ts";
import { makeLoop, stepInput } from "../compiler/ops/make-loop.ts";
import { differentiate } from "../compiler/passes/differentiate.ts";
import { makeProgram } from "../compiler/lower/program.ts";
import { executeEntry, separateMemory } from "../compiler/reference/execute.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { random } from "./support/random.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import type { Tensor } from "../compiler/ir/tensor.ts";

const steps = 4;
const rows = 3;
const inputs = 2;
const hidden = 3;
const f32 = (...shape: number[]) => ({ dtype: "f32", shape: shape.map((n) => dim.constant(n)) }) as const;

/** An LSTM over [T, B, In] as one loop; the loss is a sum of squares of all outputs and the last state. */
function lstm(reverse: boolean): Graph {
  const b = graphBuilder();
  const x = b.input("x", "input", f32(steps, rows, inputs));
  const w = b.input("w", "weight", f32(inputs + hidden, 4 * hidden));
  const shift = b.input("shift", "weight", f32(4 * hidden));
  const mark = b.nodes.length;
  const step = stepInput("x", f32(rows, inputs));
  const h = stepInput("h", f32(rows, hidden));
  const c = stepInput("c", f32(rows, hidden));
  const joined = build.concat(b, [step, h], 1);
  const bias = build.expandTo(b, shift, [rows, 4 * hidden].map(dim.constant), [1]);
  const gates = build.add(b, build.matmul(b, joined, w), bias);
  const gate = (i: number): Value => build.slice(b, gates, 1, dim.constant(i * hidden), dim.constant(hidden));
  const kept = build.mul(b, build.sigmoid(b, gate(1)), c);
  const nextC = build.add(b, kept, build.mul(b, build.sigmoid(b, gate(0)), build.tanh(b, gate(3))));
  const nextH = build.mul(b, build.sigmoid(b, gate(2)), build.tanh(b, nextC));
  const zeros = (): Value => build.full(b, 0, [rows, hidden].map(dim.constant));
  const { finals, yields } = makeLoop(b, mark, {
    length: dim.constant(steps),
    reverse,
    carries: [
      { input: h, start: zeros(), next: nextH },
      { input: c, start: zeros(), next: nextC },
    ],
    sequences: [{ input: step, from: x }],
    yields: [nextH],
    keep: true,
  });
  const square = (v: Value): Value => build.mul(b, v, v);
  const loss = build.add(
    b,
    build.reduceSum(b, square(yields[0]!), [0, 1, 2]),
    build.reduceSum(b, square(finals[1]!), [0, 1]),
  );
  const [dw, dshift, dx] = differentiate(b, loss, [w, shift, x]);
  return b.finish({
    name: "lstm",
    dims: [],
    outputs: [
      { name: "loss", value: loss },
      { name: "dw", value: dw! },
      { name: "dshift", value: dshift! },
      { name: "dx", value: dx! },
      { name: "h", value: yields[0]! },
    ],
    writes: [],
  });
}

function numbers(): Map<string, Tensor> {
  const r = random(7);
  const make = (...shape: number[]): Tensor =>
    tensor(
      "f32",
      shape,
      Array.from({ length: shape.reduce((a, n) => a * n, 1) }, () => 2 * r.next() - 1),
    );
  return new Map([
    ["x", make(steps, rows, inputs)],
    ["w", make(inputs + hidden, 4 * hidden)],
    ["shift", make(4 * hidden)],
  ]);
}

function near(found: Tensor, expected: readonly number[] | Float64Array): void {
  expect(found.data.length).toBe(expected.length);
  found.data.forEach((each, i) => expect(Math.abs(each - expected[i]!)).toBeLessThan(1e-9));
}

describe.each([false, true])("an LSTM, reverse %s", (reverse) => {
  const graph = lstm(reverse);
  const given = numbers();
  const found = evaluate(graph, given, new Map()).outputs;

  test("is a good graph, and its text is read back", () => {
    verify(graph, "test");
    const { text, constants } = printGraph(graph);
    const again = parseGraph(text, opNamed, constants);
    expect("graph" in again ? printGraph(again.graph).text : again.problem).toBe(text);
  });

  test("gives what its equations say", () => {
    const [x, w, shift] = ["x", "w", "shift"].map((name) => given.get(name)!.data);
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    const h = new Float64Array(rows * hidden);
    const c = new Float64Array(rows * hidden);
    const all = new Float64Array(steps * rows * hidden);
    for (let n = 0; n < steps; n++) {
      const t = reverse ? steps - 1 - n : n;
      const before = h.slice();
      for (let row = 0; row < rows; row++)
        for (let k = 0; k < hidden; k++) {
          const z = [0, 1, 2, 3].map((g) => {
            const column = g * hidden + k;
            let sum = shift![column]!;
            for (let i = 0; i < inputs; i++)
              sum += x![(t * rows + row) * inputs + i]! * w![i * 4 * hidden + column]!;
            for (let i = 0; i < hidden; i++)
              sum += before[row * hidden + i]! * w![(inputs + i) * 4 * hidden + column]!;
            return sum;
          });
          const at = row * hidden + k;
          c[at] = sigmoid(z[1]!) * c[at]! + sigmoid(z[0]!) * Math.tanh(z[3]!);
          h[at] = sigmoid(z[2]!) * Math.tanh(c[at]!);
          all[t * rows * hidden + at] = h[at]!;
        }
    }
    near(found.get("h")!, all);
  });

  test("has the gradients that differences show", () => {
    for (const [name, gradient] of [
      ["w", "dw"],
      ["shift", "dshift"],
      ["x", "dx"],
    ] as const) {
      const own = given.get(name)!;
      own.data.forEach((value, i) => {
        const at = (by: number): number => {
          const moved = tensor(own.dtype, own.shape, own.data.with(i, value + by));
          return evaluate(graph, new Map(given).set(name, moved), new Map()).outputs.get("loss")!.data[0]!;
        };
        const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        expect(Math.abs(found.get(gradient)!.data[i]! - slope)).toBeLessThan(1e-7);
      });
    }
  });

  const optimized = optimize(graph);

  test("means the same after the passes", () => {
    const after = evaluate(optimized, given, new Map()).outputs;
    for (const [name, value] of found) near(after.get(name)!, value.data);
  });

  test("leaves one contraction in each direction's steps", () => {
    const contractions = (nodes: Graph["nodes"]): number =>
      nodes.filter(({ op }) => op.name === "index").length;
    const loops = optimized.nodes.flatMap((node) => loopOf(node) ?? []);
    expect(loops.map(({ body }) => contractions(body.nodes))).toEqual([1, 1]);
    // x w before, the gradient of w after
    expect(contractions(optimized.nodes)).toBe(2);
    expect(loops.map(({ carries }) => carries)).toEqual([2, 2]);
  });
});

describe.each([false, true])("an LSTM's kernels, reverse %s", (reverse) => {
  const graph = optimize(lstm(reverse));
  const given = numbers();
  const expected = evaluate(graph, given, new Map()).outputs;

  test("mean what the graph means", () => {
    const { program } = makeProgram([graph], { plan: "tight", prepare: false });
    const [entry] = program.entries;
    const arrays = new Map(entry!.inputs.map(({ name, buffer }) => [buffer, given.get(name)!.data.slice()]));
    const memory = separateMemory(new Map(), arrays);
    executeEntry(entry!, new Map(), memory, { check: true });
    for (const { name, buffer } of entry!.outputs)
      near({ ...expected.get(name)!, data: memory.of(buffer) }, expected.get(name)!.data);
  });
});
