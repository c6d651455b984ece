/** Proofs about sizes: every free dim is at least 1, a loop axis lies in [0, size). */
import * as dim from "../ir/dim.ts";
import type { Atom, Dim, Term } from "../ir/dim.ts";
import { affineAdd, affineScale } from "../ir/scalar.ts";
import type { Affine, Index } from "../ir/scalar.ts";
import { sameShape } from "../ir/type.ts";

/** Polynomials that are at most a positive multiple of `a`, in which one floor by a constant is replaced. */
function belowFloors(a: Dim): Dim[] {
  for (const term of a.terms) {
    const at = term.atoms.findIndex((atom) => atom.kind === "floor");
    const atom = term.atoms[at];
    if (atom === undefined || atom.kind !== "floor") continue;
    const d = dim.constantOf(atom.denominator);
    const others = term.atoms.filter((_, i) => i !== at);
    if (d === undefined || d <= 0 || !others.every(positive)) return [];
    const only = (t: Term): Dim => dim.fromTerms([t]);
    const without = dim.subtract(a, only(term));
    const factor = only({ coefficient: term.coefficient, atoms: others });
    // (n - d + 1) / d <= floor(n / d) <= n / d
    const bound = term.coefficient > 0 ? dim.add(atom.numerator, dim.constant(1 - d)) : atom.numerator;
    const linear = dim.add(dim.multiply(without, dim.constant(d)), dim.multiply(factor, bound));
    return term.coefficient > 0 && positive(atom) ? [linear, without] : [linear];
  }
  return [];
}

/** Whether an atom is known to be at least 0. */
function positive(atom: Atom): boolean {
  if (atom.kind === "symbol") return true;
  return nonNegative(atom.numerator) && (dim.constantOf(atom.denominator) ?? 0) > 0;
}

function hasFloor(a: Dim): boolean {
  return a.terms.some((term) => term.atoms.some((atom) => atom.kind === "floor"));
}

/** True where a >= 0 is proved for all free dims >= 1. */
export function nonNegative(a: Dim): boolean {
  const number = dim.constantOf(a);
  if (number !== undefined) return number >= 0;
  if (hasFloor(a)) return belowFloors(a).some(nonNegative);
  // s = 1 + s', s' >= 0: no negative coefficient means no negative value
  const shifted = dim.substitute(
    a,
    new Map([...dim.symbolsOf(a)].map((name) => [name, dim.add(dim.one, dim.symbol(name))])),
  );
  return shifted.terms.every((term) => term.coefficient >= 0);
}

/** Smallest and largest value over all positions of its axes; undefined where a coefficient has no known sign. */
export function rangeOf(a: Affine): { readonly low: Dim; readonly high: Dim } | undefined {
  let low = a.constant;
  let high = a.constant;
  for (const { axis, coefficient } of a.terms) {
    const reach = dim.multiply(coefficient, dim.subtract(axis.size, dim.one));
    if (nonNegative(coefficient)) high = dim.add(high, reach);
    else if (nonNegative(dim.negate(coefficient))) low = dim.add(low, reach);
    else return undefined;
  }
  return { low, high };
}

function numbersOf(a: Affine): { readonly low: number; readonly high: number } | undefined {
  const start = dim.constantOf(a.constant);
  if (start === undefined) return undefined;
  let low = start;
  let high = start;
  for (const { axis, coefficient } of a.terms) {
    const size = dim.constantOf(axis.size);
    const factor = dim.constantOf(coefficient);
    if (size === undefined || factor === undefined) return undefined;
    if (factor > 0) high += factor * (size - 1);
    else low += factor * (size - 1);
  }
  return { low, high };
}

/** True where 0 <= a < size is proved. A loop of no positions proves everything about its index. */
export function provedInside(a: Affine, size: Dim): boolean {
  if (a.terms.some(({ axis }) => dim.constantOf(axis.size) === 0)) return true;
  // symbols need polynomials; numbers are most of the work and need none
  const numbers = numbersOf(a);
  const known = dim.constantOf(size);
  if (numbers && known !== undefined) return numbers.low >= 0 && numbers.high < known;
  const range = rangeOf(a);
  if (range === undefined) return false;
  return nonNegative(range.low) && nonNegative(dim.subtract(dim.subtract(size, dim.one), range.high));
}

/** A position in a row-major view. */
export interface Positioned {
  readonly shape: readonly Dim[];
  readonly index: readonly (Affine | Index)[];
}

/** Positions that only the steps of a loop around tell apart, and that differ in every step. */
function apartInSteps(a: Affine | Index, b: Affine | Index): boolean {
  const [x, y] = [a, b].map((i) => (!("kind" in i) ? i : i.kind === "affine" ? i.affine : undefined));
  if (!x || !y) return false;
  const difference = affineAdd(x, affineScale(y, -1));
  const steps = [...x.terms, ...y.terms].every(({ axis }) => axis.counter);
  return steps && difference.terms.length === 0 && (dim.constantOf(difference.constant) ?? 0) !== 0;
}

/**
 * True where on some axis all positions of one lie before all positions of the other, or both are one position a step, and
 * never the same.
 */
export function disjoint(a: Positioned, b: Positioned): boolean {
  if (!sameShape(a.shape, b.shape)) return false;
  const before = (x: Dim, y: Dim): boolean => nonNegative(dim.subtract(dim.subtract(y, x), dim.one));
  const range = (i: Affine | Index): ReturnType<typeof rangeOf> =>
    !("kind" in i) ? rangeOf(i) : i.kind === "affine" ? rangeOf(i.affine) : undefined;
  return a.index.some((i, k) => {
    if (apartInSteps(i, b.index[k]!)) return true;
    const x = range(i);
    const y = range(b.index[k]!);
    return x !== undefined && y !== undefined && (before(x.high, y.low) || before(y.high, x.low));
  });
}
