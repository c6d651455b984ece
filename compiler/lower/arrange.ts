/**
 * From a kernel over all axes of what it stores to its real grid: where reductions belong to rows, the grid is the axes that
 * all of them have in common and the others become loops inside an iteration.
 */
import * as dim from "../ir/dim.ts";
import type { Buffer, Stage } from "../ir/kernel.ts";
import * as scalar from "../ir/scalar.ts";
import type { Affine, LoopAxis, Scalar } from "../ir/scalar.ts";
import { rewriteStages } from "./build-kernel.ts";
import type { RawKernel } from "./build-kernel.ts";
import { isTranscendental } from "./probe.ts";
import { axesIn, makeInterner, rewriter, stagesIn, visit } from "./scalar-walk.ts";
import type { Interner, Names } from "./scalar-walk.ts";

/** Loops outside the stage that its value depends on, through the results that it reads too. */
export function freeAxes(stages: readonly Stage[]): Map<Stage, Set<LoopAxis>> {
  const free = new Map<Stage, Set<LoopAxis>>();
  for (const stage of stages) {
    const axes = axesIn(stage.value);
    for (const read of stagesIn(stage.value)) for (const axis of free.get(read) ?? []) axes.add(axis);
    if (stage.place.kind === "store")
      for (const a of stage.place.index) for (const t of a.terms) axes.add(t.axis);
    for (const axis of [...axes]) if (axis.counter || stage.over.includes(axis)) axes.delete(axis);
    free.set(stage, axes);
  }
  return free;
}

/** Stages arranged in a grid; `tile` makes the scratch of a stage. */
export function arrange(
  raw: RawKernel,
  names: Names,
  tile: (shape: readonly dim.Dim[], dtype: Buffer["dtype"]) => Buffer,
): { readonly grid: readonly LoopAxis[]; readonly stages: readonly Stage[] } {
  const free = freeAxes(raw.stages);
  const reductions = raw.stages.filter((stage) => stage.combine !== undefined);
  const grid = raw.grid.filter((axis) => reductions.every((stage) => free.get(stage)!.has(axis)));
  const rest = raw.grid.filter((axis) => !grid.includes(axis));
  const inGrid = new Set(grid);
  const outside = (stage: Stage): LoopAxis[] =>
    [...raw.grid, ...free.get(stage)!].filter(
      (axis, k, all) => all.indexOf(axis) === k && free.get(stage)!.has(axis) && !inGrid.has(axis),
    );
  if (rest.length === 0 && reductions.every((stage) => outside(stage).length === 0))
    return { grid, stages: raw.stages };

  const interner = makeInterner(names);
  const moved = new Map<Stage, Stage>();
  const relink = rewriter(interner, {
    node(s) {
      if (s.kind !== "result") return s;
      const stage = moved.get(s.stage) ?? s.stage;
      const index = stage.place.kind === "tile" ? outside(s.stage).map(scalar.affineAxis) : s.index;
      return { ...s, stage, index };
    },
  });
  const stages = raw.stages.map((stage) => {
    const value = relink(stage.value);
    const axes = outside(stage);
    const next: Stage =
      stage.place.kind === "store"
        ? { ...stage, value, axes: rest.filter((axis) => free.get(stage)!.has(axis)) }
        : axes.length === 0
          ? { ...stage, value }
          : {
              ...stage,
              value,
              axes,
              place: {
                kind: "tile",
                buffer: tile(
                  axes.map((axis) => axis.size),
                  value.type === "bool" ? "bool" : value.type,
                ),
              },
            };
    moved.set(stage, next);
    return next;
  });
  return { grid, stages: keepDear(shareRows(stages, interner), interner, tile) };
}

/** Loops of the same sizes in different stages become the same loops, so that equal code in them is the same code. */
function shareRows(stages: readonly Stage[], interner: Interner): Stage[] {
  const rows: LoopAxis[] = [];
  const substitution = new Map<LoopAxis, Affine>();
  for (const stage of stages) {
    const list = [...stage.axes, ...stage.over];
    const taken = new Set<LoopAxis>();
    for (const axis of list) {
      const same = rows.find((r) => dim.equal(r.size, axis.size) && !taken.has(r) && !list.includes(r));
      const old = substitution.get(axis)?.terms[0]?.axis;
      if (old) taken.add(old);
      else if (rows.includes(axis)) taken.add(axis);
      else if (same) {
        substitution.set(axis, scalar.affineAxis(same));
        taken.add(same);
      } else {
        rows.push(axis);
        taken.add(axis);
      }
    }
  }
  const renamed = (axes: readonly LoopAxis[]): LoopAxis[] =>
    axes.map((axis) => substitution.get(axis)?.terms[0]?.axis ?? axis);
  const affine = (a: Affine): Affine => scalar.affineSubstitute(a, substitution);
  return rewriteStages(stages, rewriter(interner, { affine }), affine, renamed, (node) =>
    rewriter(interner, { node }),
  );
}

/** What is dear (exp, ...) and evaluated by two or more stages over the same row is kept in a tile. */
function keepDear(
  stages: readonly Stage[],
  interner: Interner,
  tile: (shape: readonly dim.Dim[], dtype: Buffer["dtype"]) => Buffer,
): Stage[] {
  let current = [...stages];
  for (;;) {
    const found = sharedDear(current);
    if (found === undefined) return current;
    const { code, axes, before } = found;
    const kept: Stage = {
      axes,
      over: [],
      combine: undefined,
      value: code,
      place: {
        kind: "tile",
        buffer: tile(
          axes.map((a) => a.size),
          code.type,
        ),
      },
    };
    const read: Scalar = { kind: "result", type: code.type, stage: kept, index: axes.map(scalar.affineAxis) };
    const replaced = current.slice(before);
    const next = rewriteStages(
      replaced,
      rewriter(interner, { node: (s) => (s === code ? read : s) }),
      (a) => a,
      (loops) => loops,
      (node) => rewriter(interner, { node }),
    );
    current = [...current.slice(0, before), kept, ...next];
  }
}

/** The largest dear code that stands in two stages, over loops that are one row of both. */
function sharedDear(
  stages: readonly Stage[],
): { readonly code: Scalar; readonly axes: readonly LoopAxis[]; readonly before: number } | undefined {
  const users = new Map<Scalar, number[]>();
  stages.forEach((stage, n) => {
    visit(stage.value, (s) => {
      if (s.kind !== "apply" || !hasDear(s)) return;
      users.set(s, [...(users.get(s) ?? []), n]);
    });
  });
  let best: { code: Scalar; axes: readonly LoopAxis[]; before: number; size: number } | undefined;
  for (const [code, list] of users) {
    if (list.length < 2) continue;
    const used = axesIn(code);
    const first = stages[list[0]!]!;
    const row = [...first.axes, ...first.over];
    const axes = row.filter((axis) => used.has(axis));
    if (axes.length === 0 || axes.length !== row.length) continue;
    if (!list.every((n) => axes.every((a) => [...stages[n]!.axes, ...stages[n]!.over].includes(a)))) continue;
    let size = 0;
    visit(code, () => size++);
    if (best === undefined || size > best.size) best = { code, axes, before: list[0]!, size };
  }
  return best;
}

function hasDear(code: Scalar): boolean {
  let dear = false;
  visit(code, (s) => {
    if (s.kind === "apply" && isTranscendental(s.instruction)) dear = true;
  });
  return dear;
}
