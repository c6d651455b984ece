/**
 * Steps that gather the gradients of several batches for one update. What is gathered are optimizer states: the sum of the
 * gradients, each times the rows of its batch, these rows, and how many batches they were. So every row counts alike: where
 * the loss is a mean over rows, the update is that of one batch of all of them.
 */
import { batchAxis } from "../check/flow/batch.ts";
import { bindNames, enterBlock } from "../check/flow/train.ts";
import type { TrainPart } from "../check/flow/train.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { StateEntry } from "../ir/model.ts";
import { tensor } from "../ir/tensor.ts";
import type { TensorType } from "../ir/type.ts";
import * as build from "../ops/build.ts";
import { beginEntry, finishEntry } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { Range } from "./region.ts";
import { normOf, rangeOfPart, stateName, statesAfter, updateOf, withPenalty } from "./update.ts";
import type { TrainParts, Update } from "./update.ts";

/** The inputs of what has been gathered, by their paths. */
interface Gathered {
  readonly gradient: Value;
  readonly rows: Value;
  readonly batches: Value;
}

function gatheredPaths(part: TrainPart): Readonly<Record<keyof Gathered, string>> {
  // no state of an optimizer has a dot in its name
  const path = (name: string): string => stateName(part, `gathered.${name}`);
  return { gradient: path("gradient"), rows: path("rows"), batches: path("batches") };
}

function gatheredInputs(b: GraphBuilder, part: TrainPart, range: Range): Gathered {
  const paths = gatheredPaths(part);
  const scalar = (path: string): Value => b.input(path, "state", { dtype: "f32", shape: [] });
  return {
    gradient: b.input(paths.gradient, "state", { dtype: "f32", shape: [dim.constant(range.size)] }),
    rows: scalar(paths.rows),
    batches: scalar(paths.batches),
  };
}

/** The optimizer states that hold what is gathered, empty. */
export function gatheredStates(part: TrainPart, range: Range): readonly StateEntry[] {
  const { gradient, rows, batches } = gatheredPaths(part);
  return [
    { path: gradient, shape: [range.size], initial: tensor("f32", [range.size]) },
    ...[rows, batches].map((path) => ({ path, shape: [], initial: tensor("f32", [], [0]) })),
  ];
}

/**
 * Adds the gradient of a batch to what is gathered. Outputs `loss`, `gradient_norm` of this batch, `status` (0: one of them
 * was not finite, and nothing was written), and `gathered`, the batches since the last update.
 */
export function gatherGraph(entry: Entry, part: TrainPart, range: Range, loss: Value, own: Value): Graph {
  const { builder: b } = entry;
  const norm = normOf(b, own);
  const ok = build.and(b, build.isFinite(b, loss), build.isFinite(b, norm));
  const before = gatheredInputs(b, part, range);
  const rows = build.size(b, batchAxis(part.model.declaration.name.span).size.dim);
  const guarded = (input: Value, value: Value): Value => build.select(b, ok, value, input);
  const batches = guarded(before.batches, build.shift(b, before.batches, 1));
  const times = build.expandTo(b, rows, own.type.shape, []);
  const sum = build.add(b, before.gradient, build.mul(b, own, times));
  return finishEntry(entry, {
    name: part.entry,
    outputs: [
      { name: "loss", value: loss },
      { name: "gradient_norm", value: norm },
      { name: "status", value: build.cast(b, ok, "i32") },
      { name: "gathered", value: build.cast(b, batches, "i32") },
    ],
    writes: [
      { input: before.gradient, value: guarded(before.gradient, sum) },
      { input: before.rows, value: guarded(before.rows, build.add(b, before.rows, rows)) },
      { input: before.batches, value: batches },
      ...statesAfter(entry, ok),
    ],
  });
}

/**
 * The update by the mean of what is gathered, after which nothing is. Outputs `gradient_norm` of the mean with its
 * penalties, before clipping, and `status`: 0 where it was not finite, or nothing was gathered, and no weight has changed.
 * `states`: the types of those that the steps change, by path.
 */
export function updateGraph(
  parts: TrainParts,
  part: TrainPart,
  states: ReadonlyMap<string, TensorType>,
): Update & { readonly graph: Graph } {
  const { session, block, region } = parts;
  const entry = beginEntry(session, block.scope, "training", region);
  const { builder: b } = entry;
  enterBlock(entry.frame, block);
  bindNames(entry.frame, block, [part.settings.optimizer]);
  const range = rangeOfPart(parts, part);
  const gathered = gatheredInputs(b, part, range);
  const rows = build.expandTo(b, gathered.rows, gathered.gradient.type.shape, []);
  const mean = build.div(b, gathered.gradient, rows);
  const update = updateOf(parts, part, entry, {
    gradient: withPenalty(entry, mean, part, region, range),
    finite: undefined,
    states: new Map([...states].map(([path, type]) => [path, b.input(path, "state", type)])),
  });
  const empty = [gathered.gradient, gathered.rows, gathered.batches].map((input) => ({
    input,
    value: build.full(b, 0, input.type.shape),
  }));
  const graph = finishEntry(entry, {
    name: updateName(part),
    outputs: [
      { name: "gradient_norm", value: update.norm },
      { name: "status", value: build.cast(b, update.ok, "i32") },
    ],
    writes: [...update.writes, ...empty],
  });
  return { ...update, graph };
}

/** `update`, or `update.NAME` of a step or stage. */
function updateName({ entry }: TrainPart): string {
  return entry.replace(/^train/, "update");
}
