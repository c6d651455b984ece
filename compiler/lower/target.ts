/** What lowering knows of the machine: the shape of the micro-kernel and the sizes of its panels. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";

export const target = {
  /** rows of a tile of accumulators */
  tileRows: 6,
  /** columns of a tile, and of a panel of b */
  tileColumns: 8,
  /** inner positions between which accumulators wait in memory: part of the order of additions */
  innerBlock: 256,
  /** rows packed at a time; a multiple of tileRows */
  rowBlock: 96,
  /** fewer columns or inner positions than these are plain reductions */
  leastColumns: 4,
  leastInner: 4,
  /** alignment of every buffer of a known size, and of the arena */
  alignment: 256,
  /**
   * Alignment of a buffer with free dims, for every value of them: each of its coefficients is rounded up to it. 6 heads
   * of T x T scores are 24 bytes for each B T T, which 256 would make ten times as many.
   */
  freeAlignment: 8,
  /** bytes of a memory with 32-bit addresses */
  largestMemory: 2 ** 32,
} as const;

export interface PanelSizes {
  readonly panelA: readonly Dim[];
  readonly panelB: readonly Dim[];
  readonly tile: readonly Dim[];
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/**
 * Sizes in f32 elements for a contraction of these numbers of rows, columns and inner positions:
 * panelA holds the rows of a block, rounded up to 6, times one block of inner: row after row or position after position;
 * panelB all columns, rounded up to 8, times inner: [block of 256 inner][column / 8][inner within the block][8];
 * tile the rows of a block times the columns, rounded up to 8: [column / 8][row / 6][6][8].
 * These are sizes, the backend decides the order within them.
 * A free size counts as large, and is rounded up by adding, so that sizes stay polynomials.
 */
export function panelSizes(rows: Dim, columns: Dim, inner: Dim): PanelSizes {
  const rowCount = dim.constantOf(rows);
  const columnCount = dim.constantOf(columns);
  const innerCount = dim.constantOf(inner);
  const blockRows =
    rowCount === undefined
      ? target.rowBlock
      : Math.min(target.rowBlock, roundUp(Math.max(rowCount, 1), target.tileRows));
  const allColumns =
    columnCount === undefined
      ? dim.add(columns, dim.constant(target.tileColumns - 1))
      : dim.constant(roundUp(columnCount, target.tileColumns));
  const blockInner = Math.min(target.innerBlock, innerCount ?? target.innerBlock);
  return {
    panelA: [dim.constant(blockRows), dim.constant(blockInner)],
    panelB: [allColumns, inner],
    tile: [dim.constant(blockRows), allColumns],
  };
}
