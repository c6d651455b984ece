/** The standard library as a file scope: its texts are parsed when a name of theirs is first wanted. */
import { parse } from "../../grammar/parse.ts";
import { librarySources } from "../library/sources.ts";
import { fileScope } from "./names.ts";
import { markLibrary } from "./origin.ts";
import type { FileScope, NamedDeclaration } from "./names.ts";

const declared = /^(?:module|model|fn|op|optimizer)\s+(\w+)/gm;

interface Part {
  readonly name: string;
  scope: FileScope | undefined;
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
  const owner = new Map<string, Part>();
  for (const [name, text] of Object.entries(sources)) {
    const part: Part = { name, scope: undefined };
    for (const match of text.matchAll(declared)) owner.set(match[1]!, part);
  }
  const find = (name: string): NamedDeclaration | undefined => {
    const part = owner.get(name);
    if (!part) return undefined;
    if (!part.scope) {
      const path = `std/${part.name}.dlm`;
      const source = { path, text: sources[part.name]! };
      markLibrary(source);
      const { file, diagnostics } = parse(source);
      part.scope = fileScope(
        path,
        file,
        diagnostics.map((each) => each.primary.span),
      );
    }
    return part.scope.declarations.get(name);
  };
  const span = { source: { path: "std", text: "" }, start: 0, end: 0 };
  markLibrary(span.source);
  const empty = fileScope("std", { span, edition: undefined, declarations: [] }, []);
  return { ...empty, declarations: lazyMap(owner, find) };
}

/** A map whose values are found when they are asked for. */
function lazyMap(
  owner: ReadonlyMap<string, Part>,
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
