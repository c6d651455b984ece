/** The standard library as a file scope: a declaration is parsed when its name is first wanted. */
import { parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/source.ts";
import { librarySources } from "../library/sources.ts";
import { fileScope } from "./names.ts";
import { markLibrary } from "./origin.ts";
import type { FileScope, NamedDeclaration } from "./names.ts";

const declared = /^(?:module|model|fn|op|optimizer)\s+(\w+)/gm;

/** Where a declaration stands. */
interface Place {
  readonly source: Source;
  /** the comments above it included */
  readonly start: number;
  readonly end: number;
}

let shared: FileScope | undefined;

/** Whether the library has a part of this name: `std.layers`. */
export function hasPart(name: string): boolean {
  return Object.hasOwn(librarySources, name);
}

export function libraryScope(): FileScope {
  shared ??= makeScope(librarySources);
  return shared;
}

function makeScope(sources: Readonly<Record<string, string>>): FileScope {
  const places = new Map<string, Place>();
  for (const [part, text] of Object.entries(sources)) {
    const source: Source = { path: `std/${part}.dlm`, text };
    markLibrary(source);
    const found = [...text.matchAll(declared)].map((match) => ({
      name: match[1]!,
      start: commentsAbove(text, match.index),
    }));
    found.forEach(({ name, start }, i) =>
      places.set(name, { source, start, end: found[i + 1]?.start ?? text.length }),
    );
  }
  const known = new Map<string, NamedDeclaration | undefined>();
  const find = (name: string): NamedDeclaration | undefined => {
    const place = places.get(name);
    if (!place) return undefined;
    if (!known.has(name)) {
      const { file, diagnostics } = parse(place.source, place);
      const broken = diagnostics.map((each) => each.primary.span);
      known.set(name, fileScope(place.source.path, file, broken).declarations.get(name));
    }
    return known.get(name);
  };
  const span = { source: { path: "std", text: "" }, start: 0, end: 0 };
  markLibrary(span.source);
  const empty = fileScope("std", { span, edition: undefined, declarations: [] }, []);
  return { ...empty, declarations: lazyMap(places, find) };
}

/** The start of the lines of comments right above a line. */
function commentsAbove(text: string, line: number): number {
  let start = line;
  while (start > 0) {
    const before = text.lastIndexOf("\n", start - 2) + 1;
    if (!text.startsWith("//", before)) break;
    start = before;
  }
  return start;
}

/** A map whose values are found when they are asked for. */
function lazyMap(
  owner: ReadonlyMap<string, Place>,
  find: (name: string) => NamedDeclaration | undefined,
): ReadonlyMap<string, NamedDeclaration> {
  const entries = function* (): MapIterator<[string, NamedDeclaration]> {
    for (const name of owner.keys()) {
      const declaration = find(name);
      if (declaration) yield [name, declaration];
    }
    return undefined;
  };
  return {
    get size() {
      return owner.size;
    },
    get: find,
    has: (name) => owner.has(name),
    keys: () => owner.keys(),
    entries,
    values: function* (): MapIterator<NamedDeclaration> {
      for (const [, declaration] of entries()) yield declaration;
      return undefined;
    },
    forEach: (callback) => {
      for (const [name, declaration] of entries()) callback(declaration, name, lazyMap(owner, find));
    },
    [Symbol.iterator]: entries,
  };
}
