/**
 * Taking a flat position apart (merged axes) without division. `unmerge` answers with digits: virtual axes that stand
 * for the parts. They vanish where they are put together again, or where a stored tensor is read through its flat view;
 * what is left is resolved by splitting the loop axes that the position is made of.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import * as scalar from "../ir/scalar.ts";
import type { Affine, LoopAxis } from "../ir/scalar.ts";
import { nonNegative, provedInside, rangeOf } from "./bounds.ts";
import type { Names } from "./scalar-walk.ts";

interface Group {
  readonly index: Affine;
  readonly sizes: readonly Dim[];
  /** one an axis; none where the size is 1 */
  readonly axes: readonly (LoopAxis | undefined)[];
  readonly owner: object;
}

/** A position that cannot be taken apart: what `owner` reads must be stored, or `owner` itself. */
export class Unsplittable extends Error {
  readonly owner: object;
  constructor(owner: object) {
    super("two splits of one axis do not refine each other");
    this.owner = owner;
  }
}

export interface Digits {
  unmerge(index: Affine, sizes: readonly Dim[], owner: object): readonly Affine[];
  /** whole groups of digits put together again */
  recombine(index: Affine): Affine;
  /** the coarsest row-major view that the same element has, given digits in the index */
  collapse(
    shape: readonly Dim[],
    index: readonly Affine[],
  ): { readonly shape: readonly Dim[]; readonly index: readonly Affine[] };
  /** the loops that a digit is a part of (itself, where the axis is a loop), and which digit it is */
  origin(axis: LoopAxis): { readonly loops: readonly LoopAxis[]; readonly at: number };
  /** Makes all digits among these axes affine in real axes, by splitting loops. */
  resolve(axes: Iterable<LoopAxis>): void;
  /** after `resolve`: an index in the loops that really run */
  real(index: Affine): Affine;
  /** after `resolve`: the loops that stand in the place of an axis */
  loops(axis: LoopAxis): readonly LoopAxis[];
  /** makes `axis` two loops: high * low.size + low */
  split(axis: LoopAxis, low: Dim): void;
}

export const isUnit = (size: Dim): boolean => dim.constantOf(size) === 1;

/** Row-major number of an index. */
export function flatIndex(index: readonly Affine[], shape: readonly Dim[]): Affine {
  const strides = dim.strides(shape);
  return index.reduce(
    (sum, a, k) => scalar.affineAdd(sum, scalar.affineScale(a, strides[k]!)),
    scalar.affineConstant(0),
  );
}

/** For each axis of the coarser shape, which axes of the finer one it is made of; undefined where it is not coarser. */
export function groupAxes(finer: readonly Dim[], coarser: readonly Dim[]): number[][] | undefined {
  let next = 0;
  const groups = coarser.map((size) => {
    const group: number[] = [];
    let rest: Dim | undefined = size;
    while (rest && !isUnit(rest) && next < finer.length) {
      rest = dim.divideExactly(rest, finer[next]!);
      group.push(next++);
    }
    return rest && isUnit(rest) ? group : undefined;
  });
  while (next < finer.length && isUnit(finer[next]!)) next++;
  return next === finer.length && groups.every((g) => g !== undefined) ? groups : undefined;
}

/** First (largest) stride that divides the coefficient. */
function slotOf(coefficient: Dim, strides: readonly Dim[]): { slot: number; factor: Dim } | undefined {
  for (let slot = 0; slot < strides.length; slot++) {
    const factor = dim.divideExactly(coefficient, strides[slot]!);
    if (factor !== undefined && nonNegative(factor)) return { slot, factor };
  }
  return undefined;
}

