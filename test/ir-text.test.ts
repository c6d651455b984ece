/** Graphs as text: what is printed, what is read back, what is refused, and what the verifier finds. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import { InternalError } from "../compiler/ir/internal-error.ts";
import { parseGraph } from "../compiler/ir/parse.ts";
import { digestOf, printGraph } from "../compiler/ir/print.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { tensorType } from "../compiler/ir/type.ts";
import { problemsOf, verify } from "../compiler/ir/verify.ts";
import * as build from "../compiler/ops/build.ts";
import { opNamed, ops } from "../compiler/ops/index.ts";
import type { Graph } from "../compiler/ir/graph.ts";

const B = dim.symbol("B");
const d = dim.constant;

/** A graph with one of everything that text has to carry. */
function sample(): Graph {
  const b = graphBuilder();
  const x = b.input("x", "input", tensorType("f32", [B, 4]));
  const parameters = b.input("parameters", "weight", tensorType("f32", [8]));
  const seed = b.input("seed", "control", tensorType("i32", []));
  const average = b.input("odd name", "state", tensorType("f32", [2]));
  b.origin = { path: "stage1.dense0", at: { file: "models/a b.dlm", line: 12, column: 3 } };
  const kernel = build.split(b, parameters, 0, [d(4), d(2)]);
  const y = build.matmul(b, x, kernel);
  b.origin = { path: "", at: { file: "a.dlm", line: 1, column: 1 } };
  const [value, place] = build.windowMax(b, y, [{ axis: 1, size: 2, stride: 1, before: 1, after: 0 }]);
  b.origin = { path: "table", at: undefined };
  const small = build.constantTensor(b, tensor("f32", [4], [-0, NaN, 1e-30, -Infinity]));
  b.origin = { path: "", at: undefined };
  const large = build.constantTensor(
    b,
    tensor(
      "f32",
      [3, 6],
      Array.from({ length: 18 }, (_, i) => i / 7),
    ),
  );
  const half = dim.floorDivide(dim.add(B, d(1)), d(2));
  const padded = build.pad(b, y, 0, half, dim.subtract(dim.multiply(B, B), d(1)));
  const bits = build.randomBits(b, seed, seed, -5, [B], seed);
  const outputs = { value, place, small, large, padded, bits: build.cast(b, bits, "f32") };
  return b.finish({
    name: "infer",
    dims: [{ name: "B", max: 64 }],
    outputs: Object.entries(outputs).map(([name, each]) => ({ name, value: each })),
    writes: [{ input: average, value: average }],
  });
}

