/**
 * Sizes: polynomials with integer coefficients over named dims, with opaque `floor` atoms.
 * Normal form (sorted terms, merged coefficients), so equal polynomials have equal `key`s.
 */

/** A named size, or floor(numerator / denominator) that does not simplify. */
export type Atom =
  | { readonly kind: "symbol"; readonly name: string; readonly key: string }
  | { readonly kind: "floor"; readonly numerator: Dim; readonly denominator: Dim; readonly key: string };

export interface Term {
  readonly coefficient: number;
  /** sorted by key; an atom of power 2 stands twice */
  readonly atoms: readonly Atom[];
}

export interface Dim {
  readonly terms: readonly Term[];
  /** canonical text: `3·B·D + 1` is "1+3*B*D" */
  readonly key: string;
}

function termKey(term: Term): string {
  return term.atoms.map((a) => a.key).join("*");
}

function make(terms: Iterable<Term>): Dim {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    const key = termKey(term);
    const old = merged.get(key);
    merged.set(key, old ? { coefficient: old.coefficient + term.coefficient, atoms: term.atoms } : term);
  }
  for (const { coefficient } of merged.values())
    if (!Number.isSafeInteger(coefficient)) throw new SizeOverflow(`${coefficient} is too large for a size`);
  const sorted = [...merged.entries()]
    .filter(([, term]) => term.coefficient !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const key = sorted
    .map(([k, term]) =>
      k === "" ? `${term.coefficient}` : term.coefficient === 1 ? k : `${term.coefficient}*${k}`,
    )
    .join("+");
  return { terms: sorted.map(([, term]) => term), key: key === "" ? "0" : key };
}

/** The sum of these terms. */
export function fromTerms(terms: readonly Term[]): Dim {
  return make(terms);
}

/** A size, or a product of sizes, that is too large to be counted exactly. */
export class SizeOverflow extends Error {}

export function constant(value: number): Dim {
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new SizeOverflow(`${value} is too large for a size`);
  if (!Number.isSafeInteger(value)) throw new Error(`a size must be a whole number, not ${value}`);
  return value === 0
    ? { terms: [], key: "0" }
    : { terms: [{ coefficient: value, atoms: [] }], key: `${value}` };
}

export const zero: Dim = constant(0);
export const one: Dim = constant(1);

export function symbol(name: string): Dim {
  return make([{ coefficient: 1, atoms: [{ kind: "symbol", name, key: name }] }]);
}

export function add(a: Dim, b: Dim): Dim {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  const x = constantOf(a);
  const y = constantOf(b);
  if (x !== undefined && y !== undefined) return constant(x + y);
  return make([...a.terms, ...b.terms]);
}

export function negate(a: Dim): Dim {
  return make(a.terms.map((term) => ({ coefficient: -term.coefficient, atoms: term.atoms })));
}

export function subtract(a: Dim, b: Dim): Dim {
  return add(a, negate(b));
}

export function multiply(a: Dim, b: Dim): Dim {
  const x = constantOf(a);
  const y = constantOf(b);
  if (x !== undefined && y !== undefined) return constant(x * y);
  if (x === 1) return b;
  if (y === 1) return a;
  const terms: Term[] = [];
  for (const s of a.terms)
    for (const t of b.terms)
      terms.push({
        coefficient: s.coefficient * t.coefficient,
        atoms: [...s.atoms, ...t.atoms].sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0)),
      });
  return make(terms);
}

export function product(dims: readonly Dim[]): Dim {
  return dims.reduce(multiply, one);
}

/** How far neighbours along each axis of a row-major tensor lie apart. */
export function strides(shape: readonly Dim[]): Dim[] {
  const steps: Dim[] = shape.map(() => one);
  for (let i = shape.length - 2; i >= 0; i--) steps[i] = multiply(steps[i + 1]!, shape[i + 1]!);
  return steps;
}

export function power(a: Dim, exponent: number): Dim {
  let result = one;
  for (let i = 0; i < exponent; i++) result = multiply(result, a);
  return result;
}

/** The number, where the size is one. */
export function constantOf(a: Dim): number | undefined {
  if (a.terms.length === 0) return 0;
  const first = a.terms[0]!;
  return a.terms.length === 1 && first.atoms.length === 0 ? first.coefficient : undefined;
}

export function equal(a: Dim, b: Dim): boolean {
  return a.key === b.key;
}

