/** Where a size comes from: a DAG down to what the user wrote. Messages show the nearest places the user can change. */
import type { Label } from "../../grammar/diagnostic.ts";
import type { Source, Span } from "../../grammar/source.ts";

export type SizeOrigin =
  /** a number or a name in a text: `64`, `H=28`, `let Width = 32` */
  | { readonly kind: "written"; readonly span: Span; readonly name: string | undefined }
  /** a configuration argument: the place of the argument, and what the argument's value comes from */
  | { readonly kind: "argument"; readonly span: Span; readonly name: string; readonly from: SizeOrigin }
  /** made by an op from other sizes: `maxpool(2)`, `concat(a, b)`, `4 * D` */
  | { readonly kind: "rule"; readonly span: Span; readonly parents: readonly SizeOrigin[] }
  /** known from the data: `Plays.Chars` */
  | { readonly kind: "data"; readonly span: Span; readonly name: string };

const librarySourcesRead = new WeakSet<Source>();

/** Says that a text is the library's: messages never point into it. */
export function markLibrary(source: Source): void {
  librarySourcesRead.add(source);
}

export function isUserSpan(span: Span): boolean {
  return !librarySourcesRead.has(span.source);
}

function same(a: Span, b: Span): boolean {
  return a.source === b.source && a.start === b.start && a.end === b.end;
}

/** The nearest spans of users' files, nearest first, each once, at most `limit`. */
export function nearestSpans(origin: SizeOrigin, limit = 3): Span[] {
  const found: Span[] = [];
  const seen = new Set<SizeOrigin>();
  const add = (span: Span): void => {
    if (!found.some((other) => same(other, span))) found.push(span);
  };
  let ring: SizeOrigin[] = [origin];
  while (ring.length > 0 && found.length < limit) {
    const next: SizeOrigin[] = [];
    for (const each of ring.map(throughArguments)) {
      if (seen.has(each)) continue;
      seen.add(each);
      const parents = each.kind === "rule" ? each.parents : [];
      // what the user wrote last is the best place; a call is one where nothing in it was written
      if (isUserSpan(each.span) && !parents.some(reachesUser)) add(each.span);
      else next.push(...parents);
    }
    ring = next;
  }
  return found.slice(0, limit);
}

/** An argument is where its value was written, unless that is no text of the user. */
function throughArguments(origin: SizeOrigin): SizeOrigin {
  let at = origin;
  while (at.kind === "argument" && (reachesUser(at.from) || !isUserSpan(at.span))) at = at.from;
  return at;
}

function reachesUser(origin: SizeOrigin): boolean {
  if (isUserSpan(origin.span)) return true;
  if (origin.kind === "argument") return reachesUser(origin.from);
  return origin.kind === "rule" && origin.parents.some(reachesUser);
}

/** Labels "64 comes from here" for a size, without places that are shown already. */
export function originLabels(what: string, origin: SizeOrigin, shown: readonly Span[], limit = 1): Label[] {
  return nearestSpans(origin, limit + shown.length)
    .filter((span) => !shown.some((other) => same(other, span)))
    .slice(0, limit)
    .map((span) => ({ span, text: `${what} comes from here` }));
}
