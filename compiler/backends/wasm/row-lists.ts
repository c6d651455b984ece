/** Lists of the positions of each row: how they are made before a kernel's grid is walked, and how a sum goes through one. */
import { numbersOf } from "../../ir/chosen-sum.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Kernel, RowLists, Stage } from "../../ir/kernel.ts";
import * as dim from "../../ir/dim.ts";
import { affineAxis } from "../../ir/scalar.ts";
import type { Expr } from "./code.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import { defineFunction } from "./function-builder.ts";
import { makeEmitter } from "./make-emitter.ts";
import type { Emitters } from "./nest.ts";
import { dimSymbols } from "./sizes.ts";

const wordBytes = 4;

/** Address of an i32 by its number. */
function word(emitter: Emitter, base: Expr, at: Expr): Expr {
  const { code } = emitter;
  return code.add(base, code.mul(at, code.int(wordBytes)));
}

/** Defines the function that makes the lists of a kernel; it takes the entry's dims. */
export function defineLists(context: EntryContext, kernel: Kernel, name: string): void {
  const { code } = context;
  defineFunction(
    code,
    name,
    context.dims.map(() => "i32" as const),
    undefined,
    (fn) => {
      const emitter = makeEmitter(fn, context, dimSymbols(context.dims, fn.parameters));
      for (const lists of kernel.lists ?? []) {
        emitter.enter();
        writeLists(emitter, kernel.stages[lists.stage]!, lists);
        emitter.leave();
      }
      return undefined;
    },
  );
}

/** From the last position to the first, each before those of its row that are there: so they rise. */
function writeLists(emitter: Emitter, stage: Stage, { row, first, next }: RowLists): void {
  const { fn, code } = emitter;
  const id = numbersOf(stage)?.[0];
  if (id === undefined) throw new InternalError("wasm", "a sum with lists chooses by no number", undefined);
  const [heads, links] = [emitter.addressOf(first), emitter.addressOf(next)];
  fn.count(code.int(0), emitter.size(row.size), 1, (i) =>
    fn.store("i32", word(emitter, heads, i), code.int(-1)),
  );
  const at = fn.keep(emitter.size(dim.product(stage.over.map((axis) => axis.size))));
  const walk = (depth: number): void => {
    const axis = stage.over[depth];
    if (axis === undefined) {
      fn.set(at, code.sub(at, code.int(1)));
      const head = fn.keep(word(emitter, heads, emitter.scalar(id)));
      fn.store("i32", word(emitter, links, at), code.load("i32", head));
      fn.store("i32", head, at);
      return;
    }
    const last = fn.keep(code.sub(emitter.size(axis.size), code.int(1)));
    fn.count(code.int(0), emitter.size(axis.size), 1, (i) => {
      emitter.enter();
      emitter.bind(axis, fn.keep(code.sub(last, i)));
      walk(depth + 1);
      emitter.leave();
    });
  };
  walk(0);
}

/** Runs the body for the positions of the row that the emitters stand at, with the loops of the sum bound to each. */
export function runListed(emitters: Emitters, stage: Stage, lists: RowLists, body: () => void): void {
  const [emitter] = emitters;
  const { fn, code } = emitter;
  const row = emitter.index(affineAxis(lists.row));
  const at = fn.keep(code.load("i32", word(emitter, emitter.addressOf(lists.first), row)));
  const links = emitter.addressOf(lists.next);
  fn.whileLoop(code.op("i32.le_s", code.int(0), at), () => {
    for (const each of emitters) each.enter();
    let rest: Expr = at;
    for (const [depth, axis] of [...stage.over.entries()].reverse()) {
      const size = emitter.size(axis.size);
      const position = depth === 0 ? rest : fn.keep(code.op("i32.rem_u", rest, size));
      for (const each of emitters) each.bind(axis, position);
      if (depth > 0) rest = fn.keep(code.op("i32.div_u", rest, size));
    }
    body();
    for (const each of emitters) each.leave();
    fn.set(at, code.load("i32", word(emitter, links, at)));
  });
}