/** a / b where b divides a as a polynomial (b a single term); undefined otherwise. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  const divisor = b.terms[0];
  if (a.terms.length === 0) return zero;
  if (b.terms.length !== 1 || divisor === undefined) return equal(a, b) ? one : undefined;
  const terms: Term[] = [];
  for (const term of a.terms) {
    if (term.coefficient % divisor.coefficient !== 0) return undefined;
    const atoms = [...term.atoms];
    for (const atom of divisor.atoms) {
      const at = atoms.findIndex((x) => x.key === atom.key);
      if (at < 0) return undefined;
      atoms.splice(at, 1);
    }
    terms.push({ coefficient: term.coefficient / divisor.coefficient, atoms });
  }
  return make(terms);
}

/** floor(a / b). Parts of `a` that `b` divides come out; the rest stays an opaque atom. */
export function floorDivide(a: Dim, b: Dim): Dim {
  const x = constantOf(a);
  const y = constantOf(b);
  if (x !== undefined && y !== undefined && y !== 0) return constant(Math.floor(x / y));
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    const quotient = divideExactly(make([term]), b);
    if (quotient) whole.push(...quotient.terms);
    else if (y !== undefined && term.atoms.length === 0 && y > 0) {
      const q = Math.floor(term.coefficient / y);
      if (q !== 0) whole.push({ coefficient: q, atoms: [] });
      if (term.coefficient - q * y !== 0) rest.push({ coefficient: term.coefficient - q * y, atoms: [] });
    } else rest.push(term);
  }
  if (rest.length === 0) return make(whole);
  const numerator = make(rest);
  const small = constantOf(numerator);
  if (small !== undefined && y !== undefined && y > 0)
    return add(make(whole), constant(Math.floor(small / y)));
  const nested = y !== undefined && y > 0 ? nestedFloor(numerator, y) : undefined;
  if (nested) return add(make(whole), nested);
  return add(make(whole), make([{ coefficient: 1, atoms: [floorAtom(numerator, b)] }]));
}

/** floor((floor(a / b) + k) / c) = floor((a + k * b) / (b * c)) */
function nestedFloor(numerator: Dim, c: number): Dim | undefined {
  const k = numerator.terms.find((term) => term.atoms.length === 0)?.coefficient ?? 0;
  const [term, more] = numerator.terms.filter((each) => each.atoms.length > 0);
  const [atom, second] = term?.atoms ?? [];
  if (more || second || term?.coefficient !== 1 || atom?.kind !== "floor") return undefined;
  const b = constantOf(atom.denominator);
  return b !== undefined && b > 0
    ? floorDivide(add(atom.numerator, constant(k * b)), constant(b * c))
    : undefined;
}

function floorAtom(numerator: Dim, denominator: Dim): Atom {
  return { kind: "floor", numerator, denominator, key: `floor((${numerator.key})/(${denominator.key}))` };
}

/** ceil(a / b) = floor((a + b - 1) / b) where b is a number, so that both have one normal form; else -floor(-a / b) */
export function ceilDivide(a: Dim, b: Dim): Dim {
  const by = constantOf(b);
  if (by !== undefined && by > 0) return floorDivide(add(a, constant(by - 1)), b);
  return negate(floorDivide(negate(a), b));
}

/** Replaces symbols; names without an entry stay. */
export function substitute(a: Dim, values: ReadonlyMap<string, Dim>): Dim {
  if (values.size === 0) return a;
  let result = zero;
  for (const term of a.terms) {
    let t = constant(term.coefficient);
    for (const atom of term.atoms) {
      t = multiply(
        t,
        atom.kind === "symbol"
          ? (values.get(atom.name) ?? make([{ coefficient: 1, atoms: [atom] }]))
          : floorDivide(substitute(atom.numerator, values), substitute(atom.denominator, values)),
      );
    }
    result = add(result, t);
  }
  return result;
}

/** The number for given sizes; throws where a symbol has none. */
export function evaluate(a: Dim, sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const term of a.terms) {
    let t = term.coefficient;
    for (const atom of term.atoms) {
      if (atom.kind === "symbol") {
        const size = sizes.get(atom.name);
        if (size === undefined) throw new Error(`no size given for dim ${atom.name}`);
        t *= size;
      } else t *= Math.floor(evaluate(atom.numerator, sizes) / evaluate(atom.denominator, sizes));
    }
    sum += t;
  }
  return sum;
}

/** Names of all symbols in it, also inside floors. */
export function symbolsOf(a: Dim, into = new Set<string>()): Set<string> {
  for (const term of a.terms)
    for (const atom of term.atoms) {
      if (atom.kind === "symbol") into.add(atom.name);
      else {
        symbolsOf(atom.numerator, into);
        symbolsOf(atom.denominator, into);
      }
    }
  return into;
}

/** As one side of a division. */
function factorText(a: Dim): string {
  return a.terms.length > 1 ? `(${show(a)})` : show(a);
}

/** `floor(H / 2)`; `ceil(H / 2)` for floor((H + 1) / 2) */
function divisionText({ numerator, denominator }: Extract<Atom, { kind: "floor" }>): string {
  const by = constantOf(denominator);
  const up =
    by !== undefined &&
    by > 1 &&
    numerator.terms.some((t) => t.atoms.length === 0 && t.coefficient === by - 1);
  const divided = up ? subtract(numerator, constant(by - 1)) : numerator;
  return `${up ? "ceil" : "floor"}(${factorText(divided)} / ${factorText(denominator)})`;
}

/** Text for people: `4 · D`, `2 · floor(H / 2) + 1`. */
export function show(a: Dim): string {
  if (a.terms.length === 0) return "0";
  const ordered = [...a.terms].sort((s, t) => t.atoms.length - s.atoms.length);
  return ordered
    .map((term, i) => {
      const size = Math.abs(term.coefficient);
      const atoms = term.atoms.map((x) => (x.kind === "symbol" ? x.name : divisionText(x)));
      const text = [
        ...(size !== 1 || atoms.length === 0 ? [size.toLocaleString("en-US")] : []),
        ...atoms,
      ].join(" · ");
      return i === 0
        ? term.coefficient < 0
          ? `-${text}`
          : text
        : term.coefficient < 0
          ? ` - ${text}`
          : ` + ${text}`;
    })
    .join("");
}
