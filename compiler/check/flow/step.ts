/** A step program under construction: what it keeps from call to call, and how far that reaches. */
import type { Span } from "../../../grammar/source.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Node, Value } from "../../ir/graph.ts";
import type { StepProgram } from "../frame.ts";
import { control } from "./block.ts";

/** The scalar that counts the positions before a step. */
export const offsetName = "offset";

/** A value that goes from step to step. */
export interface Kept {
  readonly input: Value;
  readonly next: Value;
}

export interface StepBuild extends StepProgram {
  readonly kept: readonly Kept[];
  /** sizes that positions must stay below, and where the text says so */
  readonly limits: readonly { readonly most: Dim; readonly span: Span }[];
}

/**
 * `axis` is the size of the new positions. `soFar` is that of the axes of `cache`: room for all positions that there will
 * ever be, since what lies behind the last one is masked.
 */
export function stepBuild(builder: GraphBuilder, axis: Dim, soFar: Dim): StepBuild {
  const kept: Kept[] = [];
  let count = 0;
  const limits: { most: Dim; span: Span }[] = [];
  const begin: StepProgram["begin"] = (path, type) => {
    const old = builder.input(`${path}kept${count++}`, "state", type);
    return { old, end: (next) => void kept.push({ input: old, next }) };
  };
  return {
    axis,
    soFar,
    kept,
    limits,
    causal: new Set<Value>(),
    spans: new Map<Node, Span>(),
    offset: () => control(builder, offsetName, "i32"),
    limit: (most, span) => void limits.push({ most, span }),
    keep(path, type, next) {
      const { old, end } = begin(path, type);
      const value = next(old);
      end(value);
      return value;
    },
    begin,
  };
}
