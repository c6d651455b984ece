/** `output` in `deploy`: what a compiled model gives in the place of its own outputs. */
import { expect, test } from "vitest";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import type { CallableDeclaration } from "../grammar/ast.ts";
import { renderAll } from "../grammar/render.ts";
import { randomInputs } from "../src/random-inputs.ts";
import { checkText } from "./support/check-text.ts";

const program = (lines: string): string => `dlm 1

let Width = 3

model Line(x: [B, D=4]) -> [B, Class=Width] {
  x -> Dense(Width)
}

deploy Line {
${lines}
}
`;

/** Outputs of the entry infer for two rows. */
function outputs(lines: string): ReadonlyMap<string, readonly number[]> {
  const { session, scope, flow, diagnostics } = checkText(program(lines));
  expect(renderAll(diagnostics)).toBe("");
  const declaration = scope.declarations.get("Line") as CallableDeclaration;
  const { span } = declaration.name;
  const rest = { configuration: undefined, tensors: [], over: undefined } as const;
  const { entries } = modelGraphs({
    session,
    scope,
    model: { kind: "callable", declaration, scope, span, ...rest },
    train: undefined,
    data: [],
    entries: ["infer"],
    outputs: flow.plans.deploy[0]!.outputs,
  });
  const { graph } = entries[0]!;
  const sizes = new Map([["B", 2]]);
  const x = tensor("f32", [2, 4], [1, -2, 3, 0.5, 0, 1, -1, 2]);
  const inputs = new Map([...randomInputs(graph, sizes, 1), ["x", x] as const]);
  const found = evaluate(graph, inputs, sizes).outputs;
  return new Map([...found].map(([name, { data }]) => [name, [...data]]));
}

test("takes the place of the model's outputs", () => {
  const own = outputs("  weights f32").get("out")!;
  const rows = [own.slice(0, 3), own.slice(3)];
  const softmax = rows.flatMap((row) => {
    const sum = row.reduce((total, value) => total + Math.exp(value), 0);
    return row.map((value) => Math.exp(value) / sum);
  });
  const one = outputs("  output softmax(out) over Class");
  expect([...one.keys()]).toEqual(["out"]);
  one.get("out")!.forEach((value, i) => expect(value).toBeCloseTo(softmax[i]!, 10));

  const several = outputs(
    "  output chances = softmax(out) over Class, doubled = out * 2\n  output size = sum(x * x) over D",
  );
  expect([...several.keys()]).toEqual(["chances", "doubled", "size"]);
  several.get("chances")!.forEach((value, i) => expect(value).toBeCloseTo(softmax[i]!, 10));
  several.get("doubled")!.forEach((value, i) => expect(value).toBeCloseTo(2 * own[i]!, 10));
  expect(several.get("size")).toEqual([14.25, 6]);
});

test.each([
  ["output softmax(out) over Klass", "DLM0403"],
  ["output softmax(oot) over Class", "DLM0101"],
  ["output out -> Dense(3)", "DLM0121"],
  ["output relu", "DLM0121"],
  ["output out, out * 2", "DLM0121"],
])("what is wrong is told once: %s", (line, code) => {
  expect(checkText(program(`  ${line}`)).diagnostics.map((each) => each.code)).toEqual([code]);
});
