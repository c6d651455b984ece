/** `gradient`: gradients of a random sum of the results against central differences in f64. */
import type { CheckPlan } from "../../compiler/check/flow/plans.ts";
import type { GraphInput } from "../../compiler/ir/graph.ts";
import { elementCount, tensor, type Tensor } from "../../compiler/ir/tensor.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { checkGradient } from "../gradient-check.ts";
import { lossAround } from "../gradients.ts";
import type { CheckResult } from "./result.ts";
import type { Subject } from "./subject.ts";

const prefix = "gradient of ";

export function checkGradients(
  { gradient: checked }: Subject,
  { within }: CheckPlan["gradient"] & {},
): CheckResult {
  if (!checked) return { ok: true, error: 0, within, text: "nothing in it has a gradient" };
  const { graph, inputs } = checked;
  const sizes = new Map<string, number>();
  const gradients = evaluate(graph, inputs, sizes).outputs;
  // all floats one behind the other
  let end = 0;
  const parts = graph.inputs.flatMap(({ source }) => {
    const { name } = source as GraphInput;
    if (!gradients.has(prefix + name)) return [];
    const { shape } = inputs.get(name)!;
    const offset = end;
    end += elementCount(shape);
    return [{ path: name, shape, offset, kind: "other" as const }];
  });
  const [parameters, gradient] = [new Float64Array(end), new Float64Array(end)];
  for (const { path, offset } of parts) {
    parameters.set(inputs.get(path)!.data, offset);
    gradient.set(gradients.get(prefix + path)!.data, offset);
  }
  const loss = lossAround(graph, inputs, sizes);
  const found = checkGradient({
    weights: parts,
    parameters,
    gradient,
    seed: 1,
    within,
    loss: (moved) =>
      loss(
        new Map(
          parts.map(({ path, shape, offset }): [string, Tensor] => [
            path,
            tensor("f32", shape, moved.subarray(offset, offset + elementCount(shape))),
          ]),
        ),
      ),
  });
  const wrong = found.find(({ ok }) => !ok);
  const worst = wrong ?? found.reduce((a, b) => (b.error > a.error ? b : a));
  const count = `${found.length} tensor${found.length === 1 ? "" : "s"}`;
  return {
    ok: wrong === undefined,
    error: worst.error,
    within,
    text: wrong
      ? `the gradient of ${worst.path} is off by a part of ${worst.error.toExponential(1)}, ${within} is allowed`
      : `${count}, off by a part of ${worst.error.toExponential(1)} at most`,
  };
}
