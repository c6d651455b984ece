/**
 * The parameter region: all weights of a model, or of the models that a block trains by turns, as one vector f32[P], sorted
 * by (model, kind, path), kinds in the order kernel, table, other. What is trained by one kind of step is a range of it, and
 * gradients and optimizer states have the layout of that range.
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
  readonly weights: readonly PlacedWeight[];
  readonly size: number;
  /** several models: a path in the region begins with the name of its model */
  readonly shared: boolean;
}

export interface PlacedWeight extends WeightEntry {
  readonly model: string;
}

/** A path as the region and the artifact have it. */
export function pathIn({ shared }: Pick<Region, "shared">, model: string, path: string): string {
  return shared ? `${model}.${path}` : path;
}

function compare(a: RegionWeight, b: RegionWeight): number {
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  if (a.kind !== b.kind) return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

export function regionOf(weights: readonly RegionWeight[], shared = false): Region {
  let size = 0;
  const entries = [...weights].sort(compare).map(({ model, path, kind, shape }): PlacedWeight => {
    const entry: PlacedWeight = { model, path: pathIn({ shared }, model, path), kind, shape, offset: size };
    size += elementCount(shape);
    return entry;
  });
  return { weights: entries, size, shared };
}

/** Weights that one kind of step changes, in the order of the region: those of its model that are not frozen. */
export interface Range {
  readonly weights: readonly PlacedWeight[];
  /** where they lie in the region, from the left; neighbours are one piece */
  readonly pieces: readonly { readonly start: number; readonly size: number }[];
  readonly size: number;
}

export function rangeOf(
  region: Region,
  model: string,
  frozen: (path: string) => boolean = () => false,
): Range {
  const weights = region.weights.filter((weight) => weight.model === model && !frozen(weight.path));
  const pieces: { start: number; size: number }[] = [];
  for (const { offset, shape } of weights) {
    const last = pieces.at(-1);
    const size = elementCount(shape);
    if (last && last.start + last.size === offset) last.size += size;
    else pieces.push({ start: offset, size });
  }
  return { weights, pieces, size: pieces.reduce((sum, { size }) => sum + size, 0) };
}

function piece(builder: GraphBuilder, vector: Value, start: number, size: number): Value {
  return build.slice(builder, vector, 0, dim.constant(start), dim.constant(size));
}

/** The part of a vector of the whole region. */
export function takeRange(builder: GraphBuilder, parameters: Value, region: Region, range: Range): Value {
  if (range.size === region.size) return parameters;
  const parts = range.pieces.map(({ start, size }) => piece(builder, parameters, start, size));
  return parts.length === 1 ? parts[0]! : build.concat(builder, parts, 0);
}

/** The vector of the whole region with a new range. */
export function putRange(
  builder: GraphBuilder,
  parameters: Value,
  region: Region,
  { pieces }: Range,
  value: Value,
): Value {
  const parts: Value[] = [];
  let at = 0;
  let taken = 0;
  const keep = (to: number): void => {
    if (at < to) parts.push(piece(builder, parameters, at, to - at));
    at = to;
  };
  for (const { start, size } of pieces) {
    keep(start);
    parts.push(pieces.length === 1 ? value : piece(builder, value, taken, size));
    taken += size;
    at += size;
  }
  keep(region.size);
  return parts.length === 1 ? parts[0]! : build.concat(builder, parts, 0);
}

/** One weight out of the region. */
export function take(builder: GraphBuilder, parameters: Value, { offset, shape }: WeightEntry): Value {
  const count = dim.constant(elementCount(shape));
  const part = build.slice(builder, parameters, 0, dim.constant(offset), count);
  return build.split(builder, part, 0, shape.map(dim.constant));
}

/** One value a weight, in the order of the region or range, as one vector; zeros where a value is absent. */
export function gather(
  builder: GraphBuilder,
  { weights }: Pick<Range, "weights">,
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

/** Of a vector that lies as the range does: the norm of each weight, at every element of it. */
export function normsOfParts(builder: GraphBuilder, { weights }: Range, vector: Value): Value {
  let start = 0;
  const parts = weights.map(({ shape }) => {
    const size = elementCount(shape);
    const part = piece(builder, vector, start, size);
    start += size;
    const squares = build.reduceSum(builder, build.mul(builder, part, part), [0]);
    return build.expandTo(builder, build.sqrt(builder, squares), [dim.constant(size)], []);
  });
  return build.concat(builder, parts, 0);
}
