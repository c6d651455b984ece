/** What the functions around a micro-kernel share: their parameters, positions taken apart, runs along the last loop. */
import * as dim from "../../ir/dim.ts";
import type { Contraction } from "../../ir/kernel.ts";
import type { LoopAxis, Scalar } from "../../ir/scalar.ts";
import { flatsOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop, Reads } from "../access.ts";
import type { Expr, Local } from "./code.ts";
import { defineFunction } from "./function-builder.ts";
import { dependenciesOf } from "../dependencies.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import { makeEmitter } from "./make-emitter.ts";
import { bindLoop } from "./nest.ts";
import type { Emitters } from "./nest.ts";
import { dimSymbols } from "./sizes.ts";

/** An operand of a contraction with its loops merged as far as its own memory allows. */
export interface View {
  readonly value: Scalar;
  readonly reads: Reads;
  /** rows of a, columns of b */
  readonly outer: readonly Loop[];
  readonly inner: readonly Loop[];
}

export function viewOf(value: Scalar, outer: readonly LoopAxis[], inner: readonly LoopAxis[]): View {
  const reads = readsOf([value]);
  const flats = flatsOf(reads, []);
  return {
    value,
    reads,
    outer: mergeLoops(outer, flats, reads.fixed),
    inner: mergeLoops(inner, flats, reads.fixed),
  };
}

/** Length of the runs that lie in memory one after the other along the last of these loops; 0: there are none. */
export function runLength(view: View, loops: readonly Loop[]): number {
  const last = loops.at(-1);
  if (last === undefined) return 0;
  const contiguous = view.reads.loads.every(({ flat }) => {
    const step = flat.coefficients.get(last.axis);
    const computed = flat.computed.some((c) => dependenciesOf(c.value).axes.has(last.axis));
    return !computed && (step === undefined || dim.equal(step, dim.one));
  });
  const moves = view.reads.loads.some(({ flat }) => flat.coefficients.has(last.axis));
  return contiguous && moves ? (dim.constantOf(last.size) ?? 1 << 20) : 0;
}

export function guardedOn(view: View, loop: Loop | undefined): boolean {
  return view.reads.guards.some((g) => g.index.terms.some((t) => t.axis === loop?.axis));
}

/** Positions along loops for one row-major number; locals in the current block. */
export function takeApart(emitter: Emitter, loops: readonly Loop[], position: Expr): Expr[] {
  const { fn, code } = emitter;
  const values: Expr[] = [];
  let rest = position;
  for (let i = loops.length - 1; i > 0; i--) {
    const size = emitter.size(loops[i]!.size);
    const quotient = fn.keep(code.op("i32.div_u", rest, size));
    values[i] = fn.keep(code.sub(rest, code.mul(quotient, size)));
    rest = quotient;
  }
  if (loops.length > 0) values[0] = fn.keep(rest);
  return values;
}

export function bindAll(emitter: Emitter, loops: readonly Loop[], values: readonly Expr[]): void {
  loops.forEach((loop, i) => bindLoop(emitter, loop, values[i]!));
}

/**
 * Walks positions [first, first + count) of a loop nest as runs along its last loop. `run` is called inside a level
 * where the outer loops are bound; it gets the last loop's range.
 */
export function walkRuns(
  emitters: Emitters,
  loops: readonly Loop[],
  first: Expr,
  count: Expr,
  run: (from: Expr, to: Expr) => void,
): void {
  const [emitter] = emitters;
  const { fn, code } = emitter;
  const last = loops.at(-1)!;
  if (loops.length === 1) {
    run(first, fn.keep(code.add(first, count)));
    return;
  }
  const values = takeApart(emitter, loops, first) as Local[];
  const left = fn.keep(count);
  const size = emitter.size(last.size);
  const position = values.at(-1)!;
  fn.whileLoop(code.op("i32.gt_s", left, code.int(0)), () => {
    emitters.forEach((each) => {
      each.enter();
      bindAll(each, loops.slice(0, -1), values);
    });
    const to = fn.keep(code.min(code.add(position, left), size));
    run(position, to);
    fn.set(left, code.sub(left, code.sub(to, position)));
    fn.set(position, code.int(0));
    advance(values.length - 2);
    emitters.forEach((each) => each.leave());
  });

  function advance(at: number): void {
    if (at < 0) return;
    const value = values[at]!;
    fn.set(value, code.add(value, code.int(1)));
    if (at === 0) return;
    fn.when(code.op("i32.eq", value, emitter.size(loops[at]!.size)), () => {
      fn.set(value, code.int(0));
      advance(at - 1);
    });
  }
}

/**
 * Defines name(batch..., range..., dims...) for one contraction: the loops of its batch are bound to the first
 * parameters; `body` gets those of `range` by their names.
 */
export function defineForBatch<const Name extends string>(
  context: EntryContext,
  contraction: Contraction,
  name: string,
  range: readonly Name[],
  body: (emitter: Emitter, range: Readonly<Record<Name, Expr>>) => void,
): void {
  const batch = contraction.batch.length;
  const before = batch + range.length;
  const parameters = Array.from({ length: before + context.dims.length }, () => "i32" as const);
  defineFunction(context.code, name, parameters, undefined, (fn) => {
    const emitter = makeEmitter(fn, context, dimSymbols(context.dims, fn.parameters.slice(before)));
    emitter.enter();
    contraction.batch.forEach((axis, i) => emitter.bind(axis, fn.parameters[i]!));
    const given = Object.fromEntries<Expr>(range.map((each, i) => [each, fn.parameters[batch + i]!]));
    body(emitter, given as Record<Name, Expr>);
    emitter.leave();
    return undefined;
  });
}
