/**
 * A kernel without a tiled contraction: a driver that walks the outer loops and calls one small function for a few
 * thousand elements at a time (a running function is never replaced by its optimised form, a called one is).
 */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { buffersStored } from "../../ir/kernel.ts";
import type { Kernel, Stage } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { flatten, flatsOf, mergeLoops, readsOf } from "../access.ts";
import type { Flat, Guard, Loop, Reads } from "../access.ts";
import { vectorScore } from "./choices.ts";
import { defineFunction } from "./function-builder.ts";
import type { Expr } from "./code.ts";
import { makeEmitter } from "./make-emitter.ts";
import type { EntryContext } from "./emitter.ts";
import { bindLoop, runNest, vectorLoop } from "./nest.ts";
import type { Emitters } from "./nest.ts";
import { defineLists } from "./row-lists.ts";
import { dimSymbols, knownOr, sizeCode } from "./sizes.ts";
import { writeStages } from "./stages.ts";

/** elements a call of the inner function works on */
const elementsPerCall = 4096;
const unknownSize = 64;

interface Plan {
  /** outermost first; with `lanes` the last one runs four at a time */
  readonly loops: readonly Loop[];
  readonly lanes: boolean;
  readonly copies: number;
  /** loops before this one are the driver's; this one is run in chunks */
  readonly chunked: number;
  readonly chunk: number;
}

function planOf(kernel: Kernel): Plan {
  const reads = readsOf(kernel.stages.map((s) => s.value));
  const loops = mergeLoops(kernel.grid, flatsOf(reads, kernel.stages), reads.fixed);
  const best = bestLoop(kernel, loops, reads);
  const lanes = best !== undefined;
  const ordered = lanes ? [...loops.filter((l) => l !== best), best] : loops;
  const listed = new Set((kernel.lists ?? []).map(({ stage }) => kernel.stages[stage]));
  // a row has few of the positions in its list
  const inside = kernel.stages.reduce((sum, s) => sum + (listed.has(s) ? 1 : positionsOf(s)), 0);
  let chunked = Math.max(0, ordered.length - 1);
  let work = Math.max(1, inside);
  while (chunked > 0) {
    const size = dim.constantOf(ordered[chunked]!.size);
    if (size === undefined || work * Math.max(1, size) > elementsPerCall) break;
    work *= Math.max(1, size);
    chunked--;
  }
  const most = Math.max(1, Math.floor(elementsPerCall / work));
  const isLast = chunked === ordered.length - 1;
  const chunk = lanes && isLast ? Math.max(16, most - (most % 16)) : most;
  return { loops: ordered, lanes, copies: lanes ? copiesOf(kernel, best, reads) : 1, chunked, chunk };
}

function positionsOf(stage: Stage): number {
  return [...stage.axes, ...stage.over].reduce((n, axis) => n * knownOr(axis.size, unknownSize), 1);
}

/** The loop that lanes run along, or none: then lanes run inside each iteration where they can. */
function bestLoop(kernel: Kernel, loops: readonly Loop[], reads: Reads): Loop | undefined {
  const { stages } = kernel;
  if (stages.some((s) => s.place.kind === "tile")) return undefined;
  const stores: Flat[] = stages.flatMap((s) =>
    s.place.kind === "store" ? [flatten(s.place.index, s.place.shape)] : [],
  );
  const inner = new Set(stages.flatMap((s) => [...s.axes, ...s.over]));
  let best: Loop | undefined;
  let bestScore = 0;
  for (const loop of loops) {
    if (knownOr(loop.size, unknownSize) < 4 || !hasRange(loop, reads, inner)) continue;
    // four rows have four lists
    if (kernel.lists?.some(({ row }) => row === loop.axis)) continue;
    const score = vectorScore(loop.axis, reads, stores);
    if (score > bestScore || (score === bestScore && best !== undefined)) {
      best = loop;
      bestScore = score;
    }
  }
  if (best === undefined) return undefined;
  const scores = stages.flatMap((s, n) => {
    if (kernel.lists?.some(({ stage }) => stage === n)) return [];
    const axis = s.over.at(-1) ?? s.axes.at(-1);
    return axis !== undefined && knownOr(axis.size, unknownSize) >= 4
      ? [vectorScore(axis, readsOf([s.value]), s.over.length > 0 ? [] : stores)]
      : [];
  });
  return Math.max(0, ...scores) > bestScore ? undefined : best;
}

/** Whether the guards on this loop hold over a range that is known before its iterations begin: lanes need one. */
function hasRange(loop: Loop, reads: Reads, inner: ReadonlySet<LoopAxis>): boolean {
  const mixes = (guard: Guard): boolean =>
    guard.index.terms.some((t) => t.axis === loop.axis) && guard.index.terms.some((t) => inner.has(t.axis));
  return !reads.guards.some(mixes);
}

/** Vectors in flight: sums down columns need several to hide their latency, and to use whole cache lines. */
function copiesOf(kernel: Kernel, loop: Loop, reads: Reads): number {
  const size = knownOr(loop.size, 1024);
  const reduces = kernel.stages.some((s) => s.over.length > 0);
  if (reduces && reads.transcendentals === 0 && reads.nodes <= 40 && size >= 16) return 4;
  if (reads.transcendentals > 0 || reads.nodes > 24) return 1;
  return size >= 8 && reads.nodes <= 12 ? 2 : 1;
}

