/** The README tells the truth about commands and programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkProgram } from "../compiler/check/check-program.ts";
import { commands } from "../src/cli/commands/index.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");

test("every command is in the table, and no other", () => {
  const listed = [...readme.matchAll(/^\| `dlmc ([a-z]+)/gm)].map((found) => found[1]!);
  expect(listed.sort()).toEqual(commands.map(({ name }) => name).sort());
});

test("the program at its head checks clean", () => {
  const text = /```\n(dlm 1\n[^`]*)```/.exec(readme)![1]!;
  const path = "readme.dlm";
  const { diagnostics } = checkProgram({ path, read: (p) => (p === path ? { path, text } : undefined) });
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
});

test("nothing in it waits to be filled in", () => {
  expect(readme).not.toMatch(/[A-Z]+_(RESULT|TABLE|TIME)/);
});
