/** The vocabulary: every op there is. Texts are parsed, documents written and numbers tested from this list. */
import { abs } from "./abs.ts";
import { add } from "./add.ts";
import { and } from "./and.ts";
import { argReduce } from "./arg-reduce.ts";
import { barrier } from "./barrier.ts";
import { cast } from "./cast.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { cos } from "./cos.ts";
import { detach } from "./detach.ts";
import { div } from "./div.ts";
import { eq } from "./eq.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { expm1 } from "./expm1.ts";
import { floor } from "./floor.ts";
import { gather } from "./gather.ts";
import { index } from "./index-sum.ts";
import { iota } from "./iota.ts";
import { isFinite } from "./is-finite.ts";
import { le } from "./le.ts";
import { log } from "./log.ts";
import { log1p } from "./log1p.ts";
import { loop } from "./loop.ts";
import { lt } from "./lt.ts";
import { max } from "./max.ts";
import { merge } from "./merge.ts";
import { min } from "./min.ts";
import { mul } from "./mul.ts";
import { ne } from "./ne.ts";
import { neg } from "./neg.ts";
import { not } from "./not.ts";
import { or } from "./or.ts";
import { pad } from "./pad.ts";
import { pow } from "./pow.ts";
import { randomBits } from "./random-bits.ts";
import { reciprocal } from "./reciprocal.ts";
import { reduce } from "./reduce.ts";
import { reorder } from "./reorder.ts";
import { rsqrt } from "./rsqrt.ts";
import { scatterAdd } from "./scatter-add.ts";
import { select } from "./select.ts";
import { sigmoid } from "./sigmoid.ts";
import { sin } from "./sin.ts";
import { size } from "./size.ts";
import { slice } from "./slice.ts";
import { softplus } from "./softplus.ts";
import { split } from "./split.ts";
import { sqrt } from "./sqrt.ts";
import { sub } from "./sub.ts";
import { tanh } from "./tanh.ts";
import { updateSlice } from "./update-slice.ts";
import { windowMax } from "./window-max.ts";
import type { Op } from "../ir/op.ts";

export const ops: readonly Op[] = [
  constant,
  iota,
  size,
  randomBits,
  add,
  sub,
  mul,
  div,
  neg,
  abs,
  max,
  min,
  floor,
  sqrt,
  rsqrt,
  reciprocal,
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  softplus,
  erf,
  sin,
  cos,
  pow,
  eq,
  ne,
  lt,
  le,
  isFinite,
  select,
  and,
  or,
  not,
  cast,
  detach,
  barrier,
  expand,
  reorder,
  split,
  merge,
  slice,
  pad,
  concat,
  reduce,
  argReduce,
  index,
  windowMax,
  gather,
  scatterAdd,
  updateSlice,
  loop,
];

const byName: ReadonlyMap<string, Op> = new Map(ops.map((op) => [op.name, op]));

export function opNamed(name: string): Op | undefined {
  return byName.get(name);
}
