/** A model's text as graphs whose inputs are all it reads: its tensors, weights and states; forward and with gradients. */
import { check, modelsOf } from "../../compiler/check/check.ts";
import { createFlow } from "../../compiler/check/flow/flow.ts";
import { noFacts } from "../../compiler/check/flow/facts.ts";
import { elaborate } from "../../compiler/check/elaborate.ts";
import type { Phase } from "../../compiler/check/frame.ts";
import { graphType } from "../../compiler/check/type.ts";
import { graphBuilder, type GraphBuilder } from "../../compiler/ir/builder.ts";
import * as dim from "../../compiler/ir/dim.ts";
import type { Graph, GraphInput, Value } from "../../compiler/ir/graph.ts";
import * as build from "../../compiler/ops/build.ts";
import { deadCode } from "../../compiler/passes/dead-code.ts";
import { differentiate } from "../../compiler/passes/differentiate.ts";
import { renderAll } from "../../grammar/render.ts";

export interface LibraryGraphs {
  /** outputs `out`, writes the states that the phase updates */
  readonly forward: Graph;
  /** outputs `loss` = sum(out * cotangent), and its gradient `d.NAME` for every float input and weight */
  readonly gradient: Graph;
}

/** `x: [B, D=5] : x -> relu` as a program with one model. */
function programOf(short: string): string {
  const at = short.indexOf(" : ");
  return `dlm 1\n\nmodel M(${short.slice(0, at)}) -> _ {\n  ${short.slice(at + 3).replaceAll(" ; ", "\n  ")}\n}\n`;
}

interface Made {
  readonly builder: GraphBuilder;
  readonly out: Value;
  readonly writes: readonly { readonly input: Value; readonly value: Value }[];
}

function make(short: string, phase: Phase): Made {
  const source = { path: "m.dlm", text: programOf(short) };
  const { session, scope, diagnostics } = check({
    path: "m.dlm",
    read: () => source,
    hooks: createFlow(noFacts).hooks,
  });
  if (diagnostics.length > 0) throw new Error(renderAll(diagnostics));
  const builder = graphBuilder();
  const states = new Map<string, Value>();
  const updates = new Map<string, Value>();
  const { result } = elaborate(session, scope!, modelsOf(scope!).at(-1)!, {
    phase,
    builder,
    weights: { get: ({ path, type }) => builder.input(path, "weight", graphType(type)) },
    states: {
      get({ path, type }) {
        const value = builder.input(path, "state", graphType(type));
        states.set(path, value);
        return value;
      },
      set: ({ path }, value) => void updates.set(path, value),
    },
  });
  if (result.kind !== "tensor" || !result.value) throw new Error(`${short} gives ${result.kind}`);
  const writes = [...updates].map(([path, value]) => ({ input: states.get(path)!, value }));
  return { builder, out: result.value, writes };
}

function finish(
  { builder }: Made,
  name: string,
  outputs: Graph["outputs"],
  writes: Graph["writes"] = [],
): Graph {
  const names = new Set<string>();
  for (const input of builder.inputs) for (const size of input.type.shape) dim.symbolsOf(size, names);
  const dims = [...names].map((each) => ({ name: each, max: undefined }));
  return deadCode.run(builder.finish({ name, dims, outputs, writes }));
}

export function libraryGraphs(short: string, phase: Phase = "inference"): LibraryGraphs {
  const first = make(short, phase);
  const forward = finish(first, "forward", [{ name: "out", value: first.out }], first.writes);

  const second = make(short, phase);
  const { builder: b, out } = second;
  const wanted = b.inputs.filter(
    ({ type, source }) => type.dtype === "f32" && ["input", "weight"].includes((source as GraphInput).role),
  );
  const cotangent = b.input("cotangent", "input", out.type);
  const loss = build.reduceSum(
    b,
    build.mul(b, out, cotangent),
    out.type.shape.map((_, axis) => axis),
  );
  const found = differentiate(b, loss, wanted);
  const gradients = wanted.flatMap((input, i) =>
    found[i] ? [{ name: `d.${(input.source as GraphInput).name}`, value: found[i] }] : [],
  );
  return { forward, gradient: finish(second, "gradient", [{ name: "loss", value: loss }, ...gradients]) };
}
