// The compiled digits model for the apps beside: the folder of `dlmc compile`, made by training once if it is not there.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = join(root, ".data", "quickstart");

function dlmc(...words) {
  console.log(`$ dlmc ${words.join(" ")}`);
  const result = spawnSync(process.execPath, [join(root, ".build", "bin", "dlmc.js"), ...words], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Folder with Digit.js and its files; `npm run quickstart` leaves them there too. */
export function compiledDigits() {
  const app = join(folder, "app");
  if (!existsSync(join(app, "Digit.js"))) {
    const program = "examples/digits/digits.dlm";
    const run = relative(root, join(folder, "run"));
    dlmc("train", program, "-o", run);
    dlmc("compile", program, "--weights", join(run, "best.safetensors"), "-o", relative(root, app));
  }
  return app;
}
