/** Passes: every simplification rule on random and special numbers, and what each pass leaves of a graph. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import { printGraph } from "../compiler/ir/print.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { tensorType } from "../compiler/ir/type.ts";
import { problemsOf, verify } from "../compiler/ir/verify.ts";
import * as build from "../compiler/ops/build.ts";
import { opNamed } from "../compiler/ops/index.ts";
import { commonSubexpressions } from "../compiler/passes/common-subexpressions.ts";
import { deadCode } from "../compiler/passes/dead-code.ts";
import { differentiate } from "../compiler/passes/differentiate.ts";
import { foldConstants } from "../compiler/passes/fold-constants.ts";
import { optimize, passes, pipeline } from "../compiler/passes/pipeline.ts";
import { rules, simplify } from "../compiler/passes/simplify.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { difference, graphOf, randomTensor } from "./support/graphs.ts";
import { random, seedOfRun } from "./support/random.ts";
import type { Graph, GraphInput, Node } from "../compiler/ir/graph.ts";
import type { Tensor } from "../compiler/ir/tensor.ts";

const seed = seedOfRun();
const B = dim.symbol("B");
const d = dim.constant;

const specials = [0, -0, NaN, Infinity, -Infinity, 1, -1, 2 ** -149, 3.4e38];

function opsOf(graph: Graph): string[] {
  return graph.nodes.map((node) => node.op.name);
}

/** Inputs of a graph, every third number a special one where `special` is set. */
function inputsOf(graph: Graph, sizes: ReadonlyMap<string, number>, special: boolean): Map<string, Tensor> {
  const r = random(seed);
  return new Map(
    graph.inputs.map(({ source, type }) => {
      const value = randomTensor(r, type, sizes);
      if (special && type.dtype === "f32")
        value.data.forEach((_, i) => (value.data[i] = r.chance(0.5) ? r.pick(specials) : value.data[i]!));
      return [(source as GraphInput).name, value];
    }),
  );
}

