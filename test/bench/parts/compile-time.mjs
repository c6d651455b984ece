// How long `dlmc check` and `dlmc compile` take, as processes: both files of code written.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median } from "../statistics.mjs";
import { inScratch } from "./scratch.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const probe = pathToFileURL(join(root, "test/bench/parts/processor-time.mjs")).href;
const runs = 5;

const work = [
  { what: "check", file: "examples/digits/digits.dlm", most: 0.3 },
  { what: "compile", file: "examples/digits/digits.dlm", most: 1 },
  { what: "compile", file: "examples/cifar/resnet18.dlm", most: 4 },
  { what: "compile", file: "test/bench/rows/gpt.dlm", most: 4 },
];

/** Seconds of one process, by both clocks. */
function once(args) {
  const start = performance.now();
  const { status, stderr, output } = spawnSync(
    process.execPath,
    ["--import", probe, join(root, ".build/bin/dlmc.js"), ...args],
    { cwd: root, stdio: ["ignore", "ignore", "pipe", "pipe"], encoding: "utf8" },
  );
  const wall = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`dlmc ${args.join(" ")}: ${stderr}`);
  return { wall, processor: Number(output[3]) };
}

export const compileTime = {
  name: "compile time",
  run: ({ clock }) =>
    inScratch((folder) => {
      const results = work.map(({ what, file, most }) => {
        const args = what === "check" ? [what, file] : [what, file, "-o", folder];
        const times = Array.from({ length: runs }, () => once(args));
        const of = (by) => median(times.map((each) => each[by]));
        return { name: `dlmc ${what} ${file}`, most, wall: of("wall"), processor: of("processor") };
      });
      return {
        results,
        lines: results.map(
          ({ name, wall, processor }) =>
            `${name.padEnd(42)} wall ${wall.toFixed(2)} s, processor ${processor.toFixed(2)} s: median of ${runs}`,
        ),
        targets: results.map(({ name, most, [clock]: value }) => ({
          found: `${name} ${value.toFixed(2)} s`,
          limit: `at most ${most}`,
          holds: value <= most,
          value,
        })),
      };
    }),
};
