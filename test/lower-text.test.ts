/** Kernels as text, and what the verifier of kernels refuses. */
import { describe, expect, test } from "vitest";
import { printEntry, printPlan } from "../compiler/ir/print-kernels.ts";
import { affineAxis, affineConstant, affineShift } from "../compiler/ir/scalar.ts";
import { lower } from "../compiler/lower/lower.ts";
import { makeProgram } from "../compiler/lower/program.ts";
import { loadsIn, makeInterner, makeNames, rewriter } from "../compiler/lower/scalar-walk.ts";
import { verifyKernel } from "../compiler/lower/verify-kernels.ts";
import * as build from "../compiler/ops/build.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { expectGolden } from "./support/golden.ts";
import * as nets from "./support/networks.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import { flatSteps } from "../compiler/ir/kernel.ts";
import type { Kernel, Stage } from "../compiler/ir/kernel.ts";
import type { Scalar } from "../compiler/ir/scalar.ts";

const { batch, inference, training } = nets;

const body = (net: nets.Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 4, 4, 2]);
  const h = nets.maxpool(net, nets.relu(net, nets.conv(net, x, 8, 3, 1, 1)), 2);
  return { out: nets.dense(net, nets.flatten(net, h), 3) };
};
const infer = (): Graph => optimize(inference((net) => ({ out: nets.softmax(net, body(net)["out"]!) })));
const train = (): Graph =>
  optimize(
    training((net) => ({
      loss: nets.crossEntropy(net, body(net)["out"]!, net.input("k", "i32", [batch])),
    })),
  );

test("kernels of a small network as text", () => {
  expectGolden("kernels/infer.dlk", `${printEntry(lower(infer()).entry)}\n`);
  expectGolden("kernels/train.dlk", `${printEntry(lower(train()).entry)}\n`);
});

test("its plan as text", () => {
  const { program } = makeProgram([infer()], { plan: "tight", prepare: true });
  expectGolden("kernels/infer.plan", printPlan(program));
});

describe("the verifier refuses", () => {
  const conv = flatSteps(lower(infer()).entry.steps)[0]!.kernel;
  const softmax = inference((net) => ({ out: nets.softmax(net, net.input("x", "f32", [batch, 5])) }));
  const rowKernel = flatSteps(lower(optimize(softmax)).entry.steps)[0]!.kernel;

  /** The kernel with every scalar rewritten; contractions are taken off. */
  const rewritten = (kernel: Kernel, node: (s: Scalar) => Scalar): Kernel => {
    const go = rewriter(makeInterner(makeNames()), { node });
    const made = new Map<Stage, Stage>();
    const relink = rewriter(makeInterner(makeNames()), {
      node: (s) => (s.kind === "result" ? { ...s, stage: made.get(s.stage) ?? s.stage } : s),
    });
    const stages = kernel.stages.map((stage) => {
      const next = { ...stage, value: relink(go(stage.value)) };
      made.set(stage, next);
      return next;
    });
    return { ...kernel, contraction: undefined, stages };
  };

  test("nothing in what lowering made", () => {
    verifyKernel(conv);
    verifyKernel(rowKernel);
    verifyKernel(rewritten(conv, (s) => s));
  });
  test("a load without its guard", () => {
    expect(loadsIn(conv.stages[0]!.value).some((l) => l.guarded.length > 0)).toBe(true);
    const bare = rewritten(conv, (s): Scalar => (s.kind === "load" ? { ...s, guarded: [] } : s));
    expect(() => verifyKernel(bare)).toThrow(/neither proved inside nor guarded/);
  });
  test("a store that may lie outside", () => {
    const stages = conv.stages.map((s): Stage =>
      s.place.kind === "store"
        ? { ...s, place: { ...s.place, index: s.place.index.map((a) => affineShift(a, 1)) } }
        : s,
    );
    expect(() => verifyKernel({ ...conv, contraction: undefined, stages })).toThrow(/not proved inside/);
  });
  test("a stage that reads a later one", () => {
    const stages = [rowKernel.stages.at(-1)!, ...rowKernel.stages.slice(0, -1)];
    expect(() => verifyKernel({ ...rowKernel, stages })).toThrow(/not before it/);
  });
  test("iterations that store into one element", () => {
    const grid = [...rowKernel.grid, { name: "again", size: nets.c(2) }];
    expect(() => verifyKernel({ ...rowKernel, grid })).toThrow(/same element/);
  });
  test("a loop that is not around the stage", () => {
    const strange = { name: "strange", size: nets.c(2) };
    const odd = rewritten(rowKernel, (s): Scalar =>
      s.kind === "load"
        ? { ...s, index: s.index.map(() => ({ kind: "affine" as const, affine: affineAxis(strange) })) }
        : s,
    );
    expect(() => verifyKernel(odd)).toThrow(/not around it/);
  });
  test("a buffer that is written and read at other elements", () => {
    const written = rowKernel.stages.at(-1)!.place;
    if (written.kind !== "store") throw new Error("the last stage stores");
    const firstOfRow = [affineAxis(rowKernel.grid[0]!), affineConstant(0)];
    const odd = rewritten(rowKernel, (s): Scalar =>
      s.kind === "load"
        ? {
            ...s,
            buffer: written.buffer,
            index: firstOfRow.map((affine) => ({ kind: "affine" as const, affine })),
          }
        : s,
    );
    expect(() => verifyKernel(odd)).toThrow(/read at other elements/);
  });
  test("a contraction whose first factor depends on columns", () => {
    const { contraction } = conv;
    const turned = { ...contraction!, rows: contraction!.columns, columns: contraction!.rows };
    expect(() => verifyKernel({ ...conv, contraction: turned })).toThrow(/a depends on columns/);
  });
});

test("a residual is read in the epilogue, and the state it becomes is written there in place", () => {
  const graph = inference((net) => {
    const state = net.state("h", [6, 8]);
    const y = build.tanh(net.b, build.add(net.b, nets.dense(net, net.input("x", "f32", [6, 16]), 8), state));
    net.writes.push({ input: state, value: y });
    return { sum: build.reduceSum(net.b, y, [0, 1]) };
  });
  const { entry } = lower(graph);
  expect(entry.copies).toEqual([]);
  const [first] = flatSteps(entry.steps);
  const state = entry.inputs.find((i) => i.name === "h")!.buffer;
  expect(first!.kernel.contraction).toBeDefined();
  expect(first!.kernel.stages.some((s) => s.place.kind === "store" && s.place.buffer === state)).toBe(true);
});
