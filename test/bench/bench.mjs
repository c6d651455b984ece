// `npm run bench`: the product and its peers on the same work, in turn, in one run; notes.md says what each row is.
//   --against NAMES  of onnxruntime-web, tfjs, jax-js, torch; `none` for the product alone (all)
//   --only WORDS     rows and parts whose name has these words; commas between choices: "mlp batch 1,lstm"
//   --rounds N       how often each side has its turn (7)
//   --time MS        how long a turn is (300)
//   --processor      count the time that a side has the processor: for a machine that is busy with other work
//   --seed N         of the random shapes (drawn, and printed)
//   --json FILE      all that was found
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { pythonWithTorch, startSide, startTorch } from "./contender.mjs";
import { verdictsOf } from "./measures.mjs";
import { fetchPeers, folder, peersOfNpm, versionOf } from "./peers.mjs";
import { parts } from "./parts.mjs";
import { chart, header, rowLine } from "./report.mjs";
import { allRows } from "./rows.mjs";
import { medians, runRow } from "./run-row.mjs";
import { peakFlops } from "./sides/ceiling.mjs";

const { values: options } = parseArgs({
  options: {
    against: { type: "string", default: [...peersOfNpm, "torch"].join(",") },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "7" },
    time: { type: "string", default: "300" },
    processor: { type: "boolean", default: false },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
    json: { type: "string" },
  },
});

function wrongUsage(message) {
  console.error(message);
  process.exit(2);
}

function wholeNumber(name) {
  const value = Number(options[name]);
  return Number.isSafeInteger(value) && value > 0
    ? value
    : wrongUsage(`--${name} wants a whole number above 0`);
}

const known = [...peersOfNpm, "torch"];
const against = options.against === "none" ? [] : options.against.split(",");
for (const peer of against)
  if (!known.includes(peer)) wrongUsage(`there is no peer ${peer}, only ${known.join(", ")}`);
const choices = options.only.toLowerCase().split(",");
const wanted = ({ name }) =>
  choices.some((words) => words.split(" ").every((word) => name.toLowerCase().includes(word)));
const rows = (await allRows()).filter(wanted);
const wantedParts = parts.filter(wanted);
if (rows.length + wantedParts.length === 0)
  wrongUsage(`no row and no part has ${choices.join(" or ")} in its name`);

const clock = options.processor ? "processor" : "wall";
const settings = { rounds: wholeNumber("rounds"), milliseconds: wholeNumber("time"), clock };
const seed = Number(options.seed);
if (!Number.isSafeInteger(seed) || seed < 0) wrongUsage("--seed wants a whole number");

const npmPeers = against.filter((peer) => peersOfNpm.includes(peer));
const there = fetchPeers(npmPeers);
const torch = against.includes("torch") ? pythonWithTorch() : undefined;
const missing = [
  ...npmPeers.filter((peer) => !there.includes(peer)).map((peer) => `${peer} could not be fetched`),
  ...(against.includes("torch") && !torch ? ["torch: no python3 here has it"] : []),
];
for (const reason of missing) console.log(`MISSING  ${reason}; its ratios are not known`);

/** A product of matrices below this comes from the reference BLAS, which is no one's choice. */
const leastOfTorch = 20;
if (torch && torch.gflops < leastOfTorch)
  console.log(
    `SLOW  torch multiplies matrices at ${torch.gflops.toFixed(1)} GFLOP/s: with OpenBLAS (libopenblas0) it is another peer`,
  );

const machine = cpus()[0]?.model.trim() ?? "unknown processor";
const versions = Object.fromEntries([
  ...there.map((peer) => [peer, versionOf(peer)]),
  ...(torch ? [["torch", torch.version]] : []),
]);
console.log(
  `${machine}, Node ${process.version}, one thread each; ms a call by the ${clock} clock: median (10 %)` +
    Object.entries(versions)
      .map(([peer, version]) => `; ${peer} ${version}`)
      .join(""),
);

const found = {
  date: new Date().toISOString(),
  machine,
  node: process.version,
  versions,
  settings,
  seed,
  rows: [],
  parts: [],
};
const verdicts = [];
const failed = [];
const shown = against.filter((peer) => there.includes(peer) || (peer === "torch" && torch));

if (rows.length > 0) {
  const peers = new Map(
    shown.map((peer) => [peer, peer === "torch" ? startTorch(torch.python) : startSide(peer, folder)]),
  );
  const ceiling = startSide("ceiling", folder);
  console.log(header(shown));
  const peaks = [];
  const printed = [];
  for (const row of rows) {
    const measured = await runRow(row, { ...settings, peers, ceiling, folder });
    for (const name of ["dlmc", "strict"])
      if (measured.sides[name].error !== undefined)
        throw new Error(`${name}, ${row.name}: ${measured.sides[name].error}`);
    const result = medians(row, measured, peakFlops);
    console.log(rowLine(row, measured, result, shown));
    verdicts.push(...verdictsOf(row, result));
    for (const [side, { error }] of Object.entries(measured.sides))
      if (error !== undefined) failed.push(`${side}, ${row.name}: ${error.split("\n")[0]}`);
    peaks.push(result);
    printed.push({ name: row.name, result });
    found.rows.push({
      name: row.name,
      ...measured,
      medians: { ...result, peers: Object.fromEntries(result.peers) },
    });
  }
  ceiling.stop();
  for (const side of peers.values()) side.stop();
  for (const reason of failed) console.log(`  - ${reason}`);
  const range = (values) => `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
  console.log(
    `\nmicro-kernel's peak in this run, GFLOP/s: ${range(peaks.map(({ peak }) => peak))} relaxed, ` +
      `${range(peaks.map(({ strictPeak }) => strictPeak))} strict`,
  );
  const bars = chart(printed);
  if (bars.length > 0)
    console.log(`\ntimes as fast as the best peer on wasm, and as PyTorch (length by the logarithm)`);
  for (const bar of bars) console.log(`  ${bar}`);
}

for (const part of wantedParts) {
  console.log(`\n${part.name}`);
  const { lines, targets, results } = await part.run({ ...settings, seed, there, folder });
  for (const each of lines) console.log(`  ${each}`);
  verdicts.push(...targets.map((target) => ({ name: part.name, ...target })));
  found.parts.push({ name: part.name, results });
}

console.log("\ntargets");
for (const { name, holds, reachesAim, found: value, limit } of verdicts)
  console.log(`  ${reachesAim ? "AIM  " : holds ? "holds" : "FAILS"}  ${name}: ${value}; ${limit}`);
const fails = verdicts.filter(({ holds }) => !holds).length;
console.log(`${verdicts.length - fails} of ${verdicts.length} hold`);
if (options.json !== undefined) {
  const text = JSON.stringify({ ...found, missing, failed, targets: verdicts }, null, 1);
  writeFileSync(options.json, `${text}\n`);
}
process.exitCode = fails === 0 ? 0 : 1;
