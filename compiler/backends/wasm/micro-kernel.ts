/**
 * Micro-kernels and the loops right around them, shared by all contractions of a module. A micro-kernel adds k products
 * to a tile of 1..6 x 8 accumulators in registers. The tiles of a block of rows lie in memory as
 * [column panel][row panel][6][8]; between blocks of k the accumulators wait there.
 *
 * a: `rows`: element (i, k) at a + i * lda + 4 k; `columns`: at a + k * lda + 4 i.
 * b: element (k, j) at b + k * ldb + 4 j; packed panels have ldb = 32.
 */
import { defineFunction } from "./code.ts";
import type { Code, Expr, Local } from "./code.ts";

export type LayoutA = "rows" | "columns";
export type LayoutB = "panels" | "strided";

export const tileRows = 6;
export const tileColumns = 8;
export const tileBytes = tileRows * tileColumns * 4;
const unroll = 4;

/** Gives names of block functions, and defines those that were asked for. */
export interface MicroKernels {
  /**
   * block(a, panelA, lda, b, panelB, ldb, tile, rows, columnPanels, k, load): all tiles of a block of rows. `panelA` and
   * `panelB` are bytes between panels of 6 rows and of 8 columns; load 0 starts from zero.
   */
  block(a: LayoutA, b: LayoutB): string;
  define(): void;
}

export function microKernels(code: Code): MicroKernels {
  const wanted = new Map<string, readonly [LayoutA, LayoutB]>();
  return {
    block(a, b) {
      const name = `block_${a}_${b}`;
      wanted.set(name, [a, b]);
      return name;
    },
    define() {
      for (const [name, [a, b]] of wanted) {
        for (let rows = 1; rows <= tileRows; rows++) defineMicro(code, a, b, rows);
        defineBlock(code, name, a, b);
      }
    },
  };
}

const microName = (a: LayoutA, b: LayoutB, rows: number): string => `micro_${a}_${b}_${rows}`;

function defineMicro(code: Code, layoutA: LayoutA, layoutB: LayoutB, rows: number): void {
  const { add, int } = code;
  const parameters = Array.from({ length: 7 }, () => "i32" as const);
  defineFunction(code, microName(layoutA, layoutB, rows), parameters, undefined, (fn) => {
    const [a, lda, b, ldb, tile, k, load] = fn.parameters as readonly Local[] as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const sums = Array.from({ length: rows }, () => [fn.local("v128"), fn.local("v128")] as const);
    fn.when(load, () =>
      sums.forEach((pair, i) =>
        pair.forEach((sum, half) => fn.set(sum, code.load("v128", tile, i * 32 + half * 16))),
      ),
    );
    const pointers: Local[] = [];
    if (layoutA === "rows")
      for (let i = 0; i < rows; i++) pointers.push(i === 0 ? a : fn.keep(add(pointers[i - 1]!, lda)));
    const b0 = fn.local("v128");
    const b1 = fn.local("v128");

    /** Position k + `ahead`; b's pointer stands there already where it is strided. */
    function step(ahead: number): void {
      const offsetB = layoutB === "panels" ? ahead * 32 : 0;
      fn.set(b0, code.load("v128", b, offsetB));
      fn.set(b1, code.load("v128", b, offsetB + 16));
      for (let i = 0; i < rows; i++) {
        const [low, high] = sums[i]!;
        const x = fn.keep(
          layoutA === "rows"
            ? code.load("v128.splat32", pointers[i]!, ahead * 4)
            : code.load("v128.splat32", a, i * 4),
        );
        fn.set(low, code.madd(x, b0, low));
        fn.set(high, code.madd(x, b1, high));
      }
      if (layoutB === "strided") fn.set(b, add(b, ldb));
      if (layoutA === "columns") fn.set(a, add(a, lda));
    }
    function advance(by: number): void {
      if (layoutB === "panels") fn.set(b, add(b, int(by * 32)));
      if (layoutA === "rows") for (const pointer of pointers) fn.set(pointer, add(pointer, int(by * 4)));
      fn.set(k, code.sub(k, int(by)));
    }

    fn.whileLoop(code.op("i32.ge_s", k, int(unroll)), () => {
      for (let ahead = 0; ahead < unroll; ahead++) step(ahead);
      advance(unroll);
    });
    fn.whileLoop(code.op("i32.gt_s", k, int(0)), () => {
      step(0);
      advance(1);
    });
    sums.forEach((pair, i) => pair.forEach((sum, half) => fn.store("v128", tile, sum, i * 32 + half * 16)));
    return undefined;
  });
}

/** Column panels outside, row panels inside: one panel of b stays in the first cache. */
function defineBlock(code: Code, name: string, layoutA: LayoutA, layoutB: LayoutB): void {
  const { add, int } = code;
  const parameters = Array.from({ length: 11 }, () => "i32" as const);
  defineFunction(code, name, parameters, undefined, (fn) => {
    const [a, panelA, lda, b, panelB, ldb, tile, rows, columnPanels, k, load] = fn.parameters as readonly [
      ...Local[],
    ] as [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];
    const call = (count: number, at: Expr): void =>
      fn.call(microName(layoutA, layoutB, count), [at, lda, b, ldb, tile, k, load]);
    const full = fn.keep(code.op("i32.div_u", rows, int(tileRows)));
    const left = fn.keep(code.sub(rows, code.mul(full, int(tileRows))));
    fn.count(int(0), columnPanels, 1, () => {
      const at = fn.keep(a);
      fn.count(int(0), full, 1, () => {
        call(tileRows, at);
        fn.set(at, add(at, panelA));
        fn.set(tile, add(tile, int(tileBytes)));
      });
      fn.when(left, () => {
        for (let count = 1; count < tileRows; count++)
          fn.when(code.op("i32.eq", left, int(count)), () => call(count, at));
        fn.set(tile, add(tile, int(tileBytes)));
      });
      fn.set(b, add(b, panelB));
    });
    return undefined;
  });
}
