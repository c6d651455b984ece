/** `recompute`: the same numbers in less memory. */
import { expect, test } from "vitest";
import { compileModel } from "../compiler/compile.ts";
import type { EntryName } from "../compiler/entries/model-graphs.ts";
import type { Graph, GraphInput } from "../compiler/ir/graph.ts";
import { constantOf } from "../compiler/ir/dim.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { randomInputs } from "../src/random-inputs.ts";
import { entriesOfText } from "./support/training-graph.ts";
import { wasmEntries } from "./support/wasm-entries.ts";

/** Six blocks that widen and narrow, with dropout and statistics of the batch. */
const program = (open: string, close: string, norm = "LayerNorm"): string => `dlm 1

data Rows from arrays("rows.npz") {
  input  x : f32[D=16]
  target y : number
}

model Deep(x: [B, D=16]) -> [B] {
  x -> repeat 6 { ${open} residual { ${norm} -> Dense(64) -> gelu -> dropout(0.25) -> Dense(16) } ${close} }
    -> Dense(1)
    -> squeeze
}

train Deep on Rows {
  loss mse(out, y)
  optimizer sgd(0.1)
  batch 512
}
`;

const plain = program("", "");
const again = program("recompute {", "}");

const graphOf = (text: string, entries: readonly EntryName[]): Graph =>
  entriesOfText(text, entries).entries[0]!.graph;

function inputsOf(graph: Graph, rows: number): Map<string, Tensor> {
  const given = randomInputs(graph, new Map([["B", rows]]), 3);
  for (const { source, type } of graph.inputs) {
    const { name, role } = source as GraphInput;
    if (role === "control") given.set(name, tensor(type.dtype, [], [2]));
    else expect(type.shape.every((size) => constantOf(size) !== 0)).toBe(true);
  }
  return given;
}

test.each(["LayerNorm", "BatchNorm"])("numbers stay equal, with %s", (norm) => {
  const sizes = new Map([["B", 5]]);
  const results = [program("", "", norm), program("recompute {", "}", norm)].map((text) => {
    const graph = graphOf(text, ["train"]);
    const inputs = inputsOf(graph, 5);
    const now = evaluate(optimize(graph), inputs, sizes);
    expect(evaluate(graph, inputs, sizes)).toEqual(now);
    return now;
  });
  expect(results[1]!.outputs).toEqual(results[0]!.outputs);
  expect(results[1]!.writes).toEqual(results[0]!.writes);
});

test("what is compiled agrees as far as f32 goes: other kernels add in another order", async () => {
  const sizes = new Map([["B", 5]]);
  const [one, two] = await Promise.all(
    [plain, again].map(async (text) => {
      const graph = graphOf(text, ["train"]);
      const wasm = await wasmEntries([graph], sizes, false);
      const { outputs, writes } = wasm.run("train", inputsOf(graph, 5), sizes);
      return { outputs, writes };
    }),
  );
  for (const kind of ["outputs", "writes"] as const)
    for (const [name, data] of one![kind])
      data.forEach((value, i) => expect(Math.abs(two![kind].get(name)![i]! - value)).toBeLessThan(1e-6));
});

test("values inside are computed twice and not kept", async () => {
  const [kept, recomputed] = await Promise.all(
    [plain, again].map(async (text) => {
      const graphs = entriesOfText(text, ["train"]);
      const { memory } = await compileModel(graphs, { version: "0.0.0", stopAfter: "lower" });
      const { nodes } = optimize(graphs.entries[0]!.graph);
      return { bytes: memory![0]!.bytes, erfs: nodes.filter((node) => node.op.name === "erf").length };
    }),
  );
  expect(kept!.erfs).toBe(6);
  expect(recomputed!.erfs).toBe(12);
  // of six blocks only what they read is kept, and one block's own values at a time
  expect(recomputed!.bytes).toBeLessThan(0.5 * kept!.bytes);
});

test("a block within a block, and one that nothing differentiates", () => {
  const nested = plain.replace("x -> repeat 6 {", "x -> recompute { repeat 3 { recompute {").replace("} \n", "} } }\n"); // prettier-ignore
  const text = nested.replace("Dense(16) }  }", "Dense(16) } } } }");
  const graph = graphOf(text, ["train"]);
  const bare = graphOf(plain.replace("repeat 6", "repeat 3"), ["train"]); // prettier-ignore
  const sizes = new Map([["B", 4]]);
  const inputs = inputsOf(graph, 4);
  expect(evaluate(graph, inputs, sizes).writes).toEqual(evaluate(bare, inputs, sizes).writes);
  const infer = graphOf(text, ["infer"]);
  expect(infer.nodes.some((node) => node.op.name === "barrier")).toBe(false);
});
