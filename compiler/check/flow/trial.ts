/** An elaboration of a `train` block that is only checked: every weight and state is an input of its own. */
import type { Span } from "../../../grammar/source.ts";
import { graphBuilder } from "../../ir/builder.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import type { Elaboration, Frame, StateRequest, WeightRequest } from "../frame.ts";
import { requestKey } from "../instance.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { graphType } from "../type.ts";
import type { CheckValue } from "../values.ts";
import { blockFrame } from "./block.ts";
import type { Stores } from "./block.ts";

/** Weights and states by model and path, and what was done with them. */
export interface Trial {
  readonly builder: GraphBuilder;
  readonly frame: Frame;
  readonly weights: Map<string, { readonly request: WeightRequest; readonly value: Value }>;
  readonly states: Map<string, StateRequest>;
  readonly updates: { readonly request: StateRequest; readonly span: Span; readonly from: CheckValue }[];
}

export function trial(
  session: Session,
  scope: FileScope,
  phase: Frame["phase"],
  phaseAt?: Elaboration["phaseAt"],
): Trial {
  const builder = graphBuilder();
  const weights: Trial["weights"] = new Map();
  const states: Trial["states"] = new Map();
  const updates: Trial["updates"] = [];
  const stores: Stores = {
    weights: {
      get(request) {
        const value = builder.input(request.path, "weight", graphType(request.type));
        weights.set(requestKey(request.model, request.path), { request, value });
        return value;
      },
    },
    states: {
      get(request) {
        states.set(requestKey(request.model, request.path), request);
        return builder.input(request.path, "state", graphType(request.type));
      },
      set: (request, _value, span, from) => updates.push({ request, span, from }),
    },
  };
  const frame = blockFrame(session, scope, phase, builder, stores, { phaseAt });
  return { builder, frame, weights, states, updates };
}
