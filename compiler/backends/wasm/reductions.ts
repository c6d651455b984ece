/**
 * Reductions inside one iteration. Two ways, chosen from the kernel alone:
 * - along: every lane is an element of its own and adds its positions in order;
 * - across: one element, its positions dealt to the lanes of a few accumulators, which are then added as a fixed tree;
 *   positions outside whole vectors are added to one more accumulator. The tree depends on the reduced sizes only.
 */
import * as dim from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import { chosenOf } from "../../ir/chosen-sum.ts";
import type { Stage } from "../../ir/kernel.ts";
import type { Combine } from "../../ir/op.ts";
import type { Affine, LoopAxis, Scalar } from "../../ir/scalar.ts";
import { affineAdd, affineAxis, affineConstant, affineScale } from "../../ir/scalar.ts";
import { flatsOf, loopOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop } from "../access.ts";
import type { Expr, Local } from "./code.ts";
import type { Operation } from "./operations.ts";
import type { Emitter } from "./emitter.ts";
import { runNest, vectorLoop } from "./nest.ts";
import type { Emitters } from "./nest.ts";
import { prefersVector } from "./choices.ts";
import { runListed } from "./row-lists.ts";

const lowest = -3.4028234663852886e38;

/**
 * A number that no value changes: 0, or the outermost finite one. A sum of nothing is 0; there is no largest of nothing:
 * `infer` refuses it where the size is known, evaluate and execute where it is not. Here it is this number, finite as all
 * that generated code makes, and nobody relies on it.
 */
function startOf(stage: Stage): number {
  const float = stage.value.type === "f32";
  switch (stage.combine!) {
    case "sum":
      return 0;
    case "max":
    case "argmax":
      return float ? lowest : -0x80000000;
    case "min":
    case "argmin":
      return float ? -lowest : 0x7fffffff;
  }
}

/** Loops of the reduction; argmax and argmin number their positions, so theirs stay as they are. */
function overLoops(stage: Stage): readonly Loop[] {
  if (stage.combine === "argmax" || stage.combine === "argmin") return stage.over.map(loopOf);
  const reads = readsOf([stage.value]);
  return mergeLoops(stage.over, flatsOf(reads, []), reads.fixed);
}

function positionOf(over: readonly LoopAxis[]): Affine {
  return over.reduce(
    (sum, axis) => affineAdd(affineScale(sum, axis.size), affineAxis(axis)),
    affineConstant(0),
  );
}

function combineVectors(emitter: Emitter, combine: Combine, float: boolean, sum: Expr, value: Expr): Expr {
  const operations: Partial<Record<Combine, readonly [Operation, Operation]>> = {
    sum: ["f32x4.add", "i32x4.add"],
    max: ["f32x4.pmax", "i32x4.max_s"],
    min: ["f32x4.pmin", "i32x4.min_s"],
  };
  const operation = operations[combine]![float ? 0 : 1];
  // pmax and pmin let a NaN in their first operand through
  return combine === "sum" ? emitter.code.op(operation, sum, value) : emitter.code.op(operation, value, sum);
}

/** `value` is a local or constant. */
function combineScalars(emitter: Emitter, combine: Combine, float: boolean, sum: Expr, value: Expr): Expr {
  const { code } = emitter;
  switch (combine) {
    case "sum":
      return float ? code.op("f32.add", sum, value) : code.op("i32.add", sum, value);
    case "max":
      return code.select(code.op(float ? "f32.lt" : "i32.lt_s", value, sum), sum, value);
    case "min":
      return code.select(code.op(float ? "f32.lt" : "i32.lt_s", sum, value), sum, value);
    case "argmax":
    case "argmin":
      throw new InternalError("wasm", "a position is not combined by value", undefined);
  }
}

/**
 * The reduction of one stage for every emitter: in vector mode one result a lane. `along`: the iterations themselves
 * run in lanes, so single ones at the edge add in the same order.
 */
export function reduceStage(emitters: Emitters, stage: Stage, along: boolean): readonly Expr[] {
  const across = along || emitters[0].listed.has(stage) ? undefined : acrossLoop(stage);
  return across === undefined ? reduceAlong(emitters, stage) : [reduceAcross(emitters[0], stage, across)];
}

/** The loop dealt to the lanes of accumulators, where memory favours it. */
export function acrossLoop(
  stage: Stage,
): { readonly outer: readonly Loop[]; readonly loop: Loop } | undefined {
  if (stage.combine === undefined || stage.combine.startsWith("arg")) return undefined;
  const loops = overLoops(stage);
  const loop = loops.at(-1);
  if (loop === undefined || (dim.constantOf(loop.size) ?? 8) < 4) return undefined;
  const reads = readsOf([stage.value]);
  return prefersVector(loop.axis, reads, []) ? { outer: loops.slice(0, -1), loop } : undefined;
}

/**
 * Where the condition of such a sum is the same in all lanes and is read from memory (rows added into a table by their
 * numbers), what is not chosen is passed over. Adding 0 to a sum that began as +0 changes no bit.
 */
function chosenSum(emitter: Emitter, stage: Stage): ReturnType<typeof chosenOf> {
  const chosen = chosenOf(stage);
  return chosen && readsOf([chosen.condition]).loads.length > 0 && !emitter.varies(chosen.condition)
    ? chosen
    : undefined;
}

