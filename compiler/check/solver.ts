/**
 * What is known of sizes while one declaration is checked: free dims, what `where` promises, and three answers to a
 * question: proved, refuted (with sizes that show it), or neither. Divisibility is solved by substitution
 * (`heads divides D`: D is heads times another whole number) before polynomials are normalised.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { boundsOf } from "./size-bounds.ts";
import type { Bounds, Interval } from "./size-bounds.ts";

export type Verdict =
  | { readonly kind: "proved" }
  /** false for these sizes; an empty witness: false for all */
  | { readonly kind: "refuted"; readonly witness: ReadonlyMap<string, number> }
  | { readonly kind: "unknown" };

/** A promise that is not a substitution. */
export type Fact =
  | { readonly kind: "equal"; readonly left: Dim; readonly right: Dim }
  /** left <= right */
  | { readonly kind: "at-most"; readonly left: Dim; readonly right: Dim }
  | { readonly kind: "divides"; readonly divisor: Dim; readonly of: Dim };

const proved: Verdict = { kind: "proved" };
const noSizes: ReadonlyMap<string, number> = new Map();

export interface Solver {
  /** The same size with all substitutions made. */
  normalise(size: Dim): Dim;
  equal(left: Dim, right: Dim): Verdict;
  atMost(left: Dim, right: Dim): Verdict;
  divides(divisor: Dim, of: Dim): Verdict;
  assume(fact: Fact): void;
  /** left / right where that is known to be whole, else floor(left / right) */
  quotient(left: Dim, right: Dim): Dim;
  /** Text for people, in the names that they wrote. */
  show(size: Dim): string;
  /** A new symbol that no text can name. */
  fresh(hint: string): Dim;
  /** Goes back to what was known at the time of the mark. */
  mark(): () => void;
  /** The symbols for which others were put: `D` -> 3 * D/3. */
  substitutions(): ReadonlyMap<string, Dim>;
}

/** Odd primes first: they show what even sizes hide. */
const trials: readonly number[] = [7, 5, 3, 2, 8, 12, 1];

