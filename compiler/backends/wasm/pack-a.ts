/** Packs a block of rows of a: the view is evaluated once an element, guards once a run, prologue and conversion here. */
import type { Contraction } from "../../ir/kernel.ts";
import { defineFunction } from "./code.ts";
import type { Expr } from "./code.ts";
import { makeEmitter } from "./emitter.ts";
import type { EntryContext } from "./emitter.ts";
import type { LayoutA } from "./micro-kernel.ts";
import { vectorLoop } from "./nest.ts";
import { bindAll, dimSymbols, runLength, takeApart, viewOf, walkRuns } from "./panels.ts";
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
  const batch = contraction.batch.length;
  const count = batch + 4 + context.dims.length;
  const [slow, fast] = layout === "rows" ? [view.outer, view.inner] : [view.inner, view.outer];
  defineFunction(
    code,
    name,
    Array.from({ length: count }, () => "i32" as const),
    undefined,
    (fn) => {
      const emitter = makeEmitter(fn, context, dimSymbols(context, fn.parameters, batch + 4));
      emitter.enter();
      contraction.batch.forEach((axis, i) => emitter.bind(axis, fn.parameters[i]!));
      const [row0, rows, k0, k] = fn.parameters.slice(batch, batch + 4) as unknown as [
        Expr,
        Expr,
        Expr,
        Expr,
      ];
      const [slow0, slowCount, fast0, fastCount] =
        layout === "rows" ? [row0, rows, k0, k] : [k0, k, row0, rows];
      const line = fn.keep(emitter.addressOf(contraction.panelA));
      fn.count(slow0, fn.keep(code.add(slow0, slowCount)), 1, (position) => {
        emitter.enter();
        bindAll(emitter, slow, takeApart(emitter, slow, position));
        const at = fn.keep(line);
        if (fast.length === 0) {
          fn.store("f32", at, emitter.scalar(view.value));
        } else
          walkRuns([emitter], fast, fast0, fastCount, (from, to) => {
            const loop = fast.at(-1)!;
            const start = fn.keep(code.sub(at, code.mul(from, code.int(4))));
            vectorLoop(
              [emitter],
              { loop, from, to, whole: false, guards: view.reads.guards, copies: 2 },
              (lanes, emitters) => {
                const here = code.add(start, code.mul(emitters[0].position(loop.axis), code.int(4)));
                if (lanes === 1) fn.store("f32", here, emitters[0].scalar(view.value));
                else emitters.forEach((each, i) => fn.store("v128", here, each.vectorOf(view.value), 16 * i));
              },
            );
            fn.set(at, code.add(at, code.mul(code.sub(to, from), code.int(4))));
          });
        fn.set(line, code.add(line, code.int(stride * 4)));
        emitter.leave();
      });
      emitter.leave();
      return undefined;
    },
  );
}
