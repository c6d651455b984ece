/** One entry under construction: its builder, and weights and states as the conventions of ir/model.ts name them. */
import type { Elaboration, Frame, Phase, StateRequest, StepProgram, WeightRequest } from "../check/frame.ts";
import { blockFrame } from "../check/flow/block.ts";
import type { Stores } from "../check/flow/block.ts";
import type { FileScope } from "../check/names.ts";
import type { Session } from "../check/session.ts";
import { graphType } from "../check/type.ts";
import { freeDimsOf, graphBuilder } from "../ir/builder.ts";
import { neededNodes } from "../ir/reach.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph, GraphInput, Value } from "../ir/graph.ts";
import { noPromises } from "./free-dims.ts";
import type { ModelDims } from "./free-dims.ts";
import { pathIn, take } from "./region.ts";
import type { Region } from "./region.ts";

export const parametersName = "parameters";

export interface Entry {
  readonly builder: GraphBuilder;
  readonly frame: Frame;
  /** the region as the entry reads it; made when first asked for */
  parameters(): Value;
  /** value of each weight that was asked for, by path */
  readonly weights: ReadonlyMap<string, Value>;
  /** inputs of the states that were asked for, by path */
  readonly states: ReadonlyMap<string, Value>;
  /** what states become, by path */
  readonly updates: ReadonlyMap<string, Value>;
}

/** `salt` sets its random numbers apart from those of other entries; `once` makes them follow from the seed alone. `step`: makes a step program of it, where it is one. */
export function beginEntry(
  session: Session,
  scope: FileScope,
  phase: Phase,
  region: Region,
  options: {
    readonly salt?: string | undefined;
    readonly once?: true;
    readonly phaseAt?: Elaboration["phaseAt"];
    readonly step?: (builder: GraphBuilder) => StepProgram;
  } = {},
): Entry {
  const builder = graphBuilder();
  const places = new Map(region.weights.map((weight) => [weight.path, weight]));
  const weights = new Map<string, Value>();
  const states = new Map<string, Value>();
  const updates = new Map<string, Value>();
  let parameters: Value | undefined;
  const regionInput = (): Value =>
    (parameters ??= builder.input(parametersName, "weight", {
      dtype: "f32",
      shape: [dim.constant(region.size)],
    }));
  const pathOf = ({ model, path }: WeightRequest | StateRequest): string => pathIn(region, model, path);
  const stores: Stores = {
    step: options.step?.(builder),
    weights: {
      get(request) {
        const place = places.get(pathOf(request));
        if (place === undefined) return undefined;
        const value = take(builder, regionInput(), place);
        weights.set(place.path, value);
        return value;
      },
    },
    states: {
      get(request) {
        const value = builder.input(pathOf(request), "state", graphType(request.type));
        states.set(pathOf(request), value);
        return value;
      },
      set: (request, value) => void updates.set(pathOf(request), value),
    },
  };
  const frame = blockFrame(session, scope, phase, builder, stores, {
    salt: options.salt,
    phaseAt: options.phaseAt,
    once: options.once,
  });
  return { builder, frame, parameters: regionInput, weights, states, updates };
}

export interface EntryParts {
  readonly name: string;
  readonly outputs: Graph["outputs"];
  readonly writes: Graph["writes"];
  /** inputs that stay although nothing reads them */
  readonly keep?: (input: GraphInput) => boolean;
  /** what the program says of free dims */
  readonly sizes?: ModelDims;
}

/** The graph without what nothing needs. Its free dims are those of its inputs in their order, then those of what it draws. */
export function finishEntry(
  { builder }: Entry,
  { name, outputs, writes, keep, sizes = noPromises }: EntryParts,
): Graph {
  const wanted = [
    ...outputs.map((output) => output.value),
    ...writes.flatMap(({ input, value }) => [input, value]),
  ];
  const nodes = neededNodes(builder.nodes, wanted);
  const used = new Set<Value>([...wanted, ...nodes.flatMap((node) => node.operands)]);
  const inputs = builder.inputs.filter(
    (input) => used.has(input) || (!isNode(input.source) && keep?.(input.source) === true),
  );
  const dims = freeDimsOf(inputs, nodes).map(({ name: each }) => sizes.dim(each));
  return { name, dims, inputs, nodes, outputs, writes };
}

/** All weights and states that elaborating something asks for, by their paths. */
export interface Requests {
  readonly weights: ReadonlyMap<string, WeightRequest>;
  readonly states: ReadonlyMap<string, StateRequest>;
}

/** Runs `elaborate` once for each phase, only to see what it asks for. */
export function collectRequests(
  session: Session,
  scope: FileScope,
  phases: readonly Phase[],
  shared: boolean,
  elaborate: (frame: Frame) => void,
): Requests {
  const pathOf = ({ model, path }: WeightRequest | StateRequest): string => pathIn({ shared }, model, path);
  const weights = new Map<string, WeightRequest>();
  const states = new Map<string, StateRequest>();
  for (const phase of phases) {
    const builder = graphBuilder();
    elaborate(
      blockFrame(session, scope, phase, builder, {
        weights: {
          get(request) {
            weights.set(pathOf(request), request);
            return builder.input(request.path, "weight", graphType(request.type));
          },
        },
        states: {
          get(request) {
            states.set(pathOf(request), request);
            return builder.input(request.path, "state", graphType(request.type));
          },
          set: () => {},
        },
      }),
    );
  }
  return { weights, states };
}
