/** The `where` that would do: what a declaration has to promise so that a mistake becomes its caller's. */
import type { Help } from "../../grammar/diagnostic.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { rootFrame } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { isUserSpan } from "./origin.ts";
import type { Fact } from "./solver.ts";

/**
 * Promises of the declaration under check, in its own words and with the edit that states them. Undefined where there is
 * nobody to promise them, or a size has no name there.
 */
export function promiseHelp(frame: Frame, facts: readonly Fact[]): Help | undefined {
  const root = rootFrame(frame);
  const { declaration } = root;
  const clauses = [...new Set(facts.map((fact) => clauseOf(frame, fact)))];
  if (!declaration || !isUserSpan(declaration.span) || clauses.length === 0) return undefined;
  const names = clauses.flatMap((clause) => clause.match(/\p{L}[\p{L}\p{N}_]*/gu) ?? []);
  if (names.some((name) => !words.has(name) && root.locals.values.get(name)?.kind !== "number"))
    return undefined;
  const end = declaration.where.at(-1)?.span.end ?? declaration.result.span.end;
  const text = clauses.join(", ");
  return {
    text: `promise it to the caller: where ${text}`,
    edits: [
      {
        span: { source: declaration.span.source, start: end, end },
        text: declaration.where.length > 0 ? `, ${text}` : ` where ${text}`,
      },
    ],
  };
}

/**
 * What makes the sizes of each pair equal: that the parts into which dims are cut leave no rest, where this is enough,
 * else that the sizes are equal.
 */
export function equalityPromise(frame: Frame, pairs: readonly (readonly [Dim, Dim])[]): Help | undefined {
  const { solver } = frame.elaboration;
  const whole = pairs.flatMap((pair) => pair.flatMap((size) => divisions(frame, solver.normalise(size), 1)));
  const back = solver.mark();
  for (const fact of whole) solver.assume(fact);
  const isEnough = pairs.every(([left, right]) => solver.equal(left, right).kind === "proved");
  back();
  return promiseHelp(
    frame,
    isEnough ? whole : pairs.map(([left, right]) => ({ kind: "equal", left, right })),
  );
}

/** For floor(H / 2) that 2 divides H, for floor(floor(H / 2) / 2) that 4 does. */
function divisions(frame: Frame, size: Dim, factor: number): Fact[] {
  const floors = size.terms.flatMap((term) => term.atoms.filter((atom) => atom.kind === "floor"));
  return floors.flatMap(({ numerator, denominator }) => {
    const by = dim.constantOf(denominator);
    if (by === undefined) return [];
    const own = numerator.terms.flatMap((term) =>
      term.atoms.flatMap((atom) => (atom.kind === "symbol" ? [atom.name] : [])),
    );
    return [
      ...own.map((name) => ({ kind: "divides", ...inDims(frame, name, by * factor) }) as const),
      ...divisions(frame, numerator, by * factor),
    ];
  });
}

/** That `by` divides a symbol, of a dim that people wrote: 2 of H/1, where H is 2 * H/1, is 4 of H. */
function inDims(frame: Frame, name: string, by: number): { readonly divisor: Dim; readonly of: Dim } {
  const { solver } = frame.elaboration;
  for (const written of solver.substitutions().keys()) {
    const factor = dim.divideExactly(solver.normalise(dim.symbol(written)), dim.symbol(name));
    const times = factor && dim.constantOf(factor);
    if (times !== undefined && !written.includes("/"))
      return { divisor: dim.constant(by * times), of: dim.symbol(written) };
  }
  return { divisor: dim.constant(by), of: dim.symbol(name) };
}

/** What stands in a clause and is no dim. */
const words: ReadonlySet<string> = new Set(["divides", "floor", "ceil"]);

function clauseOf(frame: Frame, fact: Fact): string {
  const { solver } = frame.elaboration;
  const written = (size: Dim): string =>
    solver
      .show(size)
      .replaceAll("·", "*")
      .replace(/(\d),(?=\d{3})/g, "$1");
  switch (fact.kind) {
    case "equal":
      return `${written(fact.left)} == ${written(fact.right)}`;
    case "divides":
      return `${written(fact.divisor)} divides ${written(fact.of)}`;
    default: {
      const { left, right } = withoutFloor(solver.normalise(fact.left), solver.normalise(fact.right));
      return `${written(left)} <= ${written(right)}`;
    }
  }
}

/** The same promise of a dim itself, where a number is at most a floor of it: `6 <= H` for `3 <= floor(H / 2)`. */
function withoutFloor(left: Dim, right: Dim): { readonly left: Dim; readonly right: Dim } {
  const most = dim.constantOf(left);
  if (most === undefined) return { left, right };
  const constant = right.terms.find((term) => term.atoms.length === 0)?.coefficient ?? 0;
  const [term, more] = right.terms.filter((each) => each.atoms.length > 0);
  const [atom, second] = term?.atoms ?? [];
  if (!term || !atom || more || second || term.coefficient < 1) return { left, right };
  const least = Math.ceil((most - constant) / term.coefficient);
  const rest = dim.fromTerms([{ coefficient: 1, atoms: [atom] }]);
  const by = atom.kind === "floor" ? dim.constantOf(atom.denominator) : undefined;
  return atom.kind === "floor" && by !== undefined && by > 0
    ? withoutFloor(dim.constant(least * by), atom.numerator)
    : { left: dim.constant(least), right: rest };
}