describe("rules", () => {
  for (const rule of rules) {
    test(rule.sentence, () => {
      expect(rule.examples.length).toBeGreaterThan(0);
      for (const example of rule.examples) {
        const b = graphBuilder();
        const left = example(b);
        const node = left.source as Node;
        expect(rule.ops).toContain(node.op.name);
        const right = rule.apply(node, b);
        if (!right) throw new Error("the rule does not apply to its own example");
        expect(right).not.toBe(left);
        const outputs = [
          { name: "left", value: left },
          { name: "right", value: right },
        ];
        const graph = b.finish({ name: "rule", dims: [{ name: "B", max: undefined }], outputs, writes: [] });
        expect(problemsOf(graph)).toEqual([]);
        for (const [size, special] of [
          [1, false],
          [4, false],
          [7, true],
        ] as const) {
          const sizes = new Map([["B", size]]);
          const found = evaluate(graph, inputsOf(graph, sizes, special), sizes).outputs;
          expect(difference(found.get("right")!, found.get("left")!, 1e-15), `SEED=${seed}`).toBeUndefined();
        }
      }
    });
  }

  test("each begins with a capital letter or a formula and ends with a full stop", () => {
    for (const { sentence } of rules) expect(sentence).toMatch(/^[A-Zx\-|(1mnd].*\.$/);
  });

  /** What no rule may touch, because a number would change. */
  const kept: Readonly<Record<string, Parameters<typeof graphOf>[0]>> = {
    "x + 0 (-0 would become -0)": (b) => ({
      y: build.shift(b, b.input("x", "input", tensorType("f32", [B])), 0),
    }),
    "x * 0 (NaN would be lost)": (b) => ({
      y: build.scale(b, b.input("x", "input", tensorType("f32", [B])), 0),
    }),
    "x - x (NaN would be lost)": (b) => {
      const x = b.input("x", "input", tensorType("f32", [B]));
      return { y: build.sub(b, x, x) };
    },
    "x / 3 (a third is not exact)": (b) => ({
      y: build.div(b, b.input("x", "input", tensorType("f32", [B])), build.constantScalar(b, 3)),
    }),
    "(x + y) + z": (b) => {
      const [x, y, z] = ["x", "y", "z"].map((name) => b.input(name, "input", tensorType("f32", [B])));
      return { y: build.add(b, build.add(b, x!, y!), z!) };
    },
    "a cast to i32 and back": (b) => ({
      y: build.cast(b, build.cast(b, b.input("x", "input", tensorType("f32", [B])), "i32"), "f32"),
    }),
    "a slice that reaches into padding": (b) => ({
      y: build.slice(
        b,
        build.pad(b, b.input("x", "input", tensorType("f32", [4])), 0, d(2), d(2)),
        0,
        d(1),
        d(3),
      ),
    }),
  };
  for (const [name, make] of Object.entries(kept)) {
    test(`leave ${name} alone`, () => {
      const graph = graphOf(make, ["B"]);
      expect(opsOf(simplify.run(graph))).toEqual(opsOf(graph));
    });
  }
});

describe("dead-code", () => {
  test("keeps what outputs and writes need, in order", () => {
    const b = graphBuilder();
    const x = b.input("x", "input", tensorType("f32", [2]));
    const state = b.input("s", "state", tensorType("f32", [2]));
    const used = build.exp(b, x);
    build.log(b, used);
    const written = build.add(b, state, used);
    const graph = b.finish({
      name: "t",
      dims: [],
      outputs: [{ name: "y", value: used }],
      writes: [{ input: state, value: written }],
    });
    expect(opsOf(deadCode.run(graph))).toEqual(["exp", "add"]);
  });
});

describe("common-subexpressions", () => {
  test("shares equal nodes of equal attributes, however deep, and no others", () => {
    const graph = graphOf((b) => {
      const x = b.input("x", "input", tensorType("f32", [4, 4]));
      const y = b.input("y", "input", tensorType("f32", [4, 4]));
      const half = (start: number) => build.exp(b, build.slice(b, x, 0, d(start), d(2)));
      return { a: half(0), b: half(0), c: half(1), d: build.exp(b, x), e: build.exp(b, y) };
    });
    const shared = deadCode.run(commonSubexpressions.run(graph));
    expect(opsOf(shared)).toEqual(["slice", "exp", "slice", "exp", "exp", "exp"]);
    expect(shared.outputs[0]!.value).toBe(shared.outputs[1]!.value);
  });

  test("tells 0 from -0, and tables by their numbers", () => {
    const graph = graphOf((b) => ({
      a: build.constantScalar(b, 0),
      b: build.constantScalar(b, -0),
      c: build.constantTensor(b, tensor("f32", [3], [1, 2, 3])),
      d: build.constantTensor(b, tensor("f32", [3], [1, 2, 3])),
      e: build.constantTensor(b, tensor("f32", [3], [1, 2, 4])),
    }));
    expect(commonSubexpressions.run(graph).nodes.length).toBe(4);
  });
});

describe("fold-constants", () => {
  test("computes small results of constants, and no large or free-sized ones", () => {
    const graph = graphOf(
      (b) => {
        const two = build.constantScalar(b, 2);
        return {
          folded: build.exp(b, build.add(b, two, two)),
          large: build.expandTo(b, two, [d(100)], []),
          free: build.expandTo(b, two, [B], []),
          size: build.size(b, B),
        };
      },
      ["B"],
    );
    const folded = deadCode.run(foldConstants.run(graph));
    expect(opsOf(folded).filter((name) => name !== "constant")).toEqual(["expand", "expand", "size"]);
    const { outputs } = evaluate(folded, new Map(), new Map([["B", 3]]));
    expect(outputs.get("folded")!.data[0]).toBe(Math.exp(4));
  });
});

describe("the pipeline", () => {
  test("names each pass once, each with a sentence and reasons", () => {
    for (const { pass, reason } of pipeline) {
      expect(passes.get(pass.name)).toBe(pass);
      expect(pass.summary).toMatch(/^[A-Z].*\.$/);
      expect(reason).toMatch(/\.$/);
    }
  });

  test("tells of each pass, and its result is verified and stays as it is", () => {
    const graph = graphOf(
      (b) => {
        const x = b.input("x", "input", tensorType("f32", [B, 3]));
        const w = b.input("w", "weight", tensorType("f32", [3, 2]));
        const y = build.relu(b, build.matmul(b, x, w));
        const loss = build.reduceMean(b, build.mul(b, y, y), [0, 1]);
        const [dw] = differentiate(b, loss, [w]);
        return { loss, dw: dw! };
      },
      ["B"],
    );
    const seen: string[] = [];
    const best = optimize(graph, { after: (name, after) => seen.push(`${name} ${after.nodes.length}`) });
    expect(seen.map((line) => line.split(" ")[0])).toEqual(pipeline.map(({ pass }) => pass.name));
    verify(best, "test");
    expect(printGraph(optimize(best)).text).toBe(printGraph(best).text);
    expect(best.nodes.length).toBeLessThan(graph.nodes.length);
    expect(opsOf(best).filter((name) => name === "index").length).toBe(2);
  });

  test("is unchanged by text: a printed graph optimises to the same graph", async () => {
    const { parseGraph } = await import("../compiler/ir/parse.ts");
    const graph = graphOf((b) => {
      const x = b.input("x", "input", tensorType("f32", [6]));
      return { y: build.neg(b, build.neg(b, build.scale(b, x, 1))) };
    });
    const parsed = parseGraph(printGraph(graph).text, opNamed);
    if ("problem" in parsed) throw new Error(parsed.problem.message);
    expect(printGraph(optimize(parsed.graph)).text).toBe(printGraph(optimize(graph)).text);
    expect(optimize(parsed.graph).nodes).toEqual([]);
  });
});
