/** Which loops of a sum of products are batch, rows and columns, and which factors belong to a and to b. */
import * as dim from "../ir/dim.ts";
import type { LoopAxis, Scalar } from "../ir/scalar.ts";
import { target } from "./target.ts";

/** Sizes decide, never the value of a free dim: that counts as large. */
const atLeast = (axes: readonly LoopAxis[], least: number): boolean => {
  const count = dim.constantOf(dim.product(axes.map((a) => a.size)));
  return count === undefined || count >= least;
};

export interface ContractionAxes {
  readonly batch: readonly LoopAxis[];
  readonly rows: readonly LoopAxis[];
  readonly columns: readonly LoopAxis[];
}

/** Which loops are batch, rows and columns, and which of both factors is b; undefined where a tile does not pay. */
function contractionAxes(
  grid: readonly LoopAxis[],
  inner: readonly LoopAxis[],
  first: ReadonlySet<LoopAxis>,
  second: ReadonlySet<LoopAxis>,
  /** the loop along which the result is contiguous */
  contiguous: LoopAxis | undefined,
): (ContractionAxes & { readonly swapped: boolean }) | undefined {
  if (grid.some((a) => !first.has(a) && !second.has(a))) return undefined;
  const batch = grid.filter((a) => first.has(a) && second.has(a));
  const onlyFirst = grid.filter((a) => !second.has(a));
  const onlySecond = grid.filter((a) => !first.has(a));
  const fits = (columns: readonly LoopAxis[]): boolean => atLeast(columns, target.leastColumns);
  const swapped =
    contiguous !== undefined && onlyFirst.includes(contiguous) ? fits(onlyFirst) : !fits(onlySecond);
  const rows = swapped ? onlySecond : onlyFirst;
  const columns = swapped ? onlyFirst : onlySecond;
  if (!fits(columns) || !atLeast(inner, target.leastInner)) return undefined;
  // a panel of b that only one row uses is packed for nothing
  if (rows.length === 0 && batch.length > 0) return undefined;
  return { batch, rows, columns, swapped };
}

/** The factors of a product, in order; one where it is no product. */
export function factorsOf(product: Scalar): readonly Scalar[] {
  return product.kind === "apply" && product.instruction === "mul"
    ? product.operands.flatMap(factorsOf)
    : [product];
}

export interface Grouped extends ContractionAxes {
  /** numbers of the factors whose product is a, and of those whose product is b */
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const mostFactors = 4;

/** Divides the factors, given by the loops that they use, among a and b: the way with the fewest batch positions. */
export function groupFactors(
  grid: readonly LoopAxis[],
  inner: readonly LoopAxis[],
  factors: readonly ReadonlySet<LoopAxis>[],
  contiguous: LoopAxis | undefined,
): Grouped | undefined {
  if (factors.length < 2 || factors.length > mostFactors) return undefined;
  let best: Grouped | undefined;
  // the first factor always belongs to the first group
  for (let mask = 0; mask < 2 ** (factors.length - 1) - 1; mask++) {
    const inFirst = (n: number): boolean => n === 0 || ((mask >> (n - 1)) & 1) === 1;
    const numbers = factors.map((_, n) => n);
    const first = numbers.filter(inFirst);
    const second = numbers.filter((n) => !inFirst(n));
    const union = (group: readonly number[]): Set<LoopAxis> =>
      new Set(group.flatMap((n) => [...factors[n]!]));
    const [ofFirst, ofSecond] = [union(first), union(second)];
    // a number is no operand: 0.5 * x * w is x times w, and not 0.5 times all
    if (ofFirst.size === 0 || ofSecond.size === 0) continue;
    const roles = contractionAxes(grid, inner, ofFirst, ofSecond, contiguous);
    if (roles === undefined || (best !== undefined && roles.batch.length >= best.batch.length)) continue;
    const { batch, rows, columns, swapped } = roles;
    best = { batch, rows, columns, a: swapped ? second : first, b: swapped ? first : second };
  }
  return best;
}