/** Sizes to try for a dim: those that its bounds allow, and those next to its bounds. */
function trialsIn({ low, high }: Interval): readonly number[] {
  const near = [low, low + 1, low + 2, low + 3, high].filter(Number.isFinite);
  return [...new Set([...trials, ...near])].filter((size) => size >= low && size <= high);
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

export function createSolver(): Solver {
  let substitutions = new Map<string, Dim>();
  let facts: Fact[] = [];
  let count = 0;

  function normalise(size: Dim): Dim {
    if (substitutions.size === 0) return size;
    let result = size;
    // a substitution may bring in symbols that have one themselves; depth is bounded by their number
    for (let i = 0; i <= substitutions.size; i++) {
      const next = dim.substitute(result, substitutions);
      if (next.key === result.key) return next;
      result = next;
    }
    return result;
  }

  function slackOf(fact: Extract<Fact, { kind: "at-most" }>): Dim {
    return dim.subtract(normalise(fact.right), normalise(fact.left));
  }

  function boundsNow(): Bounds {
    return boundsOf(facts.flatMap((fact) => (fact.kind === "at-most" ? [slackOf(fact)] : [])));
  }

  function holds(fact: Fact, sizes: ReadonlyMap<string, number>): boolean {
    const value = (size: Dim): number => dim.evaluate(normalise(size), sizes);
    if (fact.kind === "equal") return value(fact.left) === value(fact.right);
    if (fact.kind === "at-most") return value(fact.left) <= value(fact.right);
    const divisor = value(fact.divisor);
    return divisor !== 0 && value(fact.of) % divisor === 0;
  }

  /** Sizes that make the test false and keep every promise. */
  function search(sizes: readonly Dim[], test: (sizes: ReadonlyMap<string, number>) => boolean): Verdict {
    const names = new Set<string>();
    for (const size of sizes) dim.symbolsOf(size, names);
    // promises of other dims can be kept whatever these are
    const linked = new Set<Fact>();
    for (let count = -1; count < linked.size;) {
      count = linked.size;
      for (const fact of facts) {
        const own = fact.kind === "divides" ? [fact.divisor, fact.of] : [fact.left, fact.right];
        const symbols = own.flatMap((size) => [...dim.symbolsOf(normalise(size))]);
        if (!symbols.some((name) => names.has(name))) continue;
        linked.add(fact);
        for (const name of symbols) names.add(name);
      }
    }
    // a part of a dim is shown by the dim, which takes the other parts too
    for (const written of substitutions.keys()) {
      const parts = [...dim.symbolsOf(normalise(dim.symbol(written)))];
      if (parts.some((name) => name.includes("/") && names.has(name)))
        for (const name of parts) names.add(name);
    }
    const list = [...names].sort();
    if (list.length > 4) return { kind: "unknown" };
    const found = new Map<string, number>();
    const bounds = boundsNow();
    const tried = list.map((name) => trialsIn(bounds.of(name)));
    let budget = 3000;
    const walk = (at: number): ReadonlyMap<string, number> | undefined => {
      if (at === list.length) {
        if (budget-- <= 0) return undefined;
        try {
          return [...linked].every((fact) => holds(fact, found)) && !test(found) ? new Map(found) : undefined;
        } catch {
          return undefined;
        }
      }
      for (const value of tried[at]!) {
        found.set(list[at]!, value);
        const witness = walk(at + 1);
        if (witness) return witness;
      }
      return undefined;
    };
    const witness = walk(0);
    const shown = witness && inNames(witness);
    return shown && shown.size > 0 ? { kind: "refuted", witness: shown } : { kind: "unknown" };
  }

  /** A witness in the dims that people wrote: `D = 12` instead of `D/3 = 4`. */
  function inNames(witness: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const result = new Map([...witness].filter(([name]) => !name.includes("/")));
    for (const name of substitutions.keys()) {
      const size = normalise(dim.symbol(name));
      if ([...dim.symbolsOf(size)].every((each) => witness.has(each)))
        result.set(name, dim.evaluate(size, witness));
    }
    return result;
  }

  function fresh(hint: string): Dim {
    count++;
    return dim.symbol(`${hint}/${count}`);
  }

  const solver: Solver = {
    normalise,
    substitutions: () => substitutions,
    fresh,
    equal(left, right) {
      if (left.key === right.key) return proved;
      const a = normalise(left);
      const b = normalise(right);
      if (a.key === b.key) return proved;
      const difference = dim.constantOf(dim.subtract(a, b));
      if (difference !== undefined) return { kind: "refuted", witness: noSizes };
      const stated = facts.some(
        (fact) =>
          fact.kind === "equal" &&
          ((normalise(fact.left).key === a.key && normalise(fact.right).key === b.key) ||
            (normalise(fact.left).key === b.key && normalise(fact.right).key === a.key)),
      );
      if (stated) return proved;
      return search([a, b], (sizes) => dim.evaluate(a, sizes) === dim.evaluate(b, sizes));
    },
    atMost(left, right) {
      const a = normalise(left);
      const b = normalise(right);
      const slack = dim.subtract(b, a);
      const known = dim.constantOf(slack);
      if (known !== undefined) return known >= 0 ? proved : { kind: "refuted", witness: noSizes };
      const bounds = boundsNow();
      if (bounds.isNatural(slack)) return proved;
      for (const fact of facts) {
        if (fact.kind !== "at-most") continue;
        // right - left = (stated right - stated left) + something known to be at least 0
        if (bounds.isNatural(dim.subtract(slack, slackOf(fact)))) return proved;
      }
      if (bounds.around(slack).high < 0) return { kind: "refuted", witness: noSizes };
      return search([a, b], (sizes) => dim.evaluate(a, sizes) <= dim.evaluate(b, sizes));
    },
    divides(divisor, of) {
      const k = normalise(divisor);
      const n = normalise(of);
      const by = dim.constantOf(k);
      const all = dim.constantOf(n);
      if (by !== undefined && all !== undefined)
        return by !== 0 && all % by === 0 ? proved : { kind: "refuted", witness: noSizes };
      if (dim.divideExactly(n, k)) return proved;
      const stated = facts.some(
        (fact) =>
          fact.kind === "divides" &&
          normalise(fact.divisor).key === k.key &&
          normalise(fact.of).key === n.key,
      );
      if (stated) return proved;
      return search([k, n], (sizes) => {
        const value = dim.evaluate(k, sizes);
        return value !== 0 && dim.evaluate(n, sizes) % value === 0;
      });
    },
    assume(fact) {
      if (fact.kind === "divides") {
        const of = normalise(fact.of);
        const divisor = normalise(fact.divisor);
        if (dim.divideExactly(of, divisor)) return;
        const free = symbolOf(of);
        if (free !== undefined && !dim.symbolsOf(divisor).has(free)) {
          substitutions.set(free, dim.multiply(divisor, fresh(rootName(free))));
          return;
        }
        // 8 divides 6 * E: E is a multiple of 8 / gcd(6, 8)
        const by = dim.constantOf(divisor);
        const term = of.terms[0];
        const atom = term?.atoms[0];
        if (
          by !== undefined &&
          term &&
          of.terms.length === 1 &&
          term.atoms.length === 1 &&
          atom?.kind === "symbol"
        ) {
          const missing = by / gcd(by, term.coefficient);
          substitutions.set(atom.name, dim.multiply(dim.constant(missing), fresh(rootName(atom.name))));
          return;
        }
        facts.push({ ...fact, of, divisor });
        return;
      }
      const left = normalise(fact.left);
      const right = normalise(fact.right);
      if (fact.kind === "equal") {
        const one = symbolOf(left);
        const other = symbolOf(right);
        if (one !== undefined && !dim.symbolsOf(right).has(one)) substitutions.set(one, right);
        else if (other !== undefined && !dim.symbolsOf(left).has(other)) substitutions.set(other, left);
        else facts.push({ ...fact, left, right });
        return;
      }
      facts.push({ ...fact, left, right });
    },
    quotient(left, right) {
      const a = normalise(left);
      const b = normalise(right);
      return dim.divideExactly(a, b) ?? dim.floorDivide(a, b);
    },
    show(size) {
      return showWith(size, substitutions, normalise);
    },
    mark() {
      const oldSubstitutions = new Map(substitutions);
      const oldFacts = [...facts];
      return () => {
        substitutions = oldSubstitutions;
        facts = oldFacts;
      };
    },
  };
  return solver;
}

function rootName(name: string): string {
  return name.split("/")[0]!;
}

/** The name, where the size is one symbol and nothing else. */
function symbolOf(size: Dim): string | undefined {
  const term = size.terms[0];
  const atom = term?.atoms[0];
  return size.terms.length === 1 &&
    term?.coefficient === 1 &&
    term.atoms.length === 1 &&
    atom?.kind === "symbol"
    ? atom.name
    : undefined;
}

/** Undoes substitutions for the reader: 3·heads·E is `3 · D` where D was put as heads·E. */
function showWith(size: Dim, substitutions: ReadonlyMap<string, Dim>, normalise: (size: Dim) => Dim): string {
  const full = normalise(size);
  const hidden = [...dim.symbolsOf(full)].some((name) => name.includes("/"));
  if (!hidden) return dim.show(full);
  let terms: Dim = dim.zero;
  const names = [...substitutions.keys()].filter((name) => !name.includes("/"));
  for (const term of full.terms) {
    let shown: Dim = { terms: [term], key: "" };
    for (const name of names) {
      const whole = normalise(dim.symbol(name));
      const quotient = dim.divideExactly(shown, whole);
      if (quotient) shown = dim.multiply(quotient, dim.symbol(name));
    }
    terms = dim.add(terms, dim.multiply(shown, dim.one));
  }
  let text = dim.show(terms);
  // what is left is a part of a dim: D / heads
  for (const name of names) {
    const part = [...dim.symbolsOf(normalise(dim.symbol(name)))].find((each) => each.startsWith(`${name}/`));
    if (part === undefined) continue;
    const factor = dim.divideExactly(normalise(dim.symbol(name)), dim.symbol(part));
    if (factor) text = text.replaceAll(part, `(${name} / ${dim.show(factor)})`);
  }
  // sizes that have no name in the text, by what they were called when they were made; those of a pack by the pack
  return text
    .replace(/^\(([^()]*)\)$/, "$1")
    .replace(/(\p{L}\w*)?#\d+\/\d+/gu, "..$1")
    .replace(/([\p{L}_]\w*)\/\d+/gu, "$1");
}
