/** How stages combine: what a sum begins with, how two parts become one, and the loop that walks all positions. */
import * as dim from "../../ir/dim.ts";
import { chosenOf } from "../../ir/chosen-sum.ts";
import type { Buffer, RowLists, Stage } from "../../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../../ir/scalar.ts";
import { affineAdd, affineAxis, affineConstant, affineScale } from "../../ir/scalar.ts";
import { flatsOf, loopOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop } from "../access.ts";
import { integer, typeTexts } from "./emitter.ts";
import type { Emitter } from "./emitter.ts";
import { literal } from "./functions.ts";

const lowest = -3.4028234663852886e38;

/** A number that no value changes: 0, or the outermost finite one. There is no largest of nothing. */
export function startOf({ combine, value }: Stage): string {
  const float = value.type === "f32";
  switch (combine) {
    case "max":
    case "argmax":
      return float ? literal(lowest) : integer(-0x80000000);
    case "min":
    case "argmin":
      return float ? literal(-lowest) : integer(0x7fffffff);
    default:
      return float ? "0f" : "0";
  }
}

export const isPosition = ({ combine }: Stage): boolean => combine === "argmax" || combine === "argmin";

/** The type of what a stage gives. */
export function resultType(stage: Stage): string {
  return isPosition(stage) ? "i32" : typeTexts[stage.value.type];
}

/** Two parts of a reduction as one; of max and min, a NaN in the second passes. */
export function combined({ combine }: Stage, a: string, b: string): string {
  if (combine === "sum") return `${a} + ${b}`;
  return combine === "max" ? `select(${b}, ${a}, ${b} < ${a})` : `select(${b}, ${a}, ${a} < ${b})`;
}

/** Whether the second is better than the first. */
export function better({ combine }: Stage, a: string, b: string): string {
  return combine === "argmax" ? `${a} < ${b}` : `${b} < ${a}`;
}

/** Loops of the reduction; argmax and argmin number their positions, so theirs stay as they are. */
export function overLoops(stage: Stage): readonly Loop[] {
  if (isPosition(stage)) return stage.over.map(loopOf);
  const reads = readsOf([stage.value]);
  return mergeLoops(stage.over, flatsOf(reads, []), reads.fixed);
}

/** The row-major number of a position. */
export function positionOf(over: readonly LoopAxis[]): Affine {
  return over.reduce(
    (sum, axis) => affineAdd(affineScale(sum, axis.size), affineAxis(axis)),
    affineConstant(0),
  );
}

/** Writes the body inside loops, one a block. */
export function nest(emitter: Emitter, loops: readonly Loop[], body: () => void): void {
  const [loop, ...rest] = loops;
  if (loop === undefined) {
    body();
    return;
  }
  const i = emitter.writer.fresh("i");
  const size = emitter.size(loop.size);
  emitter.open(`for (var ${i} = 0; ${i} < ${size}; ${i}++) {`);
  for (const axis of loop.merged) emitter.bind(axis, "0");
  emitter.bind(loop.axis, i);
  nest(emitter, rest, body);
  emitter.close();
}

/** Variables that a reduction goes into: the value, and of argmax and argmin where it stood. */
export interface Accumulator {
  readonly value: string;
  readonly position: string | undefined;
}

export function declare(emitter: Emitter, stage: Stage): Accumulator {
  const { writer } = emitter;
  const value = writer.fresh("s");
  writer.line(`var ${value} = ${startOf(stage)};`);
  if (!isPosition(stage)) return { value, position: undefined };
  const position = writer.fresh("p");
  writer.line(`var ${position} = 0;`);
  return { value, position };
}

/** Takes the value at the position that the loops stand at. */
export function accumulate(emitter: Emitter, stage: Stage, into: Accumulator, value: Scalar): void {
  const { writer } = emitter;
  const text = emitter.scalar(value);
  if (into.position === undefined) {
    writer.line(`${into.value} = ${combined(stage, into.value, text)};`);
    return;
  }
  const position = emitter.index(positionOf(stage.over));
  writer.line(
    `if (${better(stage, into.value, text)}) { ${into.value} = ${text}; ${into.position} = ${position}; }`,
  );
}

/** The whole reduction by one invocation; answers with the variable that holds it. */
export function reduce(emitter: Emitter, stage: Stage, lists: RowLists | undefined): string {
  const into = declare(emitter, stage);
  if (lists) walkList(emitter, stage, lists, into);
  else nest(emitter, overLoops(stage), () => accumulate(emitter, stage, into, stage.value));
  return into.position ?? into.value;
}

/** The positions of the row that the grid stands at, rising, by its list. */
function walkList(emitter: Emitter, stage: Stage, { row, first, next }: RowLists, into: Accumulator): void {
  const { writer } = emitter;
  const word = (buffer: Buffer, index: Affine): Scalar => ({
    kind: "load",
    type: "i32",
    buffer,
    shape: buffer.shape,
    index: [{ kind: "affine", affine: index }],
    guarded: [],
  });
  const at = writer.fresh("at");
  writer.line(`var ${at} = ${emitter.scalar(word(first, affineAxis(row)))};`);
  emitter.open(`while (${at} >= 0) {`);
  unflatten(emitter, stage.over.map(loopOf), `i32(${at})`);
  accumulate(emitter, stage, into, chosenOf(stage)!.value);
  writer.line(`${at} = ${emitter.scalar(word(next, positionOf(stage.over)))};`);
  emitter.close();
}

/** Binds the axes of loops to the digits of a row-major number; what is merged into a loop stands at 0. */
export function unflatten(emitter: Emitter, loops: readonly Loop[], flat: string): void {
  let rest = flat;
  for (const [depth, { axis, size, merged }] of [...loops.entries()].reverse()) {
    for (const each of merged) emitter.bind(each, "0");
    const whole = emitter.keep(rest);
    if (depth === 0) {
      emitter.bind(axis, whole);
      continue;
    }
    // an empty loop has no positions, but its text is still compiled
    const count = dim.equal(size, dim.zero) ? "1" : emitter.size(size);
    emitter.bind(axis, emitter.keep(`${whole} % ${count}`));
    rest = `${whole} / ${count}`;
  }
}
