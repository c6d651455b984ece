/** How scalar code touches memory: flat offsets as sums over loop axes, and which loops may be run as one. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Stage } from "../ir/kernel.ts";
import type { Affine, Index, LoopAxis, Scalar } from "../ir/scalar.ts";
import { partsOf } from "./computed-index.ts";

/** Element offset: constant + sum of coefficient * axis + sum of stride * computed position. */
export interface Flat {
  readonly constant: Dim;
  readonly coefficients: ReadonlyMap<LoopAxis, Dim>;
  readonly computed: readonly Computed[];
}

export interface Computed {
  readonly value: Scalar;
  /** the value is clamped to [0, size); undefined: it needs no clamp */
  readonly size: Dim | undefined;
  readonly stride: Dim;
}

export function flatten(index: readonly (Affine | Index)[], shape: readonly Dim[]): Flat {
  const strides = dim.strides(shape);
  let constant = dim.zero;
  const coefficients = new Map<LoopAxis, Dim>();
  const computed: Computed[] = [];
  const addAffine = (affine: Affine, stride: Dim): void => {
    constant = dim.add(constant, dim.multiply(affine.constant, stride));
    for (const { axis, coefficient } of affine.terms) {
      const sum = dim.add(coefficients.get(axis) ?? dim.zero, dim.multiply(coefficient, stride));
      if (dim.equal(sum, dim.zero)) coefficients.delete(axis);
      else coefficients.set(axis, sum);
    }
  };
  index.forEach((each, i) => {
    const stride = strides[i]!;
    if ("terms" in each) addAffine(each, stride);
    else if (each.kind === "affine") addAffine(each.affine, stride);
    else {
      const parts = partsOf(each.value, shape[i]!);
      if (parts === undefined) {
        computed.push({ value: each.value, size: shape[i]!, stride });
        return;
      }
      addAffine(parts.affine, stride);
      for (const { value, factor } of parts.rest)
        computed.push({ value, size: undefined, stride: dim.multiply(stride, dim.constant(factor)) });
    }
  });
  return { constant, coefficients, computed };
}

/** A condition 0 <= index < size of a guarded load. */
export interface Guard {
  readonly index: Affine;
  readonly size: Dim;
}

/** What one DAG of scalar code reads, each node once. */
export interface Reads {
  readonly loads: readonly { readonly node: Extract<Scalar, { kind: "load" }>; readonly flat: Flat }[];
  readonly results: readonly Extract<Scalar, { kind: "result" }>[];
  readonly guards: readonly Guard[];
  /** affine forms used as numbers or in conditions: their loops cannot be merged with others */
  readonly fixed: readonly Affine[];
  readonly nodes: number;
  readonly transcendentals: number;
}

const cheap =
  /^(add|sub|mul|div|neg|abs|max|min|floor|sqrt|eq|ne|lt|le|select|and|or|not|shift|is_|i32_|f32_|bool_|rsqrt|recip)/;

export function readsOf(roots: readonly Scalar[]): Reads {
  const loads: { node: Extract<Scalar, { kind: "load" }>; flat: Flat }[] = [];
  const results: Extract<Scalar, { kind: "result" }>[] = [];
  const guards: Guard[] = [];
  const fixed: Affine[] = [];
  const seen = new Set<Scalar>();
  let transcendentals = 0;
  const visit = (node: Scalar): void => {
    if (seen.has(node)) return;
    seen.add(node);
    switch (node.kind) {
      case "index":
        fixed.push(node.index);
        break;
      case "inside":
        fixed.push(...node.index);
        break;
      case "load":
        for (const axis of node.guarded) {
          const index = node.index[axis]!;
          if (index.kind !== "affine") continue;
          guards.push({ index: index.affine, size: node.shape[axis]! });
          fixed.push(index.affine);
        }
        loads.push({ node, flat: flatten(node.index, node.shape) });
        for (const { value } of loads.at(-1)!.flat.computed) visit(value);
        break;
      case "result":
        results.push(node);
        break;
      case "apply":
        if (!cheap.test(node.instruction)) transcendentals++;
        node.operands.forEach(visit);
        break;
      case "constant":
      case "size":
        break;
    }
  };
  roots.forEach(visit);
  return { loads, results, guards, fixed, nodes: seen.size, transcendentals };
}

/** A loop that is run: `axis` counts to `size`; the axes merged into it stand at 0 meanwhile. */
export interface Loop {
  readonly axis: LoopAxis;
  readonly size: Dim;
  readonly merged: readonly LoopAxis[];
}

export function loopOf(axis: LoopAxis): Loop {
  return { axis, size: axis.size, merged: [] };
}

/**
 * Merges neighbours of a loop nest wherever every access sees one longer loop: the offset of the outer axis is that of
 * the inner times the inner's size. The merged outer axis is then bound to 0 and the inner one runs over both.
 * Loops of size 1 are merged into their neighbour always.
 */
export function mergeLoops(
  axes: readonly LoopAxis[],
  flats: readonly Flat[],
  fixed: readonly Affine[],
): Loop[] {
  const isFixed = (axis: LoopAxis): boolean => fixed.some((a) => a.terms.some((t) => t.axis === axis));
  const loops: Loop[] = [];
  for (const axis of axes) {
    const outer = loops.at(-1);
    const single = dim.equal(axis.size, dim.one);
    if (outer !== undefined && single) {
      loops[loops.length - 1] = { ...outer, merged: [...outer.merged, axis] };
      continue;
    }
    if (outer !== undefined && dim.equal(outer.size, dim.one)) {
      loops[loops.length - 1] = {
        axis,
        size: axis.size,
        merged: [...outer.merged, outer.axis],
      };
      continue;
    }
    const joins =
      outer !== undefined &&
      !isFixed(axis) &&
      !isFixed(outer.axis) &&
      flats.every((flat) =>
        dim.equal(
          flat.coefficients.get(outer.axis) ?? dim.zero,
          dim.multiply(flat.coefficients.get(axis) ?? dim.zero, axis.size),
        ),
      );
    if (joins)
      loops[loops.length - 1] = {
        axis,
        size: dim.multiply(outer.size, axis.size),
        merged: [...outer.merged, outer.axis],
      };
    else loops.push(loopOf(axis));
  }
  return loops;
}

/** Offsets of everything a stage reads and stores. */
export function flatsOf(reads: Reads, stages: readonly Stage[]): Flat[] {
  return [
    ...reads.loads.map((l) => l.flat),
    ...reads.results.flatMap((r) =>
      r.stage.place.kind === "tile"
        ? [
            flatten(
              r.index,
              r.stage.axes.map((a) => a.size),
            ),
          ]
        : [],
    ),
    ...stages.flatMap((s) => (s.place.kind === "store" ? [flatten(s.place.index, s.place.shape)] : [])),
  ];
}
