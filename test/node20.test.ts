/** The library runs on Node 20 as well: where the machine has one, it checks, compiles and runs an artifact. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root } from "./source-files.ts";
import { dlmc, isBuilt, type Ended } from "./support/command-line.ts";
import { writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-node20-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A Node before 22 of the machine's own, not one that npm installed. */
function oldNode(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((each) => each !== "" && !each.includes("node_modules"))
    .map((each) => join(each, process.platform === "win32" ? "node.exe" : "node"))
    .filter((path) => existsSync(path))
    .find((path) => {
      const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout;
      return /^v2[01]\./.test(version);
    });
}

test("Node 20 checks, compiles and runs an artifact", async (context) => {
  const node = oldNode();
  if (node === undefined) {
    console.warn("NOT TESTED: this machine has no Node 20 or 21 of its own, so nothing was run on it");
    context.skip();
    return;
  }
  // Node 20 runs JavaScript alone
  if (!isBuilt()) {
    const build = spawnSync(process.execPath, [join(root, ".config", "build.mjs")], { encoding: "utf8" });
    expect(build.status, build.stderr).toBe(0);
  }
  writeFlowers(folder);
  const run = (args: string): Promise<Ended> => dlmc(args.split(" "), { cwd: folder, node });
  const check = await run("check flowers.dlm");
  expect(check).toEqual({ status: 0, out: "ok  flowers.dlm\n", err: "" });
  const train = await run("train flowers.dlm --epochs 1 -o run");
  expect(train.err).toBe("");
  expect(train.status).toBe(0);
  const compile = await run("compile flowers.dlm --weights run/best.safetensors");
  expect(compile.err).toBe("");
  expect(compile.status).toBe(0);

  writeFileSync(
    join(folder, "app.mjs"),
    `import { load } from "./dist/Kind.js";
const model = await load();
const { out } = await model.run({ length: [1, 5], width: [3, 1] });
console.log(process.version.slice(0, 3), out.length, out.every(Number.isFinite));
`,
  );
  const app = spawnSync(node, ["app.mjs"], { cwd: folder, encoding: "utf8" });
  expect(app.stderr).toBe("");
  expect(app.stdout).toMatch(/^v2[01] 6 true\n$/);
});
