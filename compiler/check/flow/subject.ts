/** What a `check` block is about, elaborated by itself: its tensors, weights and states are inputs of one graph. */
import { graphBuilder } from "../../ir/builder.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import * as dim from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { elaborate } from "../elaborate.ts";
import type { Phase } from "../frame.ts";
import type { Session } from "../session.ts";
import { graphType } from "../type.ts";
import type { CheckType } from "../type.ts";
import type { CallableValue, CheckValue } from "../values.ts";

export interface Subject {
  readonly builder: GraphBuilder;
  readonly result: CheckValue;
  /** what states become, by path */
  readonly updates: ReadonlyMap<string, Value>;
}

export function elaborateSubject(
  session: Session,
  { declaration, scope }: CallableValue,
  phase: Phase,
): Subject {
  const builder = graphBuilder();
  const known = new Map<string, Value>();
  const updates = new Map<string, Value>();
  const once =
    (role: "weight" | "state") =>
    ({ path, type }: { readonly path: string; readonly type: CheckType }): Value => {
      const value = known.get(path) ?? builder.input(path, role, graphType(type));
      known.set(path, value);
      return value;
    };
  const { result } = elaborate(session, scope, declaration, {
    phase,
    builder,
    alone: true,
    weights: { get: once("weight") },
    states: { get: once("state"), set: ({ path }, value) => void updates.set(path, value) },
  });
  return { builder, result, updates };
}

/** Why a declaration does not run by itself. */
export type Missing =
  | { readonly kind: "result" }
  /** parameters without a default that are more than sizes of what it reads */
  | { readonly kind: "parameters"; readonly names: readonly string[] };

export function missingToRun(session: Session, callable: CallableValue): Missing | undefined {
  const { builder, result } = elaborateSubject(session, callable, "training");
  const sizes = new Set<string>();
  for (const input of builder.inputs) for (const size of input.type.shape) dim.symbolsOf(size, sizes);
  const { configuration } = callable.declaration;
  const names = configuration.filter((p) => !p.default && !sizes.has(p.name.text)).map((p) => p.name.text);
  if (names.length > 0) return { kind: "parameters", names };
  const parts = result.kind === "record" ? [...result.fields.values()] : [result];
  const whole = parts.length > 0 && parts.every((part) => part.kind === "tensor" && part.value !== undefined);
  return whole ? undefined : { kind: "result" };
}
