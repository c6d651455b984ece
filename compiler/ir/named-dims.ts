/**
 * Free dims under the names of the program. Where 2 divides T, sizes of a graph are made of a dim of their own, half of
 * T, so that every size is a polynomial; people and artifacts speak of T.
 */
import * as dim from "./dim.ts";
import type { Dim } from "./dim.ts";
import type { FreeDim } from "./graph.ts";

type Named = Pick<FreeDim, "name" | "of">;

/** What people call it. */
export function nameOf({ name, of }: Named): string {
  return of?.name ?? name;
}

/** The size of the program's dim for a size of the graph's. */
export function namedSize({ of }: Named, size: number): number {
  return size * (of?.times ?? 1);
}

/** Sizes of the graph's dims, of those that are given by the program's names; the largest that are not above them. */
export function ownSizes(
  dims: readonly Named[],
  named: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map(
    dims.flatMap((each) => {
      const size = named.get(nameOf(each));
      return size === undefined ? [] : [[each.name, Math.floor(size / (each.of?.times ?? 1))] as const];
    }),
  );
}

/** A size of the graph in the program's dims: 2 * T/1 is T, and T/1 alone floor(T / 2). */
export function inNames(size: Dim, dims: readonly Named[]): Dim {
  return dims.reduce((now, { name, of }) => (of ? inName(now, name, of) : now), size);
}

function inName(size: Dim, name: string, { name: whole, times }: NonNullable<FreeDim["of"]>): Dim {
  const part = new Map([[name, dim.floorDivide(dim.symbol(whole), dim.constant(times))]]);
  const multiple = dim.multiply(dim.constant(times), dim.symbol(name));
  let result = dim.zero;
  for (const term of size.terms) {
    let rest = dim.fromTerms([term]);
    let wholes = dim.one;
    for (let quotient = dim.divideExactly(rest, multiple); quotient;) {
      rest = quotient;
      wholes = dim.multiply(wholes, dim.symbol(whole));
      quotient = dim.divideExactly(rest, multiple);
    }
    result = dim.add(result, dim.multiply(wholes, inFloors(rest, name, { name: whole, times }, part)));
  }
  return result;
}

/** A term without a multiple of the dim: what is left of it stands alone or within floors. */
function inFloors(
  term: Dim,
  name: string,
  of: NonNullable<FreeDim["of"]>,
  part: ReadonlyMap<string, Dim>,
): Dim {
  return term.terms.reduce(
    (sum, { coefficient, atoms }) =>
      dim.add(
        sum,
        dim.product([
          dim.constant(coefficient),
          ...atoms.map((atom) =>
            atom.kind === "symbol"
              ? dim.substitute(dim.symbol(atom.name), part)
              : dim.floorDivide(inName(atom.numerator, name, of), inName(atom.denominator, name, of)),
          ),
        ]),
      ),
    dim.zero,
  );
}
