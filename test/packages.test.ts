/** `use` of packages in node_modules, by the condition `dlm` of what they export. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { summarise } from "../compiler/check/check.ts";
import { openProgram } from "../src/program.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-packages-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const main = (from: string): string =>
  `dlm 1\n\nuse "${from}" (Block)\n\nmodel Small(x: [B, D=4]) -> [B, 3] {\n  x -> Block(3)\n}\n`;

beforeEach(() => {
  rmSync(join(folder, "node_modules"), { recursive: true, force: true });
  // the package uses a file of its own, and a package that lies in it
  write(
    "node_modules/@dlm/vision/source/main.dlm",
    'dlm 1\n\nuse "./inner.dlm" (Inner)\nuse "norms" (Norm)\n\nmodule Block(Out)(x: [.., In]) -> [.., Out] {\n  x -> Inner(Out) -> Norm\n}\n',
  );
  write(
    "node_modules/@dlm/vision/source/inner.dlm",
    "dlm 1\n\nmodule Inner(Out)(x: [.., In]) -> [.., Out] {\n  x -> Dense(Out)\n}\n",
  );
  write("node_modules/@dlm/vision/node_modules/norms/package.json", '{ "exports": { "dlm": "./n.dlm" } }');
  write(
    "node_modules/@dlm/vision/node_modules/norms/n.dlm",
    "dlm 1\n\nmodule Norm(x: [.., D]) -> [.., D] {\n  x -> LayerNorm\n}\n",
  );
});

/** Diagnostics, or the number of parameters, of a program in a folder below. */
function found(from: string): string[] | number {
  write("app/deep/main.dlm", main(from));
  const { checked } = openProgram(join(folder, "app/deep/main.dlm"));
  const [model] = checked.models;
  if (checked.diagnostics.length > 0)
    return checked.diagnostics.map(({ code, message }) => `${code} ${message}`);
  return summarise(checked.session, checked.scope!, model!.declaration).parameters;
}

test.each([
  ["of the whole package", "@dlm/vision", { dlm: "./source/main.dlm", default: "./index.js" }],
  ["of the part `.`", "@dlm/vision", { ".": { dlm: "./source/main.dlm" } }],
  ["of a part by name", "@dlm/vision/blocks", { "./blocks": { dlm: "./source/main.dlm" } }],
])("a file is found by the export %s", (_, from, exports) => {
  write("node_modules/@dlm/vision/package.json", JSON.stringify({ name: "@dlm/vision", exports }));
  // 4 * 3 + 3 of Dense, 3 + 3 of LayerNorm
  expect(found(from)).toBe(21);
});

test.each([
  ["there is no such package", "@dlm/audio", { dlm: "./source/main.dlm" }],
  ["it exports no .dlm", "@dlm/vision", { default: "./index.js" }],
  ["it exports nothing", "@dlm/vision", undefined],
  ["it has no such part", "@dlm/vision/rest", { dlm: "./source/main.dlm" }],
  ["the file is missing", "@dlm/vision", { dlm: "./source/none.dlm" }],
  ["the file lies outside", "@dlm/vision", { dlm: "./../../../app/deep/main.dlm" }],
])("one message where %s", (_, from, exports) => {
  write("node_modules/@dlm/vision/package.json", JSON.stringify({ name: "@dlm/vision", exports }));
  expect(found(from)).toEqual([`DLM0113 no package ${from} exports a .dlm file`]);
});