describe("text", () => {
  test("is what the pages say it is", () => {
    const { text, constants } = printGraph(sample());
    const [digest] = constants.keys();
    expect(text.replaceAll(digest!, "DIGEST")).toBe(
      `graph infer
dim B max 64
input @x: f32[B, 4]
weight @parameters: f32[8]
control @seed: i32[]
state @"odd name": f32[2]
%0: f32[4, 2] = split(@parameters) {axis: 0, sizes: [<4>, <2>]} // stage1.dense0 @ models/a b.dlm:12:3
%1: f32[B, 2] = index(@x, %0) {axes: [<B>, <2>, <4>], result: 2, maps: [[{constant: <0>, coefficients: [1, 0, 0]}, {constant: <0>, coefficients: [0, 0, 1]}], [{constant: <0>, coefficients: [0, 0, 1]}, {constant: <0>, coefficients: [0, 1, 0]}]]} // stage1.dense0 @ models/a b.dlm:12:3
%2: f32[B, 2], %3: u8[B, 2] = window_max(%1) {windows: [[1, 2, 1, 1, 0]]} // @ a.dlm:1:1
%4: f32[4] = constant() {value: f32[4](-0, NaN, 1e-30, -Infinity)} // table
%5: f32[3, 6] = constant() {value: const f32[3, 6] #DIGEST}
%6: f32[-1+B+B*B+floor((1+B)/(2)), 2] = pad(%1) {axis: 0, before: <floor((1+B)/(2))>, after: <-1+B*B>}
%7: i32[B] = random_bits(@seed, @seed, @seed) {key: -5, shape: [<B>]}
%8: f32[B] = cast(%7) {dtype: "f32"}
output value = %2
output place = %3
output small = %4
output large = %5
output padded = %6
output bits = %8
write @"odd name" = @"odd name"
`,
    );
  });

  test("reads back to the same text, origins and constants", () => {
    const graph = sample();
    const { text, constants } = printGraph(graph);
    const parsed = parseGraph(text, opNamed, constants);
    if ("problem" in parsed) throw new Error(parsed.problem.message);
    expect(printGraph(parsed.graph)).toEqual({ text, constants });
    expect(parsed.graph.nodes.map((node) => node.origin)).toEqual(graph.nodes.map((node) => node.origin));
    expect(parsed.graph.nodes.map((node) => node.attributes)).toEqual(
      graph.nodes.map((node) => node.attributes),
    );
  });

  test("carries every op with the attributes of its examples", () => {
    for (const op of ops)
      for (const { operands, attributes } of op.examples) {
        const b = graphBuilder();
        const inputs = operands.map((each, i) =>
          b.input(`x${i}`, "input", tensorType(each.dtype, each.shape)),
        );
        const outputs = b.node(op, inputs, attributes).map((value, i) => ({ name: `y${i}`, value }));
        const graph = b.finish({ name: op.name, dims: [], outputs, writes: [] });
        const { text, constants } = printGraph(graph);
        const parsed = parseGraph(text, opNamed, constants);
        if ("problem" in parsed) throw new Error(`${parsed.problem.message}\n${text}`);
        expect(parsed.graph.nodes[0]!.attributes).toEqual(attributes);
      }
  });

  test("ignores empty lines, comments on their own, spaces and line ends of Windows", () => {
    const parsed = parseGraph(
      "// a graph\r\n\r\n  graph   t \r\n input @x : f32[ 2 ]\r\n%9: f32[2] = neg( @x )\r\noutput y = %9 // done\r\n",
      opNamed,
    );
    if ("problem" in parsed) throw new Error(parsed.problem.message);
    expect(printGraph(parsed.graph).text).toBe(
      "graph t\ninput @x: f32[2]\n%0: f32[2] = neg(@x)\noutput y = %0\n",
    );
  });

  const head = "graph t\ndim B\ninput @x: f32[B]\n";
  test.each([
    ["%0: f32[B] = negate(@x)", 4, /no op negate/],
    ["%0: f32[B] = neg(@y)", 4, /@y is not defined/],
    ["%0: f32[B] = neg(@x, @x)", 4, /takes 1 operands, not 2/],
    ["%0: f32[B] = concat() {axis: 0}", 4, /no part/],
    ["%0: f32[2] = neg(@x)", 4, /is f32\[B\], not f32\[2\]/],
    ["%0: f32[B], %1: f32[B] = neg(@x)", 4, /has 1 results/],
    ["%0: f32[B] = neg(@x)\n%0: f32[B] = neg(@x)", 5, /defined twice/],
    ["%0: f32[B] = neg(@x) {axis: }", 4, /expected an attribute/],
    ["%0: f32[B] = neg(@x) nonsense", 4, /expected \/\//],
    ["%0: f64[B] = neg(@x)", 4, /no dtype f64/],
    ["%0: f32[17] = constant() {value: const f32[17] #0123}", 4, /not among/],
    ["%0: f32[2] = constant() {value: f32[2](1)}", 4, /1 numbers for 2/],
    ["%0: f32[T] = constant() {value: f32[1](1)}", 4, /not f32\[T\]/],
    ["%0: i32[T] = iota() {shape: [<T>], axis: 0}", 4, /T is no dim/],
    ["%0: i32[B] = iota() {axis: 0}", 4, /attribute shape must be/],
    ["output y = %7", 4, /%7 is not defined/],
    ["write @x = @x", 4, /input x is written/],
    ["hello", 4, /hello begins no line/],
    ["graph u", 4, /one graph/],
    ["dim", 4, /expected a name/],
    ['input @"x: f32[B]', 4, /in quotes/],
  ])("refuses %s", (line, at, reason) => {
    const parsed = parseGraph(`${head}${line}`, opNamed);
    if (!("problem" in parsed)) throw new Error("it was read");
    expect(parsed.problem.message).toMatch(reason);
    expect(parsed.problem.line).toBe(at);
  });

  test("never throws, whatever is cut out of a text", () => {
    const { text, constants } = printGraph(sample());
    for (let at = 0; at < text.length; at += 3) {
      parseGraph(text.slice(0, at), opNamed, constants);
      parseGraph(text.slice(0, at) + text.slice(at + 1), opNamed, constants);
    }
  });

  test("a digest tells numbers, signs of zero, shapes and dtypes apart", () => {
    const data = Array.from({ length: 20 }, (_, i) => i);
    const all = [
      tensor("f32", [20], data),
      tensor("i32", [20], data),
      tensor("f32", [4, 5], data),
      tensor("f32", [20], data.with(0, -0)),
      tensor("f32", [20], data.with(19, 18)),
    ];
    expect(new Set(all.map(digestOf)).size).toBe(all.length);
    expect(digestOf(tensor("f32", [20], data))).toBe(digestOf(all[0]!));
  });
});

describe("the verifier", () => {
  test("finds nothing wrong with a good graph", () => {
    expect(problemsOf(sample())).toEqual([]);
  });

  const broken: Readonly<Record<string, readonly [(graph: Graph) => Graph, RegExp]>> = {
    "operands after their use": [(g) => ({ ...g, nodes: g.nodes.toReversed() }), /not defined before/],
    "an operand that is gone": [(g) => ({ ...g, nodes: g.nodes.slice(1) }), /not defined before/],
    "an output that is gone": [(g) => ({ ...g, nodes: g.nodes.slice(0, -1) }), /output bits is not/],
    "a dim that is gone": [(g) => ({ ...g, dims: [] }), /B is no dim/],
    "a wrong type": [
      (g) => {
        const results = g.nodes[0]!.results.map((value) => ({ ...value, type: tensorType("f32", [2, 4]) }));
        const node = { ...g.nodes[0]!, results };
        return { ...g, nodes: [node, ...g.nodes.slice(1)] };
      },
      /is f32\[2, 4\], not f32\[4, 2\]/,
    ],
    "two outputs of one name": [(g) => ({ ...g, outputs: [...g.outputs, g.outputs[0]!] }), /two outputs/],
    "a write to an input": [
      (g) => ({ ...g, writes: [{ input: g.inputs[0]!, value: g.inputs[0]! }] }),
      /input x is written/,
    ],
    "a write of another type": [
      (g) => ({ ...g, writes: [{ input: g.inputs[1]!, value: g.inputs[3]! }] }),
      /what is written is/,
    ],
    "two writes to one state": [(g) => ({ ...g, writes: [...g.writes, ...g.writes] }), /written twice/],
  };
  for (const [name, [make, reason]] of Object.entries(broken)) {
    test(`finds ${name}`, () => {
      expect(problemsOf(make(sample())).join("\n")).toMatch(reason);
    });
  }

  test("throws with the pass's name and the text", () => {
    const graph = { ...sample(), dims: [] };
    expect(() => verify(graph, "some-pass")).toThrow(InternalError);
    try {
      verify(graph, "some-pass");
    } catch (error) {
      expect(error).toMatchObject({ pass: "some-pass" });
      expect((error as InternalError).ir).toContain("graph infer");
    }
  });
});
