/** Writes loops: plain ones, and one that takes four neighbours at a time. */
import * as dim from "../../ir/dim.ts";
import type { Affine, LoopAxis } from "../../ir/scalar.ts";
import type { Guard, Loop } from "../access.ts";
import type { Expr } from "./code.ts";
import type { Emitter } from "./emitter.ts";
import { floorDivideName } from "./sizes.ts";

/** Emitters that write the same loop nest in step, one a copy of an unrolled body. */
export type Emitters = readonly [Emitter, ...Emitter[]];

export function bindLoop(emitter: Emitter, loop: Loop, value: Expr): void {
  const zero = emitter.code.int(0);
  for (const axis of loop.merged) emitter.bind(axis, zero);
  emitter.bind(loop.axis, value);
}

/** One loop from 0 to its size, one position at a time; a loop of one position is no loop. */
export function runLoop(emitters: Emitters, loop: Loop, body: () => void): void {
  const [{ fn, code, size }] = emitters;
  if (dim.equal(loop.size, dim.one)) {
    for (const emitter of emitters) emitter.enter();
    for (const emitter of emitters) bindLoop(emitter, loop, code.int(0));
    body();
    for (const emitter of emitters) emitter.leave();
    return;
  }
  fn.count(code.int(0), size(loop.size), 1, (i) => {
    for (const emitter of emitters) emitter.enter();
    for (const emitter of emitters) bindLoop(emitter, loop, i);
    body();
    for (const emitter of emitters) emitter.leave();
  });
}

export function runNest(emitters: Emitters, loops: readonly Loop[], body: () => void): void {
  const [first, ...rest] = loops;
  if (first === undefined) body();
  else runLoop(emitters, first, () => runNest(emitters, rest, body));
}

export interface VectorLoop {
  readonly loop: Loop;
  readonly from: Expr;
  readonly to: Expr;
  /** true where `to - from` is known to be a multiple of 4 */
  readonly whole: boolean;
  /** guards of everything in the body: where those on this axis fail, the body is written for single positions */
  readonly guards: readonly Guard[];
  /** vectors a turn */
  readonly copies: number;
}

/**
 * Runs `body` for all positions: with 4 lanes and the emitters once a copy, or with 1 lane and the emitters themselves.
 * Which of both a position gets depends on the range and the guards alone.
 */
export function vectorLoop(
  emitters: Emitters,
  { loop, from, to, whole, guards, copies }: VectorLoop,
  body: (lanes: 4 | 1, emitters: Emitters) => void,
): void {
  const [emitter] = emitters;
  const { fn, code } = emitter;
  const enter = (): void => emitters.forEach((each) => each.enter());
  const leave = (): void => emitters.forEach((each) => each.leave());
  const clipping = guards.filter((g) => g.index.terms.some((t) => t.axis === loop.axis));
  const { low, high } = clip(emitter, loop.axis, clipping, from, to);
  const i = fn.local("i32");
  fn.set(i, from);

  function vectors(count: number): void {
    const limit = emitter.keep(code.sub(high, code.int(4 * count)));
    fn.whileLoop(code.op("i32.le_s", i, limit), () => {
      enter();
      emitters.forEach((each) => bindLoop(each, loop, i));
      body(4, inLanes(emitters, loop, i, count));
      leave();
      fn.set(i, code.add(i, code.int(4 * count)));
    });
  }
  function allVectors(): void {
    if (copies > 1) vectors(copies);
    vectors(1);
  }
  function single(): void {
    enter();
    emitters.forEach((each) => bindLoop(each, loop, i));
    body(1, emitters);
    leave();
    fn.set(i, code.add(i, code.int(1)));
  }

  if (clipping.length === 0) {
    allVectors();
    if (!whole) fn.whileLoop(code.op("i32.lt_s", i, to), single);
    return;
  }
  fn.whileLoop(code.op("i32.lt_s", i, to), () => {
    enter();
    fn.when(code.op("i32.le_s", low, i), () => {
      enter();
      allVectors();
      leave();
    });
    fn.when(code.op("i32.lt_s", i, to), single);
    leave();
  });
}

/** Copies of emitters in vector mode along a loop that stands at `at`. */
export function inLanes(emitters: Emitters, loop: Loop, at: Expr, copies: number): Emitters {
  const forks = Array.from({ length: copies }, (_, copy) =>
    emitters.map((emitter) => {
      const fork = emitter.fork();
      fork.enter();
      bindLoop(fork, loop, at);
      fork.vector = { axis: loop.axis, offset: 4 * copy };
      return fork;
    }),
  ).flat();
  return forks as unknown as Emitters;
}

/** The part of [from, to) where all guards on this axis hold. */
function clip(
  emitter: Emitter,
  axis: LoopAxis,
  guards: readonly Guard[],
  from: Expr,
  to: Expr,
): { readonly low: Expr; readonly high: Expr } {
  const { code, fn } = emitter;
  let low = from;
  let high = to;
  const max = (a: Expr, b: Expr): Expr => fn.keep(code.select(code.op("i32.lt_s", a, b), b, a));
  const min = (a: Expr, b: Expr): Expr => fn.keep(code.select(code.op("i32.lt_s", a, b), a, b));
  for (const { index, size } of guards) {
    const step = index.terms.find((t) => t.axis === axis)!.coefficient;
    const rest: Affine = { constant: index.constant, terms: index.terms.filter((t) => t.axis !== axis) };
    const base = emitter.index(rest);
    const known = dim.constantOf(step);
    const falls = known !== undefined && known < 0;
    const by = emitter.size(falls ? dim.negate(step) : step);
    const extent = emitter.size(size);
    // ceil(x / by)
    const ceil = (x: Expr): Expr =>
      by.known === 1
        ? fn.keep(x)
        : fn.keep(code.sub(code.int(0), code.call(floorDivideName, [code.sub(code.int(0), x), by], "i32")));
    const zero = code.int(0);
    if (!falls) {
      low = max(low, ceil(code.sub(zero, base)));
      high = min(high, ceil(code.sub(extent, base)));
    } else {
      // 0 <= base - by i < size: (base - size) / by < i <= base / by
      low = max(low, fn.keep(code.add(ceil(code.add(code.sub(base, extent), code.int(1))), zero)));
      high = min(high, ceil(code.add(base, code.int(1))));
    }
  }
  return { low, high };
}
