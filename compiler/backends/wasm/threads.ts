/**
 * Threads that share one memory. All of them run the same entry: each does its part of a kernel, and waits where the next
 * reads what others have written. A part is a range of whole elements, so results have the same bits for every number of
 * threads. The caller is thread 0; the others wait in `work` for the number of an entry.
 */
import { InternalError } from "../../ir/internal-error.ts";
import type { Code, Expr } from "./code.ts";
import { defineFunction } from "./function-builder.ts";
import type { FunctionBuilder } from "./function-builder.ts";

/**
 * Exported mutable globals, set before the first call: number of this thread, how many there are, address of the words
 * below, and whether this thread may sleep (a page's own may not).
 */
export const threadGlobals = {
  id: "thread",
  count: "threads",
  words: "thread_words",
  sleeps: "thread_sleeps",
} as const;
/** Exported; the threads beside the caller are in it for good. */
export const workName = "work";

/** What threads tell each other, as i32 at `thread_words`. */
const words = { call: 0, entry: 4, arrived: 8, phase: 12, sleeping: 16, sizes: 20 } as const;
/** of them; the runtime has room for as many */
const wordsBytes = 256;
const mostSizes = (wordsBytes - words.sizes) / 4;

const barrierName = "threads.wait";
/** looks before a thread sleeps: some 50 us, the time between two calls of an app in a loop */
const looks = 20_000;

export interface Threads {
  readonly id: Expr;
  readonly count: Expr;
  /** Waits until all threads are here. */
  wait(fn: FunctionBuilder): void;
  /** The part of [0, total) that is this thread's. */
  share(fn: FunctionBuilder, total: Expr): { readonly from: Expr; readonly to: Expr };
  /** the first thread alone */
  first(fn: FunctionBuilder, action: () => void): void;
}

export function defineThreads(code: Code): Threads {
  const { module, binaryen } = code;
  for (const [name, start] of [
    [threadGlobals.id, 0],
    [threadGlobals.count, 1],
    [threadGlobals.words, 0],
    [threadGlobals.sleeps, 0],
  ] as const) {
    module.addGlobal(name, binaryen.i32, true, module.i32.const(start));
    module.addGlobalExport(name, name);
  }
  const id = code.global(threadGlobals.id);
  const count = code.global(threadGlobals.count);
  defineBarrier(code, count);
  const part = (total: Expr, thread: Expr): Expr => code.op("i32.div_u", code.mul(total, thread), count);
  return {
    id,
    count,
    wait: (fn) => fn.call(barrierName, []),
    share: (fn, total) => ({
      from: fn.keep(part(total, id)),
      to: fn.keep(part(total, code.add(id, code.int(1)))),
    }),
    first: (fn, action) => fn.when(code.op("i32.eq", id, code.int(0)), action),
  };
}

/** Atomic access to one of the words. */
function word(code: Code, offset: number) {
  const { module, binaryen } = code;
  const at = (): number => module.global.get(threadGlobals.words, binaryen.i32);
  const { atomic } = module.i32;
  const i32 = (make: () => number): Expr => ({ type: "i32", make });
  return {
    load: i32(() => atomic.load(offset, at())),
    /** gives what was there before */
    add: (value: number): Expr => i32(() => atomic.rmw.add(offset, at(), module.i32.const(value))),
    store: (value: Expr): number => atomic.store(offset, at(), value.make()),
    notify: (): number =>
      module.drop(
        module.memory.atomic.notify(module.i32.add(at(), module.i32.const(offset)), module.i32.const(-1)),
      ),
    sleepWhile: (value: Expr): number =>
      module.drop(
        module.memory.atomic.wait32(
          module.i32.add(at(), module.i32.const(offset)),
          value.make(),
          // no limit; the types of Binaryen still ask for halves
          (module.i64.const as (value: bigint) => number)(-1n),
        ),
      ),
  };
}

/** Looks until the word is no longer `old`; after many looks it sleeps, where it may. */
function waitWhile(code: Code, fn: FunctionBuilder, offset: number, old: Expr): void {
  const { load, sleepWhile } = word(code, offset);
  const sleeping = word(code, words.sleeping);
  const left = fn.keep(code.int(looks));
  const same = code.op("i32.eq", load, old);
  fn.whileLoop(same, () => {
    fn.set(left, code.sub(left, code.int(1)));
    const isLong = code.op("i32.le_s", left, code.int(0));
    fn.when(code.op("i32.and", isLong, code.global(threadGlobals.sleeps)), () => {
      fn.keep(sleeping.add(1));
      fn.block.push(sleepWhile(old));
      fn.keep(sleeping.add(-1));
    });
  });
}

/** Changes the word, and wakes those who sleep on it. Both orders are total, so nobody falls asleep on an old value. */
function change(code: Code, fn: FunctionBuilder, offset: number, value: Expr): void {
  const { store, notify } = word(code, offset);
  fn.block.push(store(value));
  fn.when(word(code, words.sleeping).load, () => fn.block.push(notify()));
}

function defineBarrier(code: Code, count: Expr): void {
  defineFunction(code, barrierName, [], undefined, (fn) => {
    const phase = word(code, words.phase);
    const arrived = word(code, words.arrived);
    fn.when(code.op("i32.lt_s", code.int(1), count), () => {
      const old = fn.keep(phase.load);
      const others = fn.keep(arrived.add(1));
      fn.when(
        code.op("i32.eq", code.add(others, code.int(1)), count),
        () => {
          fn.block.push(arrived.store(code.int(0)));
          change(code, fn, words.phase, code.add(old, code.int(1)));
        },
        () => waitWhile(code, fn, words.phase, old),
      );
    });
    return undefined;
  });
}

/** What all threads run, and how many sizes it takes. */
export interface SharedEntry {
  readonly name: string;
  readonly all: string;
  readonly sizes: number;
}

/** Exports each entry: it tells the other threads, and begins itself. */
export function defineCalls(code: Code, threads: Threads, entries: readonly SharedEntry[]): void {
  const { module } = code;
  entries.forEach(({ name, all, sizes }, number) => {
    if (sizes > mostSizes)
      throw new InternalError("wasm", `${name} has more dims than threads can be told of`, undefined);
    const parameters = Array.from({ length: sizes }, () => "i32" as const);
    defineFunction(code, name, parameters, undefined, (fn) => {
      fn.when(code.op("i32.lt_s", code.int(1), threads.count), () => {
        fn.parameters.forEach((size, i) => fn.block.push(word(code, words.sizes + 4 * i).store(size)));
        fn.block.push(word(code, words.entry).store(code.int(number)));
        change(code, fn, words.call, code.add(fn.keep(word(code, words.call).load), code.int(1)));
      });
      fn.call(all, fn.parameters);
      return undefined;
    });
  });
  defineFunction(code, workName, [], undefined, (fn) => {
    const done = fn.keep(code.int(0));
    fn.doWhile(code.int(1), () => {
      waitWhile(code, fn, words.call, done);
      fn.set(done, code.add(done, code.int(1)));
      const entry = fn.keep(word(code, words.entry).load);
      entries.forEach(({ all, sizes }, number) =>
        fn.when(code.op("i32.eq", entry, code.int(number)), () =>
          fn.call(
            all,
            Array.from({ length: sizes }, (_, i) => word(code, words.sizes + 4 * i).load),
          ),
        ),
      );
    });
    return undefined;
  });
  module.addFunctionExport(workName, workName);
}
