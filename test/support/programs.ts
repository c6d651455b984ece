/** The programs of the language's design, as sources: good ones, to be read, damaged and formatted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "../../grammar/source.ts";

const folder = join(import.meta.dirname, "../programs");

export const programs: readonly Source[] = readdirSync(folder)
  .filter((name) => name.endsWith(".dlm"))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));

/** A tree as text, without places and docs: equal for two texts that mean the same. */
export function withoutPlaces(tree: unknown): string {
  const isPlace = (key: string): boolean => key === "span" || key.endsWith("Span") || key === "doc";
  return JSON.stringify(tree, (key, value: unknown) => (isPlace(key) ? undefined : value), 1);
}

/** All Holes of a tree. */
export function holes(tree: unknown): number {
  return withoutPlaces(tree).split('"kind": "hole"').length - 1;
}