/** Takes an index apart where it is an exact mixed-radix sum already. */
export function takeApart(index: Affine, sizes: readonly Dim[]): Affine[] | undefined {
  const strides = dim.strides(sizes);
  const parts: Affine[] = sizes.map(() => scalar.affineConstant(0));
  let rest = index.constant;
  for (let slot = 0; slot < sizes.length; slot++) {
    const whole = dim.constantOf(rest);
    const stride = dim.constantOf(strides[slot]!);
    let digit: Dim | undefined;
    if (whole !== undefined && stride !== undefined) digit = dim.constant(Math.floor(whole / stride));
    else digit = dim.divideExactly(rest, strides[slot]!);
    if (digit === undefined) continue;
    parts[slot] = scalar.affineShift(parts[slot]!, digit);
    rest = dim.subtract(rest, dim.multiply(digit, strides[slot]!));
  }
  if (!dim.equal(rest, dim.zero)) return undefined;
  for (const { axis, coefficient } of index.terms) {
    const place = slotOf(coefficient, strides);
    if (place === undefined) return undefined;
    parts[place.slot] = scalar.affineAdd(
      parts[place.slot]!,
      scalar.affineScale(scalar.affineAxis(axis), place.factor),
    );
  }
  return parts.every((part, k) => provedInside(part, sizes[k]!)) ? parts : undefined;
}