/** Defines the kernel's functions; the driver has the name given and takes the entry's dims. */
export function defineLoopKernel(context: EntryContext, kernel: Kernel, name: string): void {
  const plan = planOf(kernel);
  const { code } = context;
  const { loops, chunked, chunk } = plan;
  const dims = context.dims.map(() => "i32" as const);
  const outer = loops.slice(0, chunked);
  const chunkLoop = loops[chunked];
  const innerName = `${name}.run`;
  const innerParameters = [
    ...outer.map(() => "i32" as const),
    ...(chunkLoop ? (["i32", "i32"] as const) : []),
  ];

  defineFunction(code, innerName, [...innerParameters, ...dims], undefined, (fn) => {
    const symbols = dimSymbols(context.dims, fn.parameters.slice(innerParameters.length));
    const emitter = makeEmitter(fn, context, symbols);
    for (const buffer of buffersStored(kernel.stages)) emitter.written.add(buffer);
    emitter.listed = new Map((kernel.lists ?? []).map((lists) => [kernel.stages[lists.stage]!, lists]));
    emitter.enter();
    outer.forEach((loop, i) => bindLoop(emitter, loop, fn.parameters[i]!));
    if (chunkLoop === undefined) {
      writeStages([emitter], kernel.stages, false);
      emitter.leave();
      return undefined;
    }
    const from = fn.parameters[outer.length]!;
    const to = fn.parameters[outer.length + 1]!;
    const guards = readsOf(kernel.stages.map((s) => s.value)).guards;
    const rest = loops.slice(chunked + 1);
    const size = dim.constantOf(loops.at(-1)!.size);
    const lastLoop = (range: { from: Expr; to: Expr }): void => {
      const loop = loops.at(-1)!;
      if (plan.lanes)
        vectorLoop(
          [emitter],
          { loop, ...range, whole: size !== undefined && size % 4 === 0, guards, copies: plan.copies },
          (_, emitters) => writeStages(emitters, kernel.stages, true),
        );
      else
        fn.count(range.from, range.to, 1, (i) => {
          emitter.enter();
          bindLoop(emitter, loop, i);
          writeStages([emitter], kernel.stages, false);
          emitter.leave();
        });
    };
    if (rest.length === 0) lastLoop({ from, to });
    else
      fn.count(from, to, 1, (i) => {
        emitter.enter();
        bindLoop(emitter, chunkLoop, i);
        runNest([emitter] as Emitters, rest.slice(0, -1), () =>
          lastLoop({ from: code.int(0), to: emitter.size(rest.at(-1)!.size) }),
        );
        emitter.leave();
      });
    emitter.leave();
    return undefined;
  });

  const { lists = [] } = kernel;
  if (lists.length > 0) defineLists(context, kernel, `${name}.lists`);
  defineFunction(code, name, dims, undefined, (fn) => {
    const { threads } = context;
    if (lists.length > 0) {
      const make = (): void => fn.call(`${name}.lists`, fn.parameters);
      if (threads === undefined) make();
      else {
        threads.first(fn, make);
        threads.wait(fn);
      }
    }
    const symbols = dimSymbols(context.dims, fn.parameters);
    const size = (of: Dim): Expr => sizeCode(code, of, symbols);
    const whole = chunkLoop && dim.constantOf(chunkLoop.size);
    const isOneChunk = chunkLoop === undefined || (whole !== undefined && whole <= chunk);
    const chunks = isOneChunk
      ? code.int(1)
      : code.op("i32.div_u", code.add(size(chunkLoop!.size), code.int(chunk - 1)), code.int(chunk));
    const calls = outer.reduce<Expr>((product, loop) => code.mul(product, size(loop.size)), chunks);
    const part = threads?.share(fn, calls);
    const number = part && fn.keep(code.int(0));
    /** calls are numbered as they come, and each thread makes those of its part */
    const call = (operands: readonly Expr[]): void => {
      if (part === undefined) {
        fn.call(innerName, [...operands, ...fn.parameters]);
        return;
      }
      const isOwn = code.op("i32.lt_u", code.sub(number!, part.from), code.sub(part.to, part.from));
      fn.when(isOwn, () => fn.call(innerName, [...operands, ...fn.parameters]));
      fn.set(number!, code.add(number!, code.int(1)));
    };
    const walk = (at: number, indices: readonly Expr[]): void => {
      if (at < outer.length) {
        fn.count(code.int(0), size(outer[at]!.size), 1, (i) => walk(at + 1, [...indices, i]));
        return;
      }
      if (chunkLoop === undefined) {
        call(indices);
        return;
      }
      if (isOneChunk) {
        call([...indices, code.int(0), code.int(whole!)]);
        return;
      }
      const end = fn.keep(size(chunkLoop.size));
      fn.count(code.int(0), end, chunk, (from) => {
        const to = code.min(fn.keep(code.add(from, code.int(chunk))), end);
        call([...indices, from, to]);
      });
    };
    walk(0, []);
    return undefined;
  });
}

/** Whether all of a kernel is one call, which one thread makes. */
export function isOneCall(kernel: Kernel): boolean {
  const { loops, chunked, chunk } = planOf(kernel);
  const size = loops[chunked] && dim.constantOf(loops[chunked].size);
  return chunked === 0 && (loops.length === 0 || (size !== undefined && size <= chunk));
}
