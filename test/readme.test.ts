/** The README tells the truth about commands and programs. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { libraryItems } from "../compiler/check/library-catalogue.ts";
import { checkProgram } from "../compiler/check/check-program.ts";
import { commands } from "../src/cli/commands/index.ts";

const file = join(import.meta.dirname, "..", "README.md");
let readme = readFileSync(file, "utf8");

test("every command is in the table, and no other", () => {
  const listed = [...readme.matchAll(/^\| `dlmc ([a-z]+)/gm)].map((found) => found[1]!);
  expect(listed.sort()).toEqual(commands.map(({ name }) => name).sort());
});

test("everything the library has is listed, and nothing else", () => {
  const items = libraryItems();
  const rows = [...new Set(items.map(({ part }) => part))].map((part) => {
    const names = items.filter((item) => item.part === part).map(({ name }) => `\`${name}\``);
    return `| ${part} | ${names.join(", ")} |`;
  });
  const list = `\n| part | what it has |\n| --- | --- |\n${rows.join("\n")}\n\n`;
  const section = /(<!-- library: .* -->\n)([^]*)(<!-- end -->)/;
  if (process.env["UPDATE"]) {
    readme = readme.replace(section, (_, start: string, _list, end: string) => start + list + end);
    writeFileSync(file, readme);
  }
  expect(section.exec(readme)![2]).toBe(list);
  for (const { name, doc, signature } of items) {
    expect(doc, name).not.toBe("");
    expect(signature, name).toContain(name);
  }
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
