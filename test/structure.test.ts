/** The structure of kernels: what is one kernel, how often inputs are loaded, how large what is written may be. */
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import { isNode } from "../compiler/ir/graph.ts";
import { printEntry } from "../compiler/ir/print-kernels.ts";
import { elements } from "../compiler/ir/type.ts";
import { buffersOf } from "../compiler/lower/plan-memory.ts";
import { lower } from "../compiler/lower/lower.ts";
import { makeProgram } from "../compiler/lower/program.ts";
import { loadsIn, visit } from "../compiler/lower/scalar-walk.ts";
import { pipeline, runPass } from "../compiler/passes/pipeline.ts";
import * as build from "../compiler/ops/build.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import { flatSteps } from "../compiler/ir/kernel.ts";
import type { Buffer, EntryProgram, Kernel } from "../compiler/ir/kernel.ts";
import type { Scalar } from "../compiler/ir/scalar.ts";
import * as nets from "./support/networks.ts";

const { batch, inference, training } = nets;

const passed = (graph: Graph): Graph => pipeline.reduce((g, { pass }) => runPass(pass, g), graph);
const kernelsOf = (entry: EntryProgram): Kernel[] =>
  flatSteps(entry.steps).flatMap((s) => (s.kind === "kernel" ? [s.kernel] : []));
const lowered = (graph: Graph): Kernel[] => kernelsOf(lower(passed(graph)).entry);

/** Nodes of all stages, each as often as a stage holds it. */
function nodesOf(kernel: Kernel): Scalar[] {
  return kernel.stages.flatMap((stage) => {
    const nodes: Scalar[] = [];
    visit(stage.value, (s) => void nodes.push(s));
    return nodes;
  });
}

const writesTo = (kernel: Kernel): Buffer[] =>
  kernel.stages.flatMap(({ place }) => (place.kind === "store" ? [place.buffer] : []));

const mlp = (net: nets.Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 784]);
  const h = nets.relu(net, nets.dense(net, x, 512));
  const h2 = nets.dropout(net, nets.relu(net, nets.dense(net, h, 256)), 0.25, 7);
  const out = nets.dense(net, h2, 10);
  return { loss: nets.crossEntropy(net, out, net.input("k", "i32", [batch])), out };
};

const cnn = (net: nets.Net): Record<string, Value> => {
  const x = net.input("x", "f32", [batch, 28, 28, 1]);
  const h = nets.relu(net, nets.batchNorm(net, nets.conv(net, x, 32, 3, 1, 1), "norm0"));
  const h2 = nets.maxpool(net, nets.relu(net, nets.conv(net, h, 32, 3, 1, 1)), 2);
  const h3 = nets.relu(net, nets.conv(net, h2, 64, 3, 2, 1));
  const out = nets.dense(net, nets.flatten(net, h3), 10);
  return { loss: nets.crossEntropy(net, out, net.input("k", "i32", [batch])), out };
};

describe("forward", () => {
  test.each(["relu", "tanh", "sigmoid", "gelu"] as const)("dense with bias and %s is one kernel", (name) => {
    const kernels = lowered(
      inference((net) => {
        const y = nets.dense(net, net.input("x", "f32", [batch, 64]), 32);
        const { b } = net;
        const half = build.scale(b, y, 0.5);
        const gelu = (): Value =>
          build.add(b, half, build.mul(b, half, build.erf(b, build.scale(b, y, Math.SQRT1_2))));
        const activations = {
          relu: () => build.relu(b, y),
          tanh: () => build.tanh(b, y),
          sigmoid: () => build.sigmoid(b, y),
          gelu,
        };
        return { out: activations[name]() };
      }),
    );
    expect(kernels.length).toBe(1);
    expect(kernels[0]!.contraction).toBeDefined();
  });

  test("a convolution with bias, residual and relu is one kernel, and nothing is written for its windows", () => {
    const kernels = lowered(
      inference((net) => {
        const x = net.input("x", "f32", [batch, 8, 8, 16]);
        return { out: nets.relu(net, build.add(net.b, nets.conv(net, x, 16, 3, 1, 1), x)) };
      }),
    );
    expect(kernels.length).toBe(1);
    expect(kernels[0]!.contraction?.rows.length).toBe(3);
    expect(kernels[0]!.contraction?.inner.length).toBe(3);
  });

  test.each([10, 1000])(
    "softmax over %d classes is one kernel that evaluates exp once an element",
    (classes) => {
      const graph = inference((net) => ({ out: nets.softmax(net, net.input("x", "f32", [batch, classes])) }));
      const kernels = lowered(graph);
      expect(kernels.length).toBe(1);
      const [kernel] = kernels;
      const stagesWithExp = kernel!.stages.filter((stage) => {
        const nodes: Scalar[] = [];
        visit(stage.value, (s) => void nodes.push(s));
        return nodes.some((s) => s.kind === "apply" && s.instruction === "exp");
      });
      expect(stagesWithExp.length).toBe(1);
      const loops = [...kernel!.grid, ...stagesWithExp[0]!.axes, ...stagesWithExp[0]!.over];
      expect(dim.product(loops.map((axis) => axis.size)).key).toBe(`${classes}*B`);
      expect(kernel!.stages.flatMap((stage) => loadsIn(stage.value)).length).toBeLessThanOrEqual(3);
    },
  );

  test("layer norm is one kernel", () => {
    const kernels = lowered(
      inference((net) => ({ out: nets.layerNorm(net, net.input("x", "f32", [batch, 7, 64])) })),
    );
    expect(kernels.length).toBe(1);
  });

  test("a perceptron is a kernel a layer, its weights are packed once", () => {
    const graph = passed(inference((net) => ({ out: mlp(net)["out"]! })));
    const { program } = makeProgram([graph], { plan: "tight", prepare: true });
    const infer = program.entries.find((e) => e.name === "infer")!;
    expect(kernelsOf(infer).map((k) => k.contraction?.prepacked)).toEqual([true, true, true]);
    expect(program.entries.find((e) => e.name === "prepare")!.steps.length).toBe(3);
  });

  test("entries that read the same weights share their panels", () => {
    const one = passed(inference((net) => ({ out: mlp(net)["out"]! })));
    const two = { ...passed(inference(mlp)), name: "measure" };
    const { program } = makeProgram([one, two], { plan: "tight", prepare: true });
    expect(program.entries.find((e) => e.name === "prepare")!.steps.length).toBe(3);
  });
});