function reduceAlong(emitters: Emitters, stage: Stage): readonly Expr[] {
  const [{ fn, code }] = emitters;
  const vector = emitters[0].vector !== undefined;
  const float = stage.value.type === "f32";
  const combine = stage.combine!;
  const positions = combine === "argmax" || combine === "argmin";
  const start = startOf(stage);
  const number = (value: number, isFloat: boolean): Expr =>
    vector
      ? isFloat
        ? emitters[0].splatFloat(value)
        : emitters[0].splatInt(value)
      : isFloat
        ? code.float(value)
        : code.int(value);
  const best = emitters.map(() => fn.keep(number(start, float)));
  const at = positions ? emitters.map(() => fn.keep(number(0, false))) : [];
  const position: Scalar = { kind: "index", type: "i32", index: positionOf(stage.over) };
  const add = (emitter: Emitter, i: number, code: Scalar): void => {
    const value = vector ? emitter.vectorOf(code) : emitter.scalar(code);
    const combined = vector ? combineVectors : combineScalars;
    fn.set(best[i]!, combined(emitter, combine, float, best[i]!, value));
  };
  const lists = emitters[0].listed.get(stage);
  if (lists) {
    const { value } = chosenOf(stage)!;
    runListed(emitters, stage, lists, () => emitters.forEach((emitter, i) => add(emitter, i, value)));
    return best;
  }
  const chosen = chosenSum(emitters[0], stage);
  runNest(emitters, overLoops(stage), () => {
    if (chosen !== undefined) {
      fn.when(emitters[0].scalar(chosen.condition), () =>
        emitters.forEach((emitter, i) => emitter.level(() => add(emitter, i, chosen.value))),
      );
      return;
    }
    emitters.forEach((emitter, i) => {
      if (!positions) {
        add(emitter, i, stage.value);
        return;
      }
      const value = vector ? emitter.vectorOf(stage.value) : emitter.scalar(stage.value);
      const old = best[i]!;
      const [a, b] = combine === "argmax" ? [old, value] : [value, old];
      const type = vector ? (float ? "f32x4.lt" : "i32x4.lt_s") : float ? "f32.lt" : "i32.lt_s";
      const better = fn.keep(code.op(type, a, b));
      const here = vector ? emitter.vectorOf(position) : emitter.scalar(position);
      const choose = (x: Expr, y: Expr): Expr =>
        vector ? code.op("v128.bitselect", x, y, better) : code.select(better, x, y);
      fn.set(at[i]!, choose(here, at[i]!));
      fn.set(old, choose(value, old));
    });
  });
  return positions ? at : best;
}

function reduceAcross(
  emitter: Emitter,
  stage: Stage,
  { outer, loop }: { readonly outer: readonly Loop[]; readonly loop: Loop },
): Expr {
  const { fn, code } = emitter;
  const float = stage.value.type === "f32";
  const combine = stage.combine!;
  const reads = readsOf([stage.value]);
  const size = dim.constantOf(loop.size);
  const copies = size !== undefined && size < 32 ? 1 : reads.transcendentals > 0 ? 2 : 4;
  const start = startOf(stage);
  const splat = float ? emitter.splatFloat(start) : emitter.splatInt(start);
  const accumulators = Array.from({ length: copies }, () => fn.keep(splat));
  const rest = fn.keep(float ? code.float(start) : code.int(start));
  const to = emitter.size(loop.size);
  runNest([emitter], outer, () => {
    vectorLoop(
      [emitter],
      { loop, from: code.int(0), to, whole: (size ?? 1) % 4 === 0, guards: reads.guards, copies },
      (lanes, emitters) => {
        if (lanes === 1) {
          fn.set(rest, combineScalars(emitter, combine, float, rest, emitters[0].scalar(stage.value)));
          return;
        }
        emitters.forEach((copy, i) => {
          const sum = accumulators[i]!;
          fn.set(sum, combineVectors(emitter, combine, float, sum, copy.vectorOf(stage.value)));
        });
      },
    );
  });
  return fold(emitter, combine, float, accumulators, rest);
}

/** The fixed tree: accumulators in pairs, then lanes 0 and 2, 1 and 3, then both, then the rest. */
function fold(
  emitter: Emitter,
  combine: Combine,
  float: boolean,
  accumulators: readonly Local[],
  rest: Local,
): Expr {
  const { fn, code } = emitter;
  let sums: readonly Expr[] = accumulators;
  while (sums.length > 1) {
    const half: Expr[] = [];
    for (let i = 0; i < sums.length; i += 2)
      half.push(fn.keep(combineVectors(emitter, combine, float, sums[i]!, sums[i + 1]!)));
    sums = half;
  }
  const shape = float ? "f32x4" : "i32x4";
  const lanes = [0, 1, 2, 3].map((lane) => fn.keep(code.lane(shape, sums[0]!, lane)));
  const pair = (a: Expr, b: Expr): Expr => fn.keep(combineScalars(emitter, combine, float, a, b));
  return pair(pair(pair(lanes[0]!, lanes[2]!), pair(lanes[1]!, lanes[3]!)), rest);
}