export function makeDigits(names: Names): Digits {
  const groups = new Map<string, Group>();
  const digitOf = new Map<LoopAxis, { readonly group: Group; readonly at: number }>();
  /** what a digit or a split axis is, in other axes */
  const values = new Map<LoopAxis, Affine>();
  const halves = new Map<LoopAxis, readonly [LoopAxis, LoopAxis]>();

  const real = (index: Affine): Affine => {
    let current = index;
    while (current.terms.some((t) => values.has(t.axis))) current = scalar.affineSubstitute(current, values);
    return current;
  };

  const recombine = (index: Affine): Affine => {
    for (const { axis } of index.terms) {
      const group = digitOf.get(axis)?.group;
      if (group === undefined) continue;
      const strides = dim.strides(group.sizes);
      const last = group.axes.reduce<number>((found, a, k) => (a === undefined ? found : k), -1);
      const find = (a: LoopAxis): Dim | undefined => index.terms.find((t) => t.axis === a)?.coefficient;
      const unit = find(group.axes[last]!);
      const factor = unit && dim.divideExactly(unit, strides[last]!);
      if (factor === undefined) continue;
      const whole = group.axes.every((a, k) => {
        if (a === undefined) return true;
        const coefficient = find(a);
        return coefficient !== undefined && dim.equal(coefficient, dim.multiply(factor, strides[k]!));
      });
      if (!whole) continue;
      const others: Affine = {
        constant: index.constant,
        terms: index.terms.filter((t) => !group.axes.includes(t.axis)),
      };
      return recombine(scalar.affineAdd(others, scalar.affineScale(group.index, factor)));
    }
    return index;
  };

  const split = (axis: LoopAxis, low: Dim): void => {
    const highSize = dim.divideExactly(axis.size, low);
    if (highSize === undefined) throw new Error(`a loop of ${axis.size.key} does not split by ${low.key}`);
    const high: LoopAxis = { name: `${axis.name}0`, size: highSize };
    const lowAxis: LoopAxis = { name: `${axis.name}1`, size: low };
    halves.set(axis, [high, lowAxis]);
    values.set(
      axis,
      scalar.affineAdd(scalar.affineScale(scalar.affineAxis(high), low), scalar.affineAxis(lowAxis)),
    );
  };

  /** Splits one loop of the index at a border between sizes; false where none can be split. */
  const splitOne = (index: Affine, sizes: readonly Dim[]): boolean => {
    const strides = dim.strides(sizes);
    for (const { axis, coefficient } of index.terms) {
      if (digitOf.has(axis)) continue;
      const place = slotOf(coefficient, strides);
      if (place === undefined || place.slot === 0) continue;
      const range = rangeOf({ constant: dim.zero, terms: [{ axis, coefficient: place.factor }] });
      const size = sizes[place.slot]!;
      if (range && nonNegative(dim.subtract(dim.subtract(size, dim.one), range.high))) continue;
      const low = dim.divideExactly(strides[place.slot - 1]!, coefficient);
      if (low === undefined || isUnit(low) || dim.equal(low, axis.size)) continue;
      if (dim.divideExactly(axis.size, low) === undefined) continue;
      split(axis, low);
      return true;
    }
    return false;
  };

  const resolveGroup = (group: Group): void => {
    for (const { axis } of group.index.terms) {
      const inner = digitOf.get(axis);
      if (inner && !values.has(axis)) resolveGroup(inner.group);
    }
    for (;;) {
      const index = real(group.index);
      const parts = takeApart(index, group.sizes);
      if (parts) {
        group.axes.forEach((axis, k) => axis && values.set(axis, parts[k]!));
        return;
      }
      if (!splitOne(index, group.sizes)) throw new Unsplittable(group.owner);
    }
  };

  return {
    unmerge(given, sizes, owner) {
      // an empty tensor is never read
      if (sizes.some((size) => dim.constantOf(size) === 0)) return sizes.map(() => scalar.affineConstant(0));
      const index = recombine(given);
      const real = sizes.flatMap((size, k) => (isUnit(size) ? [] : [k]));
      if (real.length <= 1) return sizes.map((_, k) => (k === real[0] ? index : scalar.affineConstant(0)));
      const parts = takeApart(index, sizes);
      if (parts) return parts;
      const key = `${names.affine(index)}:${sizes.map((s) => s.key).join(",")}`;
      let group = groups.get(key);
      if (group === undefined) {
        const name = index.terms[0]?.axis.name ?? "i";
        const axes = sizes.map((size, k) => (isUnit(size) ? undefined : { name: `${name}_${k}`, size }));
        group = { index, sizes, axes, owner };
        groups.set(key, group);
        for (const [at, axis] of axes.entries()) if (axis) digitOf.set(axis, { group, at });
      }
      return group.axes.map((axis) => (axis ? scalar.affineAxis(axis) : scalar.affineConstant(0)));
    },
    recombine,
    collapse(shape, index) {
      const flatShape = [...shape];
      const flat = index.map(recombine);
      for (let p = 0; p < flat.length; p++) {
        const digit = soleAxis(flat[p]!);
        const found = digit && digitOf.get(digit);
        if (!found) continue;
        const { group } = found;
        const wanted = group.axes.flatMap((axis, k) => (axis ? [{ axis, size: group.sizes[k]! }] : []));
        if (wanted[0]!.axis !== digit) continue;
        let end = p;
        let next = 0;
        for (; end < flat.length && next < wanted.length; end++) {
          const want = wanted[next]!;
          if (soleAxis(flat[end]!) === want.axis && dim.equal(flatShape[end]!, want.size)) next++;
          else if (!isUnit(flatShape[end]!) || flat[end]!.terms.length > 0) break;
        }
        if (next < wanted.length) continue;
        flatShape.splice(p, end - p, dim.product(group.sizes));
        flat.splice(p, end - p, recombine(group.index));
        p--;
      }
      return { shape: flatShape, index: flat };
    },
    origin(axis) {
      const digit = digitOf.get(axis);
      if (digit === undefined) return { loops: [axis], at: 0 };
      return { loops: digit.group.index.terms.flatMap((t) => this.origin(t.axis).loops), at: digit.at };
    },
    resolve(axes) {
      for (const axis of axes) {
        const digit = digitOf.get(axis);
        if (digit && !values.has(axis)) resolveGroup(digit.group);
      }
    },
    real,
    loops(axis) {
      const both = halves.get(axis);
      if (both === undefined) return [axis];
      return both.flatMap((half) => this.loops(half));
    },
    split,
  };
}

/** The axis, where the index is nothing but one axis. */
function soleAxis(index: Affine): LoopAxis | undefined {
  const term = index.terms[0];
  return index.terms.length === 1 && dim.equal(index.constant, dim.zero) && isUnit(term!.coefficient)
    ? term!.axis
    : undefined;
}
