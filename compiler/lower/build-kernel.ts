/** One stored value as a kernel: its element composed over the loops of its axes. */
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Origin, Value } from "../ir/graph.ts";
import type { Stage } from "../ir/kernel.ts";
import * as scalar from "../ir/scalar.ts";
import type { Affine, Index, LoopAxis, Scalar } from "../ir/scalar.ts";
import { elementOf, indexOver, loadAt, makeComputed, producerOf } from "./compose.ts";
import type { Location, Loops } from "./compose.ts";
import { makeDigits } from "./digits.ts";
import { axesIn, makeInterner, rewriter } from "./scalar-walk.ts";
import type { Names } from "./scalar-walk.ts";

/** A kernel whose grid is all axes of what it stores; stages are reductions and stores, in order. */
export interface RawKernel {
  readonly grid: readonly LoopAxis[];
  readonly stages: readonly Stage[];
  /** what it stores */
  readonly values: readonly Value[];
  /** ops fused into it, for its name */
  readonly ops: readonly string[];
  readonly origins: readonly Origin[];
}

/**
 * `value` at every index, stored at `into`. `locate` says where other values lie; `copy`: value itself lies somewhere
 * and is loaded.
 */
export function buildKernel(
  value: Value,
  into: Location,
  locate: (value: Value) => Location | undefined,
  copy: boolean,
  names: Names,
): RawKernel {
  const loops: Loops = { names, digits: makeDigits(names), computed: makeComputed() };
  const stages: Stage[] = [];
  const ops: string[] = [];
  const origins = new Set<Origin>();
  const known = new Map<Value, Map<string, Scalar>>();

  const element = (v: Value, index: readonly Affine[]): Scalar => {
    const location = v === value && !copy ? undefined : locate(v);
    if (location) return loadAt(location, v, index, loops);
    let list = known.get(v);
    if (list === undefined) known.set(v, (list = new Map()));
    const key = names.affines(index);
    const old = list.get(key);
    if (old) return old;
    const node = producerOf(v);
    const code = elementOf(node, v.result, index, loops, { element, stage });
    if (list.size === 0) {
      ops.push(node.op.name);
      origins.add(node.origin);
    }
    list.set(key, code);
    return code;
  };
  const stage = (combine: Stage["combine"], over: readonly LoopAxis[], code: Scalar): Scalar => {
    const made: Stage = { axes: [], over, combine, value: code, place: { kind: "register" } };
    stages.push(made);
    const type = combine === "argmax" || combine === "argmin" ? "i32" : code.type;
    return { kind: "result", type, stage: made, index: [] };
  };

  const { axes, index } = indexOver(value.type.shape, (k) => `x${k}`);
  const code = element(value, index);
  if (copy && isNode(value.source)) origins.add(value.source.origin);
  const at = into.place ? into.place(index) : index;
  stages.push({
    axes: [],
    over: [],
    combine: undefined,
    value: code,
    place: { kind: "store", buffer: into.buffer, shape: into.shape, index: at },
  });
  return {
    ...settle(axes, stages, loops),
    values: [value],
    ops: copy ? ["copy"] : ops,
    origins: [...origins],
  };
}

/** Replaces digits and computed positions by what they stand for, and splits loops where digits ask for it. */
function settle(
  grid: readonly LoopAxis[],
  stages: readonly Stage[],
  { names, digits, computed }: Loops,
): Pick<RawKernel, "grid" | "stages"> {
  for (const stage of stages) digits.resolve(axesIn(stage.value));
  for (const value of computed.known.values()) digits.resolve(axesIn(value));
  const interner = makeInterner(names);
  const isComputed = (a: Affine): boolean => a.terms.some((t) => computed.known.has(t.axis));

  /** a size as code */
  const sizeCode = (size: dim.Dim): Scalar => {
    const number = dim.constantOf(size);
    return number === undefined ? { kind: "size", type: "i32", size } : scalar.i32(number);
  };
  const clamped = (axis: LoopAxis): Scalar =>
    scalar.apply(
      "min_i32",
      scalar.apply("max_i32", rewrite(real(computed.known.get(axis)!)), scalar.i32(0)),
      sizeCode(dim.subtract(axis.size, dim.one)),
    );
  /** an index with computed positions in it, as code */
  const indexCode = (a: Affine): Scalar => {
    const plain: Affine = { constant: a.constant, terms: a.terms.filter((t) => !computed.known.has(t.axis)) };
    let code: Scalar = { kind: "index", type: "i32", index: plain };
    for (const { axis, coefficient } of a.terms)
      if (computed.known.has(axis))
        code = scalar.apply("add_i32", code, scalar.apply("mul_i32", clamped(axis), sizeCode(coefficient)));
    return rewrite(code);
  };

  const real = rewriter(interner, { affine: digits.real });
  const rewrite = rewriter(interner, {
    node(s) {
      if (s.kind === "index" && isComputed(s.index)) return indexCode(s.index);
      if (s.kind === "load")
        return {
          ...s,
          index: s.index.map((i): Index =>
            i.kind === "affine" && isComputed(i.affine)
              ? { kind: "computed", value: indexCode(i.affine) }
              : i,
          ),
        };
      if (s.kind === "inside" && s.index.some(isComputed)) {
        const plain = s.index.flatMap((a, k) => (isComputed(a) ? [] : [k]));
        let code: Scalar = {
          ...s,
          index: plain.map((k) => s.index[k]!),
          shape: plain.map((k) => s.shape[k]!),
        };
        s.index.forEach((a, k) => {
          if (!isComputed(a)) return;
          const position = indexCode(a);
          code = scalar.apply("and", code, scalar.apply("le_i32", scalar.i32(0), position));
          code = scalar.apply("and", code, scalar.apply("lt_i32", position, sizeCode(s.shape[k]!)));
        });
        return code;
      }
      return s;
    },
  });

  const loopsOf = (axes: readonly LoopAxis[]): LoopAxis[] => axes.flatMap((axis) => digits.loops(axis));
  const settled = rewriteStages(
    stages,
    (s) => rewrite(real(s)),
    (a) => digits.real(a),
    loopsOf,
    (node) => rewriter(interner, { node }),
  );
  return { grid: loopsOf(grid), stages: settled };
}

/** Stages with new code; results refer to the new stages. */
export function rewriteStages(
  stages: readonly Stage[],
  code: (s: Scalar) => Scalar,
  affine: (a: Affine) => Affine,
  loops: (axes: readonly LoopAxis[]) => readonly LoopAxis[],
  withNode: (node: (s: Scalar) => Scalar) => (s: Scalar) => Scalar,
): Stage[] {
  const renewed = new Map<Stage, Stage>();
  const relink = withNode((s) =>
    s.kind === "result" && renewed.has(s.stage) ? { ...s, stage: renewed.get(s.stage)! } : s,
  );
  return stages.map((stage) => {
    const { place } = stage;
    const next: Stage = {
      axes: loops(stage.axes),
      over: loops(stage.over),
      combine: stage.combine,
      // a rewriter remembers what it made, so results are linked in a second step, stage by stage
      value: relink(code(stage.value)),
      place: place.kind === "store" ? { ...place, index: place.index.map(affine) } : place,
    };
    renewed.set(stage, next);
    return next;
  });
}
