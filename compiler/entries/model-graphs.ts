/** All entry graphs of a model and its training block, or of all models of one: what the checker hands on to the passes. */
import { losingParts, runForward } from "../check/flow/train.ts";
import type { CheckedTrain } from "../check/flow/check-train.ts";
import type { DataPlan, DeployPlan } from "../check/flow/plans.ts";
import { runAlone } from "../check/flow/run-alone.ts";
import type { Frame, StateRequest } from "../check/frame.ts";
import type { FileScope } from "../check/names.ts";
import type { Session } from "../check/session.ts";
import type { CallableValue } from "../check/values.ts";
import { shapeOf } from "../check/type.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Graph } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { EntryGraph, Generate, ModelGraphs, StateEntry } from "../ir/model.ts";
import { collectRequests } from "./entry.ts";
import { tensorFacts } from "./tensor-facts.ts";
import { defaultSizes, modelDims } from "./free-dims.ts";
import { fitGraph, inferGraph, initGraph, initialTensor } from "./infer.ts";
import { regionOf } from "./region.ts";
import { rowsIndependent } from "./rows.ts";
import { stepGraph } from "./step.ts";
import { gradGraph, measureGraph, sampleGraph, trainEntries } from "./train.ts";

export type EntryName = "init" | "fit" | "infer" | "measure" | "train" | "grad" | "sample" | "step";

export interface GraphRequest {
  readonly session: Session;
  /** the file of the model */
  readonly scope: FileScope;
  /** undefined: all models of a block that trains several by turns */
  readonly model: CallableValue | undefined;
  /** for measure, train and grad */
  readonly train: CheckedTrain | undefined;
  readonly data: readonly DataPlan[];
  /** for step */
  readonly generate?: Generate | undefined;
  /** for infer, in the place of the model's own */
  readonly inputs?: DeployPlan["inputs"] | undefined;
  readonly outputs?: DeployPlan["outputs"] | undefined;
  readonly entries: readonly EntryName[];
}

/**
 * The program must have no errors, and every size but free dims must be known: `unknownSizes` names those that data
 * has yet to pin. Entries that the program does not have are left out.
 */
export function modelGraphs(request: GraphRequest): ModelGraphs {
  const { session, scope, model, train, data, generate, entries } = request;
  const shared = model === undefined;
  const requests = collectRequests(
    session,
    scope,
    ["inference", "training", "fitting"],
    shared,
    elaborator(request),
  );
  const region = regionOf(
    [...requests.weights.values()].map(({ model: owner, path, kind, type }) => ({
      model: owner,
      path,
      kind,
      shape: sizes(path, shapeOf(type)),
    })),
    shared,
  );
  const training = train && { session, block: train.block, region };
  const alone = model && {
    session,
    scope,
    model,
    region,
    sizes: modelDims(session, model),
    inputs: request.inputs ?? [],
    outputs: request.outputs ?? [],
  };
  const optimizer: StateEntry[] = [];
  const rates = new Map<string, Graph>();
  const updates = new Map<string, NonNullable<EntryGraph["update"]>>();
  const makers: Readonly<Record<EntryName, () => readonly (Graph | undefined)[]>> = {
    init: () => [initGraph(region, requests.weights, requests.states)],
    fit: () => [fitGraph({ session, scope, region }, requests.states, elaborator(request))],
    infer: () => [alone && inferGraph(alone)],
    measure: () => [training && measureGraph(training)],
    train: () =>
      (training?.block.parts ?? []).flatMap((part) => {
        const made = trainEntries(training!, part);
        optimizer.push(...made.optimizer);
        if (made.rate) rates.set(part.entry, made.rate);
        if (made.update) updates.set(part.entry, made.update);
        return made.graphs;
      }),
    sample: () => [training && sampleGraph(training)],
    step: () => [alone && generate && stepGraph(alone, generate)],
    grad: () => (training ? losingParts(training.block) : []).map((part) => gradGraph(training!, part)),
  };
  const graphs = entries.flatMap((name) => makers[name]().flatMap((graph) => graph ?? []));
  return {
    name: model?.declaration.name.text ?? train?.plan.name ?? "",
    weights: region.weights,
    states: [...requests.states].map(([path, state]) => stateEntry(path, state)),
    optimizer,
    rates,
    generate: graphs.some(({ name }) => name === "step") ? generate : undefined,
    entries: graphs.map((graph): EntryGraph => {
      const [first] = graph.dims;
      const rows = first !== undefined && rowsIndependent(graph, first.name);
      const promises = graph.name === "infer" && alone ? alone.sizes.promises(graph.dims) : [];
      return {
        graph,
        rows,
        promises,
        tensors: tensorFacts(graph, model, data, train?.plan),
        defaults: defaultSizes(graph, rows, train?.plan, promises),
        update: updates.get(graph.name),
      };
    }),
  };
}

/** Runs what the entries are made of: the block's models and losses, or the model by itself. */
function elaborator({ model, train }: Pick<GraphRequest, "model" | "train">): (frame: Frame) => void {
  return (frame) => {
    if (train) runForward(frame, train.block);
    else if (model) runAlone(frame, model);
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

function stateEntry(path: string, request: StateRequest): StateEntry {
  return {
    path,
    shape: sizes(path, shapeOf(request.type)),
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
  const shared = model === undefined;
  const { weights } = collectRequests(session, scope, ["inference"], shared, elaborator({ model, train }));
  const names = new Set<string>();
  for (const { type } of weights.values()) for (const size of shapeOf(type)) dim.symbolsOf(size, names);
  return [...names];
}
