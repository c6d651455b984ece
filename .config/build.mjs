// `npm run build`, and by `prepare` the end of `npm ci`: generated modules, then JavaScript and declarations of
// grammar, compiler, runtime and src in .build, then the command line in few files. Types are checked by `npm run types`,
// not here.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { rolldown } from "rolldown";
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
await bundleCommands();

/**
 * .build/bin/dlmc.js: what 500 modules take to be found and read is more than half of what a small command takes. Packages
 * that few commands need stay outside, and are read when they are.
 */
async function bundleCommands() {
  const folder = join(out, "bin");
  rmSync(folder, { recursive: true, force: true });
  const bundle = await rolldown({
    input: { main: join(out, "src", "cli", "main.js") },
    platform: "node",
    external: [/^node:/, "binaryen", "prettier", "fast-png", /^csv-parse/],
    logLevel: "warn",
  });
  await bundle.write({ dir: folder, format: "esm", chunkFileNames: "[name]-[hash].js" });
  await bundle.close();
  const command = join(folder, "dlmc.js");
  // compiled code is kept between runs where Node can do it (from 22.8 on)
  writeFileSync(
    command,
    `#!/usr/bin/env node\nimport module from "node:module";\nmodule.enableCompileCache?.();\nawait import("./main.js");\n`,
  );
  chmodSync(command, 0o755);
}
