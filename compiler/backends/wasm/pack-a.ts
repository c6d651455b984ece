/** Packs a block of rows of a: the view is evaluated once an element, guards once a run, prologue and conversion here. */
import * as dim from "../../ir/dim.ts";
import type { Contraction } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { flatsOf, mergeLoops } from "../access.ts";
import type { Guard, Loop } from "../access.ts";
import type { Expr } from "./code.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import type { LayoutA } from "./micro-kernel.ts";
import { vectorLoop } from "./nest.ts";
import { bindAll, defineForBatch, runLength, takeApart, viewOf, walkRuns } from "./panels.ts";
import type { View } from "./panels.ts";

/** Rows of the panel lie one after the other where memory runs along `inner`, else positions of `inner` do. */
export function layoutOfA(view: View): LayoutA {
  return runLength(view, view.outer) > runLength(view, view.inner) ? "columns" : "rows";
}

/**
 * name(batch..., row0, rows, k0, k, dims...) writes the panel: (row, k) at row * stride + k, or k * stride + row,
 * in floats from the start of the panel.
 */
export function definePackA(
  context: EntryContext,
  contraction: Contraction,
  name: string,
  layout: LayoutA,
  stride: number,
): void {
  const { code } = context;
  const view = viewOf(contraction.a, contraction.rows, contraction.inner);
  const [slow, fast] = layout === "rows" ? [view.outer, view.inner] : [view.inner, view.outer];
  const fastAxes = layout === "rows" ? contraction.inner : contraction.rows;
  const free = loopsWithoutGuards(view, fast, fastAxes);
  defineForBatch(
    context,
    contraction,
    name,
    ["row0", "rows", "k0", "k"],
    (emitter, { row0, rows, k0, k }) => {
      const { fn } = emitter;
      const [slow0, slowCount, fast0, fastCount] =
        layout === "rows" ? [row0, rows, k0, k] : [k0, k, row0, rows];
      const line = fn.keep(emitter.addressOf(contraction.panelA));
      fn.count(slow0, fn.keep(code.add(slow0, slowCount)), 1, (position) => {
        emitter.enter();
        bindAll(emitter, slow, takeApart(emitter, slow, position));
        const copy = (loops: readonly Loop[], guards: readonly Guard[]): void =>
          copyLine(emitter, view, loops, guards, line, fast0, fastCount);
        const allInside = free === undefined ? undefined : insideThroughout(emitter, view, fastAxes);
        if (free === undefined || allInside === undefined) copy(fast, view.reads.guards);
        else
          fn.when(
            allInside,
            () => {
              emitter.guards = false;
              copy(free, []);
              emitter.guards = true;
            },
            () => copy(fast, view.reads.guards),
          );
        fn.set(line, code.add(line, code.int(stride * 4)));
        emitter.leave();
      });
    },
  );
}

/** One line of the panel, from address `to` on. */
function copyLine(
  emitter: Emitter,
  view: View,
  loops: readonly Loop[],
  guards: readonly Guard[],
  to: Expr,
  first: Expr,
  count: Expr,
): void {
  const { fn, code } = emitter;
  const loop = loops.at(-1);
  emitter.enter();
  if (loop === undefined) fn.store("f32", to, emitter.scalar(view.value));
  else {
    const at = fn.keep(to);
    walkRuns([emitter], loops, first, count, (from, until) => {
      const start = fn.keep(code.sub(at, code.mul(from, code.int(4))));
      vectorLoop([emitter], { loop, from, to: until, whole: false, guards, copies: 2 }, (lanes, emitters) => {
        const here = code.add(start, code.mul(emitters[0].position(loop.axis), code.int(4)));
        if (lanes === 1) fn.store("f32", here, emitters[0].scalar(view.value));
        else emitters.forEach((each, i) => fn.store("v128", here, each.vectorOf(view.value), 16 * i));
      });
      fn.set(at, code.add(at, code.mul(code.sub(until, from), code.int(4))));
    });
  }
  emitter.leave();
}

/**
 * Where no guard fails along a whole line (a pixel whose window lies inside), neighbouring taps are one longer run. Only
 * for plain loads: their values are placed in the innermost loop, never before the branch.
 */
function loopsWithoutGuards(
  view: View,
  guarded: readonly Loop[],
  axes: readonly LoopAxis[],
): readonly Loop[] | undefined {
  if (view.value.kind !== "load" || view.reads.guards.length === 0) return undefined;
  const loops = mergeLoops(axes, flatsOf(view.reads, []), []);
  return loops.length < guarded.length ? loops : undefined;
}

/** Whether all guards hold for all positions of these axes; undefined where that cannot be said by two comparisons each. */
function insideThroughout(emitter: Emitter, view: View, axes: readonly LoopAxis[]): Expr | undefined {
  const { code } = emitter;
  let all: Expr | undefined;
  for (const { index, size } of view.reads.guards) {
    let low = 0;
    let high = 0;
    for (const { axis, coefficient } of index.terms) {
      if (!axes.includes(axis)) continue;
      const step = dim.constantOf(coefficient);
      const count = dim.constantOf(axis.size);
      if (step === undefined || count === undefined) return undefined;
      const reach = step * Math.max(count - 1, 0);
      low += Math.min(reach, 0);
      high += Math.max(reach, 0);
    }
    const rest = emitter.index({
      constant: index.constant,
      terms: index.terms.filter((t) => !axes.includes(t.axis)),
    });
    for (const end of [low, high]) {
      const inside = code.op("i32.lt_u", code.add(rest, code.int(end)), emitter.size(size));
      all = all === undefined ? inside : code.op("i32.and", all, inside);
    }
  }
  return all;
}
