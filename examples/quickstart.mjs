// `npm run quickstart`: check, train, evaluate and compile examples/digits, then run the artifact on rows it never saw.
// Nothing here is special: it prints each command before running it, and then embeds the artifact as an app would.
import { spawnSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, ".data", "quickstart");
const width = process.stdout.columns ?? 80;
const color = process.stdout.isTTY && !process.env.NO_COLOR;
const bold = (text) => (color ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text) => (color ? `\u001b[2m${text}\u001b[0m` : text);
const green = (text) => (color ? `\u001b[32m${text}\u001b[0m` : text);
const red = (text) => (color ? `\u001b[31m${text}\u001b[0m` : text);

const program = "examples/digits/digits.dlm";
const run = relative(root, join(out, "run"));
const app = relative(root, join(out, "app"));

function dlmc(...words) {
  const line = `dlmc ${words.join(" ")}`;
  console.log(
    `\n${dim("$")} ${bold(line.length + 2 > width ? line.replaceAll(/ (?=--?\w)/g, " \\\n    ") : line)}`,
  );
  const result = spawnSync(process.execPath, [join(root, ".build/bin/dlmc.js"), ...words], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

rmSync(out, { recursive: true, force: true });
const began = performance.now();

dlmc("check", program);
dlmc("show", program);
dlmc("train", program, "-o", run);
dlmc("evaluate", program, "--weights", join(run, "best.safetensors"));
dlmc("compile", program, "--weights", join(run, "best.safetensors"), "-o", app);

// ---------------------------------------------------------------- the app's side
const { load } = await import(pathToFileURL(join(root, app, "Digit.js")));
const model = await load();

const { openWithData, rowsOf } = await import("../.build/src/index.js");
const [data] = openWithData(join(root, program)).datasets.values();
const rows = [...data.splits.test.subarray(0, 12)].map((id) => {
  const { image, label } = rowsOf(data, Int32Array.of(id), ["image", "label"]);
  return { image, label: label[0] };
});
const sure = [];
for (const row of rows) {
  const { out: scores } = await model.run({ image: row.image });
  const top = Math.max(...scores);
  const powers = Array.from(scores, (s) => Math.exp(s - top));
  const digit = scores.indexOf(top);
  sure.push({ digit, chance: powers[digit] / powers.reduce((a, b) => a + b) });
}

console.log(`\n${bold("12 handwritten digits that training never saw")}\nthrough ${app}/Digit.js:\n`);
// a picture is 16 wide, with 3 between two of them
const across = [6, 4, 3, 2].find((n) => 2 + 19 * n - 3 <= width) ?? 1;
const shades = " ░▒▓█";
for (let first = 0; first < rows.length; first += across) {
  const line = rows.slice(first, first + across);
  for (let y = 0; y < 8; y++)
    console.log(
      "  " +
        line
          .map((row) =>
            Array.from({ length: 8 }, (_, x) =>
              shades[Math.min(4, Math.ceil(row.image[8 * y + x] / 4))].repeat(2),
            ).join(""),
          )
          .join("   "),
    );
  console.log(
    "  " +
      line
        .map((row, i) => {
          const { digit, chance } = sure[first + i];
          const right = digit === row.label;
          const text = right ? `${digit}  ${(100 * chance).toFixed(1)} %` : `${digit}  (it is ${row.label})`;
          return (right ? green : red)(text.padEnd(16));
        })
        .join("   ") +
      "\n",
  );
}

const size = (name) => {
  const bytes = readFileSync(join(out, "app", name));
  return `${name} ${(statSync(join(out, "app", name)).size / 1000).toFixed(1)} kB (${(gzipSync(bytes, { level: 9 }).length / 1000).toFixed(1)} gzip)`;
};
console.log("An app ships");
for (const name of ["Digit.js", "Digit.wasm", "Digit.wgsl.json", "Digit.safetensors"])
  console.log(`  ${size(name)}`);
console.log(dim(`All of this took ${((performance.now() - began) / 1000).toFixed(1)} s.`));
