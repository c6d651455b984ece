/** The graphs of a `check` block at sizes that fit, with repeatable random numbers for all that they read. */
import type { CheckedCheck } from "../../compiler/check/flow/check-check.ts";
import type { Phase } from "../../compiler/check/frame.ts";
import type { Session } from "../../compiler/check/session.ts";
import { checkGraphs } from "../../compiler/entries/check.ts";
import { modelDims, raise } from "../../compiler/entries/free-dims.ts";
import * as dim from "../../compiler/ir/dim.ts";
import type { Graph } from "../../compiler/ir/graph.ts";
import type { Tensor } from "../../compiler/ir/tensor.ts";
import { pinDims } from "../../compiler/passes/pin-dims.ts";
import { Failure } from "../failure.ts";
import { randomInputs } from "../random-inputs.ts";

/** A graph without free dims, and its inputs. */
export interface Case {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
}

export interface Subject {
  readonly forward: Case;
  readonly gradient: Case | undefined;
}

/** Sizes of the second and later free dims that are tried in turn: some declarations need larger ones. */
const tries = [
  [3, 5, 4],
  [8, 6, 7],
  [32, 24, 16],
] as const;
const rows = 2;
const seed = 1;

/** Throws Failure where no sizes fit. */
export function subjectOf(session: Session, { callable, plan }: CheckedCheck, phase: Phase): Subject {
  const graphs = checkGraphs(session, callable, phase);
  if (!graphs) throw new Failure(`${plan.name} gives no tensors`);
  const promised = modelDims(session, callable);
  const dims = graphs.forward.dims.map(({ name }) => promised.dim(name));
  for (const each of tries) {
    const sizes = new Map(
      dims.map(({ name, max }, i) => {
        const size = i === 0 ? rows : each[(i - 1) % each.length]!;
        return [name, Math.min(size, max ?? size)];
      }),
    );
    raise(dims, sizes, promised.promises(dims));
    if (!fits(graphs.forward, sizes)) continue;
    const at = (graph: Graph): Case => {
      const pinned = pinDims(graph, sizes);
      return { graph: pinned, inputs: randomInputs(pinned, new Map(), seed) };
    };
    return { forward: at(graphs.forward), gradient: graphs.gradient && at(graphs.gradient) };
  }
  throw new Failure(`no small sizes fit ${plan.name}`, {
    help: "a model around it with sizes in its signature can be checked",
  });
}

/** No axis is empty anywhere. */
function fits(graph: Graph, sizes: ReadonlyMap<string, number>): boolean {
  const values = [...graph.inputs, ...graph.nodes.flatMap((node) => node.results)];
  return values.every(({ type }) => type.shape.every((size) => dim.evaluate(size, sizes) > 0));
}
