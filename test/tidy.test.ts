/** The habits of the repository: what lies at its top, how a file begins, and what no file holds. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { filesBelow, referencesOf, root } from "./source-files.ts";

/** Besides dot-files and dot-folders, which tools insist on or which git ignores. */
const atTop = [
  "LICENSE",
  "README.md",
  "compiler",
  "examples",
  "grammar",
  "package-lock.json",
  "package.json",
  "runtime",
  "src",
  "test",
  "tsconfig.json",
  "vitest.config.ts",
];
const ignoredAtTop = ["node_modules", "runs"];

/** Dot-names that belong: configuration, and what .gitignore lists. */
const dotNames = [
  ".build",
  ".ci",
  ".config",
  ".data",
  ".dlm",
  ".git",
  ".gitattributes",
  ".github",
  ".gitignore",
  ".oxlintrc.json",
  ".prettierignore",
  ".prettierrc.json",
];

const longestFile = 500;

const product = ["grammar", "compiler", "runtime", "src"].flatMap((folder) => filesBelow(folder, ".ts"));
const tests = filesBelow("test", ".ts");
const scripts = [".config", ".ci", "examples"].flatMap((folder) =>
  [".ts", ".mjs", ".js"].flatMap((ending) => filesBelow(folder, ending)),
);
const programs = ["compiler/library", "examples"].flatMap((folder) => filesBelow(folder, ".dlm"));
const pages = ["examples", "test"].flatMap((folder) =>
  [".md", ".html"].flatMap((e) => filesBelow(folder, e)),
);

/** Paths of files whose text has a line that matches, as `path:line: text`. */
function linesWith(files: readonly { path: string; text: string }[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

/** Written so that this file does not hold what it looks for. */
const word = (...parts: string[]): string => parts.join("");

describe("the repository", () => {
  test("has only its known names at the top", () => {
    const unknown = readdirSync(root).filter(
      (name) => !atTop.includes(name) && !ignoredAtTop.includes(name) && !dotNames.includes(name),
    );
    expect(unknown).toEqual([]);
  });

  test("starts every source file with a comment that says what it is", () => {
    const wrong = [...product, ...tests, ...scripts].filter(
      ({ text }) => !/^(#![^\n]*\n)?(\/\*\*?[\s*]*|\/\/\/? )[\w`"'#.]/.test(text),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test(`has no source file over ${longestFile} lines`, () => {
    const long = [...product, ...tests, ...scripts]
      .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
      .filter(({ lines }) => lines > longestFile)
      .map(({ path, lines }) => `${path}: ${lines} lines; which two ideas are these?`);
    expect(long).toEqual([]);
  });

  test("leaves no notes to itself", () => {
    const notes = new RegExp(
      `\\b(${word("TO", "DO")}|${word("FIX", "ME")}|${word("XX", "X")}|${word("HA", "CK")})\\b`,
    );
    expect(linesWith([...product, ...tests, ...scripts, ...programs, ...pages], notes)).toEqual([]);
  });

  test("uses neither the type any nor a comment that silences a tool for more than one rule on one line", () => {
    const silenced = new RegExp(
      `${word("@ts", "-")}(ignore|expect-error|nocheck)|${word("ox", "lint")}-disable(?!-next-line [\\w/-]+$)`,
    );
    const anything = /(:|<|\bas|\||=>?)\s*any\b(?=\s*[)\],;=>|{[]|$)/;
    const found = linesWith([...product, ...tests], silenced).concat(
      linesWith([...product, ...tests], anything).filter((line) => !/:\d+: (\*|\/\/|\/\*)/.test(line)),
    );
    expect(found).toEqual([]);
  });

  test("names no place of a machine and no package registry", () => {
    const places = new RegExp(
      `(^|[^\\w.])/(${word("wo", "rk")}|${word("ro", "ot")}|${word("ho", "me")})/|registry\\.\\w+\\.\\w+|deb\\.${word("deb", "ian")}\\.org`,
    );
    expect(linesWith([...product, ...tests, ...scripts, ...programs, ...pages], places)).toEqual([]);
  });

  test("runs every test it has", () => {
    const notRun = /\b(test|it|describe)(\.\w+)*\.(skip|only|todo|fails)\b/;
    expect(linesWith(tests, notRun)).toEqual([]);
  });

  test("has no file named as a test that holds none", () => {
    const idle = tests
      .filter(({ path }) => path.endsWith(".test.ts"))
      .filter((source) => !referencesOf(source).imports.some(({ specifier }) => specifier === "vitest"));
    expect(idle.map(({ path }) => path)).toEqual([]);
  });
});
