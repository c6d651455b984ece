// `npm run build`, and by `prepare` the end of `npm ci`: generated modules, then JavaScript and declarations of
// grammar, compiler, runtime and src in .build. Types are checked by `npm run types`, not here.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { generate, root } from "./generate.mjs";

const parts = ["grammar", "compiler", "runtime", "src"];
const out = join(root, ".build");

/** Output of sources that are gone would stay importable. */
function removeOrphans(part) {
  if (!existsSync(join(out, part))) return;
  for (const file of readdirSync(join(out, part), { recursive: true })) {
    const stem = /^(.*?)(\.d\.ts|\.js)$/.exec(file)?.[1];
    if (stem !== undefined && !existsSync(join(root, part, `${stem}.ts`))) rmSync(join(out, part, file));
  }
}

await generate();
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
const compiler = join(typescript, "..", "bin", "tsc");
const result = spawnSync(process.execPath, [compiler, "-p", join(root, ".config", "tsconfig.build.json")], {
  stdio: "inherit",
});
if (result.status !== 0) process.exit(result.status ?? 1);
for (const part of parts) removeOrphans(part);
chmodSync(join(out, "src", "cli", "main.js"), 0o755);
