/**
 * How small and how large sizes can be, by what is promised. Every dim is at least 1; a promise that speaks of one dim
 * alone (`5 <= T`, `floor(H / 2) <= 8`) narrows it.
 */
import * as dim from "../ir/dim.ts";
import type { Atom, Dim } from "../ir/dim.ts";

/** Both ends are possible sizes, or infinite. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Bounds {
  /** of a dim */
  of(name: string): Interval;
  /** of a size that is made of dims */
  around(size: Dim): Interval;
  /** whether the size is known not to be negative */
  isNatural(size: Dim): boolean;
}

const all: Interval = { low: -Infinity, high: Infinity };
const whole: Interval = { low: 1, high: Infinity };

/** `slacks`: sizes that are promised not to be negative. */
export function boundsOf(slacks: readonly Dim[]): Bounds {
  const known = new Map<string, Interval>();
  const of = (name: string): Interval => known.get(name) ?? whole;

  /** What a promise says of a dim, where it speaks of nothing else: a * n + k >= 0. */
  function learn(slack: Dim): void {
    const constant = slack.terms.find((term) => term.atoms.length === 0)?.coefficient ?? 0;
    const [term, more] = slack.terms.filter((each) => each.atoms.length > 0);
    const atom = term?.atoms[0];
    if (!term || !atom || more || term.atoms.length > 1) return;
    const low = term.coefficient > 0;
    const limit = low
      ? Math.ceil(-constant / term.coefficient)
      : Math.floor(constant / Math.abs(term.coefficient));
    if (atom.kind === "symbol") {
      const old = of(atom.name);
      known.set(
        atom.name,
        low ? { ...old, low: Math.max(old.low, limit) } : { ...old, high: Math.min(old.high, limit) },
      );
      return;
    }
    const by = dim.constantOf(atom.denominator);
    if (by === undefined || by < 1) return;
    // v <= floor(n / d) is d * v <= n; floor(n / d) <= v is n <= d * v + d - 1
    if (low) learn(dim.subtract(atom.numerator, dim.constant(by * limit)));
    else learn(dim.subtract(dim.constant(by * limit + by - 1), atom.numerator));
  }

  function aroundAtom(atom: Atom): Interval {
    if (atom.kind === "symbol") return of(atom.name);
    const by = dim.constantOf(atom.denominator);
    if (by === undefined || by < 1) return all;
    const { low, high } = around(atom.numerator);
    return { low: Math.floor(low / by), high: Math.floor(high / by) };
  }

  function around(size: Dim): Interval {
    let low = 0;
    let high = 0;
    for (const term of size.terms) {
      const part = term.atoms.reduce((a, atom) => times(a, aroundAtom(atom)), {
        low: term.coefficient,
        high: term.coefficient,
      });
      low += part.low;
      high += part.high;
    }
    return { low, high };
  }

  /** The size with every dim counted from its least value, so that 1 is the least of all. */
  function fromLeast(size: Dim): Dim {
    const shifts = new Map<string, Dim>();
    for (const name of dim.symbolsOf(size)) {
      const { low } = of(name);
      if (low > 1) shifts.set(name, dim.add(dim.symbol(name), dim.constant(low - 1)));
    }
    return dim.substitute(size, shifts);
  }

  /** A polynomial with no negative term but its constant has its least value where all dims are 1. */
  function isRising(size: Dim): boolean {
    const { terms } = fromLeast(size);
    return (
      terms.every((term) => term.atoms.every((atom) => atom.kind === "symbol")) &&
      terms.every((term) => term.coefficient > 0 || term.atoms.length === 0) &&
      terms.reduce((sum, term) => sum + term.coefficient, 0) >= 0
    );
  }

  function isNatural(size: Dim, depth = 3): boolean {
    if (isRising(size) || around(size).low >= 0) return true;
    const without = depth > 0 ? withoutFloor(size) : undefined;
    return without !== undefined && isNatural(without, depth - 1);
  }

  for (const slack of slacks) learn(slack);
  return { of, around, isNatural: (size) => isNatural(size) };
}

function times(a: Interval, b: Interval): Interval {
  // nothing times anything is nothing, also without a bound
  const ends = [a.low, a.high].flatMap((x) => [b.low, b.high].map((y) => (x === 0 || y === 0 ? 0 : x * y)));
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

/**
 * A size without its first floor(n / d), never above d times the old one: n - d + 1 stands for d * floor(n / d) where more
 * of it makes the size larger, n where it makes it smaller. Undefined where there is none that stands alone.
 */
function withoutFloor(size: Dim): Dim | undefined {
  const floor = size.terms
    .flatMap((term) => term.atoms)
    .find((atom) => atom.kind === "floor" && (dim.constantOf(atom.denominator) ?? 0) > 0);
  if (floor?.kind !== "floor") return undefined;
  const by = dim.constantOf(floor.denominator)!;
  let result = dim.zero;
  for (const term of size.terms) {
    const own = dim.fromTerms([term]);
    const rest = dim.divideExactly(own, dim.fromTerms([{ coefficient: 1, atoms: [floor] }]));
    if (!rest) {
      if (term.atoms.some((atom) => atom.key === floor.key)) return undefined;
      result = dim.add(result, dim.multiply(own, dim.constant(by)));
      continue;
    }
    if (rest.terms.some((each) => each.atoms.some((atom) => atom.kind === "floor"))) return undefined;
    const bound =
      term.coefficient > 0 ? dim.subtract(floor.numerator, dim.constant(by - 1)) : floor.numerator;
    result = dim.add(result, dim.multiply(rest, bound));
  }
  return result;
}
