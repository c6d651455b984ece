/** All entry graphs of a model and its training block: what the checker hands on to the passes. */
import { runForward } from "../check/flow/train.ts";
import type { CheckedTrain } from "../check/flow/check-train.ts";
import type { DataPlan, GeneratePlan } from "../check/flow/plans.ts";
import type { StateRequest } from "../check/frame.ts";
import type { FileScope } from "../check/names.ts";
import type { Session } from "../check/session.ts";
import type { CallableValue } from "../check/values.ts";
import { shapeOf } from "../check/type.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Graph } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { EntryGraph, ModelGraphs, StateEntry } from "../ir/model.ts";
import { collectRequests } from "./entry.ts";
import { tensorFacts } from "./tensor-facts.ts";
import { boundsOf, defaultSizes } from "./free-dims.ts";
import { fitGraph, inferGraph, initGraph, initialTensor, runAlone } from "./infer.ts";
import { regionOf } from "./region.ts";
import { rowsIndependent } from "./rows.ts";
import { stepGraph } from "./step.ts";
import { gradGraph, measureGraph, trainGraph } from "./train.ts";

export type EntryName = "init" | "fit" | "infer" | "measure" | "train" | "grad" | "step";

export interface GraphRequest {
  readonly session: Session;
  /** the file of the model */
  readonly scope: FileScope;
  readonly model: CallableValue;
  /** for measure, train and grad */
  readonly train: CheckedTrain | undefined;
  readonly data: readonly DataPlan[];
  /** for step */
  readonly generate?: GeneratePlan | undefined;
  readonly entries: readonly EntryName[];
}

/**
 * The program must have no errors, and every size but free dims must be known: `unknownSizes` names those that data
 * has yet to pin. Entries that the program does not have are left out.
 */
export function modelGraphs(request: GraphRequest): ModelGraphs {
  const { session, scope, model, train, data, generate, entries } = request;
  const requests = collectRequests(
    session,
    scope,
    ["inference", "training", "fitting"],
    (frame) => void (train ? runForward(frame, train.block) : runAlone(frame, model)),
  );
  const region = regionOf(
    [...requests.weights.values()].map(({ model: owner, path, kind, type }) => ({
      model: owner,
      path,
      kind,
      shape: sizes(path, shapeOf(type)),
    })),
  );
  const bounds = boundsOf(session, model);
  const parts = { session, scope, model, region, bounds };
  const training = train && { session, block: train.block, plan: train.plan, region };
  let optimizer: readonly StateEntry[] = [];
  let rate: Graph | undefined;
  const makers: Readonly<Record<EntryName, () => Graph | undefined>> = {
    init: () => initGraph(region, requests.weights, requests.states),
    fit: () => fitGraph(parts, requests.states),
    infer: () => inferGraph(parts),
    measure: () => training && measureGraph(training),
    train: () => {
      if (!training) return undefined;
      const made = trainGraph(training);
      ({ optimizer, rate } = made);
      return made.graph;
    },
    grad: () => training && gradGraph(training),
    step: () => generate && stepGraph(parts, generate),
  };
  const graphs = entries.flatMap((name) => makers[name]() ?? []);
  return {
    name: model.declaration.name.text,
    weights: region.weights,
    states: [...requests.states.values()].map(stateEntry),
    optimizer,
    rate,
    entries: graphs.map((graph): EntryGraph => {
      const [first] = graph.dims;
      const rows = first !== undefined && rowsIndependent(graph, first.name);
      return {
        graph,
        rows,
        tensors: tensorFacts(graph, model, data, train?.plan),
        defaults: defaultSizes(graph, rows, train?.plan),
      };
    }),
  };
}

function sizes(path: string, shape: readonly Dim[]): number[] {
  return shape.map((size) => {
    const known = dim.constantOf(size);
    if (known === undefined)
      throw new InternalError("entries", `the size ${dim.show(size)} of ${path} is not known`, undefined);
    return known;
  });
}

function stateEntry(request: StateRequest): StateEntry {
  return {
    path: request.path,
    shape: sizes(request.path, shapeOf(request.type)),
    initial: initialTensor(request),
  };
}

/** Names of sizes of weights that only the data can tell; empty where graphs can be built. */
export function unknownSizes({
  session,
  scope,
  model,
  train,
}: Omit<GraphRequest, "data" | "entries">): readonly string[] {
  const { weights } = collectRequests(
    session,
    scope,
    ["inference"],
    (frame) => void (train ? runForward(frame, train.block) : runAlone(frame, model)),
  );
  const names = new Set<string>();
  for (const { type } of weights.values()) for (const size of shapeOf(type)) dim.symbolsOf(size, names);
  return [...names];
}