test("the gradient of a table goes through the rows of a batch once, by lists", () => {
  const graph = inference((net) => {
    const ids = net.input("ids", "i32", [batch, 7]);
    const rows = net.input("rows", "f32", [batch, 7, 16]);
    const { b } = net;
    const table = build.fullLike(b, 0, net.input("table", "f32", [500, 16]));
    return { out: build.merge(b, build.scatterAdd(b, table, ids, build.scale(b, rows, 2)), 0, 2) };
  });
  const kernels = lowered(graph);
  expect(kernels.map(({ lists }) => lists?.map(({ row }) => row.size.key))).toEqual([["500"]]);
});

describe.each([
  ["perceptron", mlp],
  ["convolutions", cnn],
])("a training step of %s", (_, body) => {
  const graph = passed(training(body));
  const { entry } = lower(graph);
  const kernels = kernelsOf(entry);

  test("the optimizer is one kernel over all parameters, in place", () => {
    const states = new Set(
      entry.inputs.flatMap((i) => (/^(parameters|optimizer)/.test(i.name) ? [i.buffer] : [])),
    );
    const writing = kernels.filter((k) => writesTo(k).some((b) => states.has(b)));
    expect(writing.length).toBe(1);
    expect(new Set(writesTo(writing[0]!))).toEqual(states);
    expect(writing[0]!.contraction).toBeUndefined();
    expect(entry.copies).toEqual([]);
  });

  test("no contraction holds a reduction in its operands, and all three kinds are contractions", () => {
    for (const { contraction } of kernels)
      if (contraction)
        for (const side of [contraction.a, contraction.b])
          visit(side, (s) => expect(s.kind).not.toBe("result"));
    const layers = body === mlp ? 3 : 4;
    // forward, towards the weights, and towards the input except of the first layer
    const least = 3 * layers - 1;
    expect(kernels.filter((k) => k.contraction).length, printEntry(entry)).toBeGreaterThanOrEqual(least);
  });

  test("no written buffer is larger than what its op reads or gives", () => {
    const largest = new Map<string, number>();
    const count = (size: dim.Dim): number => dim.evaluate(size, new Map([["B", 32]]));
    for (const node of graph.nodes) {
      const sizes = [...node.operands, ...node.results].map((v) => count(elements(v.type)));
      for (const value of node.results)
        largest.set(value.type.shape.map((d) => d.key).join(), Math.max(...sizes));
    }
    const inputs = graph.inputs.map((v) => count(elements(v.type)));
    const bound = Math.max(...largest.values(), ...inputs);
    for (const kernel of kernels) {
      const stored = new Set(writesTo(kernel));
      const { contraction } = kernel;
      for (const buffer of stored) {
        const own = largest.get(buffer.shape.map((d) => d.key).join());
        expect(count(elements(buffer)), `${kernel.name} writes ${buffer.name}`).toBeLessThanOrEqual(
          own ?? bound,
        );
      }
      if (!contraction) continue;
      const operand = Math.max(...loadsIn(contraction.b).map((l) => count(elements(l.buffer))));
      const rows = count(dim.product(contraction.inner.map((a) => a.size)));
      const panel = count(elements(contraction.panelB));
      expect(panel, `${kernel.name} packs b`).toBeLessThanOrEqual(operand + 7 * rows);
      expect(count(elements(contraction.panelA))).toBeLessThanOrEqual(96 * 256);
    }
  });

  test("no exp is evaluated by more stages than there are exps in the graph", () => {
    const inGraph = graph.nodes.filter((n) => n.op.name === "exp").length;
    const inKernels = kernels
      .flatMap(nodesOf)
      .filter((s) => s.kind === "apply" && s.instruction === "exp").length;
    expect(inKernels).toBeLessThanOrEqual(inGraph);
  });

  test("masks of dropout are drawn again, not kept", () => {
    const temporaries = flatSteps(entry.steps)
      .flatMap(buffersOf)
      .filter((b) => b.kind.kind === "temporary");
    expect(temporaries.filter((b) => b.dtype === "bool" && b.shape.length > 0).map((b) => b.name)).toEqual(
      [],
    );
  });
});

describe("reasons", () => {
  test("every stored value has one", () => {
    const { explained } = lower(passed(training(cnn)));
    expect(explained.length).toBeGreaterThan(10);
    for (const { value, reason } of explained) {
      expect(isNode(value.source)).toBe(true);
      expect(reason).toMatch(/^(is|becomes|costs|ends) /);
    }
  });
});
