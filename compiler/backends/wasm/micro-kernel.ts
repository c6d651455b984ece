/**
 * Micro-kernels and the loops right around them, shared by all contractions of a module. A micro-kernel adds k products
 * to a tile of 1..6 x 8 accumulators in registers. The tiles of a block of rows lie in memory as
 * [column panel][row panel][6][8]; between blocks of k the accumulators wait there.
 *
 * a: `rows`: element (i, k) at a + i * lda + 4 k; `columns`: at a + k * lda + 4 i.
 * b: element (k, j) at b + k * ldb + 4 j; packed panels have ldb = 32.
 */
import { defineFunction } from "./function-builder.ts";
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

/**
 * Rows of one micro-kernel. Where products and sums are instructions of their own, a product needs a register too: more
 * rows then spill accumulators (24 against 42 GFLOP/s of 6 x 8 and of twice 3 x 8 on an EPYC of 2023, where 6 x 8 with
 * one rounding gives 50).
 */
const rowsAtOnce = ({ relaxed }: Code): number => (relaxed ? tileRows : 3);

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
        for (let rows = 1; rows <= rowsAtOnce(code); rows++) {
          defineMicro(code, a, b, rows, 1);
          if (panelsAtOnce(rows) > 1) defineMicro(code, a, b, rows, panelsAtOnce(rows));
        }
        defineBlock(code, name, a, b);
      }
    },
  };
}

/** Few rows have too few accumulators to hide the latency of an addition: they take several column panels. */
function panelsAtOnce(rows: number): number {
  return rows === 1 ? 4 : rows === 2 ? 2 : 1;
}

const microName = (a: LayoutA, b: LayoutB, rows: number, panels: number): string =>
  `micro_${a}_${b}_${rows}x${8 * panels}`;

type Locals<N extends number, All extends Local[] = []> = All["length"] extends N
  ? All
  : Locals<N, [...All, Local]>;

/**
 * micro(a, lda, b, panelB, ldb, tile, k, load). Tiles of neighbouring panels are `tileBytes` apart where there are
 * several: a block of few rows has one row panel.
 */
function defineMicro(code: Code, layoutA: LayoutA, layoutB: LayoutB, rows: number, panels: number): void {
  const { add, int } = code;
  const parameters = Array.from({ length: 8 }, () => "i32" as const);
  defineFunction(code, microName(layoutA, layoutB, rows, panels), parameters, undefined, (fn) => {
    const [a, lda, b, panelB, ldb, tile, k, load] = [...fn.parameters] as Locals<8>;
    interface Sum {
      readonly local: Local;
      readonly row: number;
      readonly panel: number;
      readonly half: number;
      readonly offset: number;
    }
    const sums: Sum[] = [];
    for (let row = 0; row < rows; row++)
      for (let panel = 0; panel < panels; panel++)
        for (let half = 0; half < 2; half++)
          sums.push({
            local: fn.local("v128"),
            row,
            panel,
            half,
            offset: panel * tileBytes + row * 32 + half * 16,
          });
    fn.when(load, () => {
      for (const { local, offset } of sums) fn.set(local, code.load("v128", tile, offset));
    });
    const pointersA: Local[] = [a];
    if (layoutA === "rows")
      for (let row = 1; row < rows; row++) pointersA.push(fn.keep(add(pointersA[row - 1]!, lda)));
    const pointersB: Local[] = [b];
    for (let panel = 1; panel < panels; panel++) pointersB.push(fn.keep(add(pointersB[panel - 1]!, panelB)));

    /** Position k + `ahead`; pointers that move by a stride stand there already. */
    function step(ahead: number): void {
      const elementA = (row: number): Local =>
        fn.keep(
          layoutA === "rows"
            ? code.load("v128.splat32", pointersA[row]!, ahead * 4)
            : code.load("v128.splat32", a, row * 4),
        );
      // at most 15 vectors are alive: elements of a wait only where they meet several panels
      const waiting = panels > 1 ? Array.from({ length: rows }, (_, row) => elementA(row)) : [];
      pointersB.forEach((pointer, panel) => {
        const vectors = [0, 16].map((half) =>
          fn.keep(code.load("v128", pointer, (layoutB === "panels" ? ahead * 32 : 0) + half)),
        );
        for (let row = 0; row < rows; row++) {
          const x = waiting[row] ?? elementA(row);
          for (const sum of sums)
            if (sum.row === row && sum.panel === panel)
              fn.set(sum.local, code.madd(x, vectors[sum.half]!, sum.local));
        }
      });
      if (layoutB === "strided") for (const pointer of pointersB) fn.set(pointer, add(pointer, ldb));
      if (layoutA === "columns") fn.set(a, add(a, lda));
    }
    function advance(by: number): void {
      if (layoutB === "panels") for (const pointer of pointersB) fn.set(pointer, add(pointer, int(by * 32)));
      if (layoutA === "rows") for (const pointer of pointersA) fn.set(pointer, add(pointer, int(by * 4)));
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
    for (const { local, offset } of sums) fn.store("v128", tile, local, offset);
    return undefined;
  });
}

/** Column panels outside, row panels inside: one panel of b stays in the first cache. */
function defineBlock(code: Code, name: string, layoutA: LayoutA, layoutB: LayoutB): void {
  const { add, int } = code;
  const parameters = Array.from({ length: 11 }, () => "i32" as const);
  defineFunction(code, name, parameters, undefined, (fn) => {
    const [a, panelA, lda, b, panelB, ldb, tile, rows, columnPanels, k, load] = [
      ...fn.parameters,
    ] as Locals<11>;
    const call = (count: number, panels: number, at: Expr): void => {
      const most = rowsAtOnce(code);
      for (let row = 0; row < count; row += most) {
        const from = layoutA === "rows" ? add(at, code.mul(lda, int(row))) : add(at, int(4 * row));
        const rows = Math.min(most, count - row);
        const to = add(tile, int(32 * row));
        fn.call(microName(layoutA, layoutB, rows, panels), [from, lda, b, panelB, ldb, to, k, load]);
      }
    };
    const panel = fn.keep(int(0));
    const advance = (panels: number): void => {
      fn.set(b, add(b, code.mul(panelB, int(panels))));
      fn.set(panel, add(panel, int(panels)));
    };
    for (let count = 1; panelsAtOnce(count) > 1; count++) {
      const panels = panelsAtOnce(count);
      const last = fn.keep(code.sub(columnPanels, int(panels)));
      fn.when(code.op("i32.eq", rows, int(count)), () =>
        fn.whileLoop(code.op("i32.le_s", panel, last), () => {
          call(count, panels, a);
          fn.set(tile, add(tile, int(panels * tileBytes)));
          advance(panels);
        }),
      );
    }
    const full = fn.keep(code.op("i32.div_u", rows, int(tileRows)));
    const left = fn.keep(code.sub(rows, code.mul(full, int(tileRows))));
    fn.whileLoop(code.op("i32.lt_s", panel, columnPanels), () => {
      const at = fn.keep(a);
      fn.count(int(0), full, 1, () => {
        call(tileRows, 1, at);
        fn.set(at, add(at, panelA));
        fn.set(tile, add(tile, int(tileBytes)));
      });
      fn.when(left, () => {
        for (let count = 1; count < tileRows; count++)
          fn.when(code.op("i32.eq", left, int(count)), () => call(count, 1, at));
        fn.set(tile, add(tile, int(tileBytes)));
      });
      advance(1);
    });
    return undefined;
  });
}
