/** `same`: results and gradients of compiled code against the reference in f64, tensor by tensor. */
import type { CheckPlan } from "../../compiler/check/flow/plans.ts";
import { graphBuilder } from "../../compiler/ir/builder.ts";
import type { Graph, GraphInput, Value } from "../../compiler/ir/graph.ts";
import { copyNodes } from "../../compiler/ir/rewrite.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import type { Span } from "../../grammar/source.ts";
import { openModel, openOnGpu } from "../compile-program.ts";
import type { ProgramGraphs } from "../program.ts";
import { furthest, type CheckResult, type Distance } from "./result.ts";
import type { Case, Subject } from "./subject.ts";

/** Smaller tensors are compared as if their largest number were this: rounding stays where what was added cancels. */
const least = 0.1;

type Same = CheckPlan["same"] & {};

export async function checkSame(
  { forward, gradient }: Subject,
  { across, within, span }: Same,
): Promise<CheckResult> {
  const cases = gradient ? [forward, gradient] : [forward];
  const expected = new Map<string, ArrayLike<number>>();
  for (const { graph, inputs } of cases)
    for (const [name, { data }] of evaluate(graph, inputs, new Map()).outputs)
      // a sum of either sign tells nothing relative to its size
      if (name !== "loss") expected.set(name, data);
  const targets = [
    ...(across.includes("wasm") ? (["wasm", "wasm relaxed"] as const) : []),
    ...(across.includes("webgpu") ? (["webgpu"] as const) : []),
  ];
  let worst: Distance & { readonly on: string } = { name: "", error: 0, on: "reference" };
  for (const on of targets) {
    const at = furthest(await compiledResults(cases, on, span), expected, least);
    if (at.error >= worst.error) worst = { ...at, on };
  }
  const ok = worst.error <= within;
  return {
    ok,
    error: worst.error,
    within,
    text: ok
      ? `${expected.size} tensor${expected.size === 1 ? "" : "s"} on ${across.join(" and ")}, off by a part of ${worst.error.toExponential(1)} at most`
      : `${worst.name} on ${worst.on} is off by a part of ${worst.error.toExponential(1)} of its largest number, ${within} is allowed`,
  };
}

/** All inputs of the graphs as those of entries, so that an entry is a function of nothing else. */
async function compiledResults(
  cases: readonly Case[],
  on: "wasm" | "wasm relaxed" | "webgpu",
  span: Span,
): Promise<Map<string, ArrayLike<number>>> {
  const graphs: ProgramGraphs = {
    name: "check",
    weights: [],
    states: [],
    optimizer: [],
    entries: cases.map(({ graph }) => ({
      graph: withoutRoles(graph),
      rows: false,
      tensors: new Map(),
      defaults: new Map(),
    })),
    span,
  };
  const model =
    on === "webgpu"
      ? await openOnGpu(graphs)
      : (await openModel(graphs, { relaxed: on === "wasm relaxed" })).model;
  const found = new Map<string, ArrayLike<number>>();
  for (const { graph, inputs } of cases) {
    const given = [...inputs].filter(([name]) => roleOf(graph, name) !== "control");
    const numbers = given.map(([name, value]) => [name, hostArray(value)] as const);
    for (const [name, data] of Object.entries(await model.call(graph.name, Object.fromEntries(numbers))))
      found.set(name, data);
  }
  model.destroy();
  return found;
}

function inputOf({ source }: Value): GraphInput {
  return source as GraphInput;
}

function roleOf(graph: Graph, name: string): GraphInput["role"] | undefined {
  return graph.inputs.map(inputOf).find((input) => input.name === name)?.role;
}

function withoutRoles(graph: Graph): Graph {
  const builder = graphBuilder();
  const now = new Map<Value, Value>();
  for (const input of graph.inputs) {
    const { name, role, type } = inputOf(input);
    now.set(input, builder.input(name, role === "control" ? role : "input", type));
  }
  copyNodes(builder, graph.nodes, now);
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: now.get(value)! }));
  return builder.finish({ name: graph.name, dims: graph.dims, outputs, writes: [] });
}

function hostArray({ dtype, data }: Tensor): Float32Array | Int32Array | Uint8Array {
  if (dtype === "i32") return Int32Array.from(data);
  return dtype === "f32" || dtype === "f16" ? Float32Array.from(data) : Uint8Array.from(data);
}
