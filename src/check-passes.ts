/** Runs a graph in the reference before and after each pass, and finds the first that changes what it computes. */
import type { Graph } from "../compiler/ir/graph.ts";
import type { Tensor } from "../compiler/ir/tensor.ts";
import { verify } from "../compiler/ir/verify.ts";
import type { Pass } from "../compiler/passes/pass.ts";
import { runPass } from "../compiler/passes/pipeline.ts";
import { evaluate, type Evaluation } from "../compiler/reference/evaluate.ts";
import { randomInputs } from "./random-inputs.ts";

export interface Change {
  readonly pass: string;
  /** which of the passes, from 1: a pass may run several times */
  readonly place: number;
  /** `output loss`, `write @parameters` */
  readonly what: string;
  readonly element: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Rules do not reassociate and keep NaN and infinity; what constants become when they are folded differs by rounding in
 * f64 at most, relative to the largest number of the tensor.
 */
const tolerance = 1e-12;

function difference(before: Tensor, after: Tensor): number | undefined {
  const largest = before.data.reduce(
    (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
    0,
  );
  const at = before.data.findIndex((x, i) => {
    const y = after.data[i]!;
    return !Object.is(x, y) && !(Math.abs(x - y) <= tolerance * largest);
  });
  return at < 0 ? undefined : at;
}

function firstDifference(before: Evaluation, after: Evaluation): Omit<Change, "pass" | "place"> | undefined {
  for (const kind of ["outputs", "writes"] as const)
    for (const [name, value] of before[kind]) {
      const found = after[kind].get(name);
      const what = kind === "outputs" ? `output ${name}` : `write @${name}`;
      if (!found) return { what, element: 0, before: value.data[0] ?? NaN, after: NaN };
      const element = difference(value, found);
      if (element !== undefined)
        return { what, element, before: value.data[element]!, after: found.data[element]! };
    }
  return undefined;
}

/** The first change on random inputs, at these sizes of the free dims; the graph after all passes where there is none. */
export function checkEachPass(
  graph: Graph,
  passes: readonly Pass[],
  sizes: ReadonlyMap<string, number>,
  seed: number,
): { readonly graph: Graph; readonly change: Change | undefined } {
  const inputs = randomInputs(graph, sizes, seed);
  const before = evaluate(graph, inputs, sizes);
  let now = graph;
  for (const [i, pass] of passes.entries()) {
    now = runPass(pass, now);
    verify(now, pass.name);
    const change = firstDifference(before, evaluate(now, inputs, sizes));
    if (change) return { graph: now, change: { pass: pass.name, place: i + 1, ...change } };
  }
  return { graph: now, change: undefined };
}
