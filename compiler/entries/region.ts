/**
 * The parameter region: all weights of a model as one vector f32[P], sorted by (model, kind, path), kinds in the order
 * kernel, table, other. Gradients and optimizer states have the same layout.
 */
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { WeightEntry } from "../ir/model.ts";
import { elementCount } from "../ir/tensor.ts";
import * as build from "../ops/build.ts";

const kinds = ["kernel", "table", "other"] as const;

/** A weight before it has its place. */
export interface RegionWeight {
  readonly model: string;
  readonly path: string;
  readonly kind: WeightEntry["kind"];
  readonly shape: readonly number[];
}

export interface Region {
  readonly weights: readonly WeightEntry[];
  readonly size: number;
}

function compare(a: RegionWeight, b: RegionWeight): number {
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  if (a.kind !== b.kind) return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

export function regionOf(weights: readonly RegionWeight[]): Region {
  let size = 0;
  const entries = [...weights].sort(compare).map(({ path, kind, shape }): WeightEntry => {
    const entry: WeightEntry = { path, kind, shape, offset: size };
    size += elementCount(shape);
    return entry;
  });
  return { weights: entries, size };
}

/** One weight out of the region. */
export function take(builder: GraphBuilder, parameters: Value, { offset, shape }: WeightEntry): Value {
  const count = dim.constant(elementCount(shape));
  const part = build.slice(builder, parameters, 0, dim.constant(offset), count);
  return build.split(builder, part, 0, shape.map(dim.constant));
}

/** One value a weight, in the order of the region, as one vector; zeros where a value is absent. */
export function gather(
  builder: GraphBuilder,
  { weights }: Region,
  values: readonly (Value | undefined)[],
): Value {
  const parts = weights.map(({ shape }, i) => {
    const value = values[i];
    return value === undefined
      ? build.full(builder, 0, [dim.constant(elementCount(shape))])
      : build.merge(builder, value, 0, shape.length);
  });
  return build.concat(builder, parts, 0);
}

/** Of a vector that lies as the region does: the norm of each weight, at every element of it. */
export function normsOfParts(builder: GraphBuilder, { weights }: Region, vector: Value): Value {
  const parts = weights.map(({ offset, shape }) => {
    const count = dim.constant(elementCount(shape));
    const part = build.slice(builder, vector, 0, dim.constant(offset), count);
    const squares = build.reduceSum(builder, build.mul(builder, part, part), [0]);
    return build.expandTo(builder, build.sqrt(builder, squares), [count], []);
  });
  return build.concat(builder, parts, 0);
}
