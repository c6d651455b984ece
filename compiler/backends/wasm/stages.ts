/** The stages of one iteration, in order; neighbouring maps over the same axes are one loop. */
import * as dim from "../../ir/dim.ts";
import { buffersStored } from "../../ir/kernel.ts";
import type { Stage } from "../../ir/kernel.ts";
import type { Buffer } from "../../ir/kernel.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { flatten, flatsOf, mergeLoops, readsOf } from "../access.ts";
import type { Flat, Loop } from "../access.ts";
import { prefersVector } from "./choices.ts";
import type { Expr } from "./code.ts";
import { dependenciesOf, flatOf } from "../dependencies.ts";
import type { Emitter } from "./emitter.ts";
import { runNest, vectorLoop } from "./nest.ts";
import type { Emitters } from "./nest.ts";
import { acrossLoop, reduceStage } from "./reductions.ts";

const isMap = (stage: Stage): boolean => stage.combine === undefined;

/** Stages that are run position by position together: all values are computed before any is stored. */
function groupsOf(stages: readonly Stage[]): Stage[][] {
  const groups: Stage[][] = [];
  for (const stage of stages) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const joins =
      group !== undefined &&
      last !== undefined &&
      isMap(stage) &&
      isMap(last) &&
      stage.axes.length === last.axes.length &&
      stage.axes.every((axis, i) => axis === last.axes[i]) &&
      !readsTileOf(stage.value, group);
    if (joins) group.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

function readsTileOf(value: Scalar, group: readonly Stage[]): boolean {
  const { stages } = dependenciesOf(value);
  return group.some((stage) => stage.place.kind !== "register" && stages.has(stage));
}

/** Where a stage puts its value, as an offset into a buffer; undefined for a register. */
function targetOf(stage: Stage): { readonly buffer: Buffer; readonly flat: Flat } | undefined {
  const { place } = stage;
  if (place.kind === "register") return undefined;
  if (place.kind === "store") return { buffer: place.buffer, flat: flatten(place.index, place.shape) };
  const index = stage.axes.map((axis) => ({
    constant: dim.zero,
    terms: [{ axis, coefficient: dim.one }],
  }));
  return {
    buffer: place.buffer,
    flat: flatten(
      index,
      stage.axes.map((a) => a.size),
    ),
  };
}

/** Stage loops: merged where memory allows, the last one with lanes along it where that pays. */
function stageLoops(group: readonly Stage[]): { readonly loops: Loop[]; readonly lanes: boolean } {
  const reads = readsOf(group.map((s) => s.value));
  const targets = group.flatMap((s) => targetOf(s)?.flat ?? []);
  const loops = mergeLoops(group[0]!.axes, [...flatsOf(reads, []), ...targets], reads.fixed);
  const last = loops.at(-1);
  const lanes =
    last !== undefined &&
    (dim.constantOf(last.size) ?? 8) >= 4 &&
    prefersVector(last.axis, reads, targets) &&
    !group.some((s) => acrossLoop(s) !== undefined);
  return { loops, lanes };
}

/**
 * Writes all stages at the current position; in vector mode for four neighbours of every emitter. `along`: positions
 * run in lanes, this one perhaps being a single one at the edge.
 */
export function writeStages(emitters: Emitters, stages: readonly Stage[], along: boolean): void {
  for (const group of groupsOf(stages)) {
    writeGroup(emitters, group, along);
    const stored = buffersStored(group);
    for (const emitter of emitters) emitter.forget(stored);
    for (const stage of group)
      if (stage.place.kind === "tile")
        for (const emitter of emitters) emitter.setResult(stage, emitter.code.int(0), false);
  }
}

function writeGroup(emitters: Emitters, group: readonly Stage[], along: boolean): void {
  const [first] = emitters;
  if (group[0]!.axes.length === 0) {
    writeValues(emitters, group, along);
    return;
  }
  const { loops, lanes } = stageLoops(group);
  const last = loops.at(-1)!;
  if (along || !lanes) {
    runNest(emitters, loops, () => writeValues(emitters, group, along));
    return;
  }
  runNest(emitters, loops.slice(0, -1), () => {
    const reads = readsOf(group.map((s) => s.value));
    const to = first.size(last.size);
    vectorLoop(
      [first],
      {
        loop: last,
        from: first.code.int(0),
        to,
        whole: (dim.constantOf(last.size) ?? 1) % 4 === 0,
        guards: reads.guards,
        copies: group.every(isMap) ? 1 : 2,
      },
      (_, inner) => writeValues(inner, group, true),
    );
  });
}

/**
 * A stage that stores `condition ? value : what is there`, in a buffer that a step of decoding writes a row of; undefined
 * for others, and where the condition varies along the lanes.
 */
function writtenWhere(
  emitter: Emitter,
  { value, place, combine }: Stage,
): { readonly condition: Scalar; readonly value: Scalar } | undefined {
  if (combine !== undefined || place.kind !== "store") return undefined;
  if (value.kind !== "apply" || !value.instruction.startsWith("select")) return undefined;
  const [condition, next, old] = value.operands;
  if (old?.kind !== "load" || old.buffer !== place.buffer || old.guarded.length > 0) return undefined;
  const there = flatten(place.index, place.shape);
  const same = flatOf(old).computed.length === 0 && sameFlat(flatOf(old), there);
  return same && !emitter.varies(condition!) ? { condition: condition!, value: next! } : undefined;
}

function sameFlat(a: Flat, b: Flat): boolean {
  return (
    dim.equal(a.constant, b.constant) &&
    a.coefficients.size === b.coefficients.size &&
    [...a.coefficients].every(([axis, c]) => dim.equal(c, b.coefficients.get(axis) ?? dim.zero))
  );
}

/** The values of a group at one position, then their stores. */
function writeValues(emitters: Emitters, group: readonly Stage[], along: boolean): void {
  const vector = emitters[0].vector !== undefined;
  const [only] = group;
  const where = group.length === 1 ? writtenWhere(emitters[0], only!) : undefined;
  if (where !== undefined) {
    const { buffer, flat } = targetOf(only!)!;
    const [{ fn, scalar }] = emitters;
    fn.when(scalar(where.condition), () => {
      for (const emitter of emitters)
        emitter.level(() => emitter.store(buffer, flat, valueOf(emitter, where.value, vector)));
    });
    return;
  }
  const stores: (() => void)[] = [];
  for (const stage of group) {
    const values = isMap(stage)
      ? emitters.map((emitter) => valueOf(emitter, stage.value, vector))
      : reduceStage(emitters, stage, along);
    const target = targetOf(stage);
    emitters.forEach((emitter, i) => {
      const value = values[i]!;
      if (target === undefined) emitter.setResult(stage, value, value.type === "v128");
      else stores.push(() => emitter.store(target.buffer, target.flat, value));
    });
  }
  for (const store of stores) store();
}

function valueOf(emitter: Emitter, value: Scalar, vector: boolean): Expr {
  return vector ? emitter.vectorOf(value) : emitter.scalar(value);
}
