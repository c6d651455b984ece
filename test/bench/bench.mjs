// `npm run bench`: the product and its peers on the same work, in turn, in one run. Prints medians and ratios, what the
// training step takes in a fresh process, and whether the targets hold.
//   --no-peers       the product alone
//   --rounds N       how often each side has its turn (7)
//   --time MS        how long a turn is (300)
//   --processor      count the time that a side has the processor: for a machine that is busy with other work
// Peers are no dependency: they are fetched with npm into .data/peers, which git ignores.
import { fork, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const peers = join(here, "../../.data/peers");
const versions = {
  "onnxruntime-web": "1.30.0",
  "onnx-proto": "8.0.1",
  "@tensorflow/tfjs": "4.22.0",
  "@tensorflow/tfjs-backend-wasm": "4.22.0",
};

const { values: options } = parseArgs({
  options: {
    "no-peers": { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    time: { type: "string", default: "300" },
    processor: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const milliseconds = Number(options.time);
const clock = options.processor ? "processor" : "wall";

/** Medians over so many processes tell what the first steps take. */
const freshRuns = 3;

const cases = [
  { what: "infer", network: "mlp", batch: 1 },
  { what: "infer", network: "mlp", batch: 64, most: 1.5 },
  { what: "infer", network: "cnn", batch: 1 },
  { what: "infer", network: "cnn", batch: 32, most: 1.5 },
  { what: "train", network: "mlp", batch: 64 },
  { what: "train", network: "cnn", batch: 32, mostMilliseconds: 200 },
];

/** Multiplications and additions of one row's contractions, twice. */
const rowFlops = {
  mlp: 2 * (784 * 512 + 512 * 256 + 256 * 10),
  cnn: 2 * (784 * 9 * 32 + 784 * 9 * 32 * 32 + 196 * 9 * 32 * 64 + 196 * 9 * 64 * 64 + 64 * 49 * 128 + 1280),
};

// ---------------------------------------------------------------- peers

function isInstalled() {
  return Object.entries(versions).every(([name, version]) => {
    const path = join(peers, "node_modules", name, "package.json");
    return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).version === version;
  });
}

function installPeers() {
  mkdirSync(peers, { recursive: true });
  writeFileSync(join(peers, "load.mjs"), "export default (name) => import(name);\n");
  if (isInstalled()) return true;
  console.log("fetching the peers into .data/peers ...");
  mkdirSync(peers, { recursive: true });
  writeFileSync(
    join(peers, "package.json"),
    JSON.stringify({ private: true, dependencies: versions }, null, 2),
  );
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: peers,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return result.status === 0 && isInstalled();
}

// ---------------------------------------------------------------- sides

/** A contender's process; requests are answered one at a time. */
function start(side) {
  const child = fork(join(here, "contender.mjs"), [side, peers], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const waiting = new Map();
  let next = 0;
  const ready = new Promise((resolve) => child.once("message", resolve));
  child.on("message", (answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.on("exit", (code) => {
    for (const [id, resolve] of waiting) resolve({ id, error: `its process ended with ${code}` });
    waiting.clear();
  });
  return {
    side,
    async ask(request) {
      await ready;
      return new Promise((resolve) => {
        const id = next++;
        waiting.set(id, resolve);
        child.send({ id, ...request });
      });
    },
    stop: () => child.kill(),
  };
}

const sorted = (times) => times.toSorted((a, b) => a - b);
const quantile = (times, part) => sorted(times)[Math.min(times.length - 1, Math.floor(part * times.length))];
const median = (times) => quantile(times, 0.5);

/** The first round warms up and is not counted. */
async function measure(sides, { what, network, batch }) {
  const results = new Map(sides.map(({ side }) => [side, { times: [] }]));
  for (let round = 0; round <= rounds; round++)
    for (const contender of sides) {
      const result = results.get(contender.side);
      if (result.error !== undefined) continue;
      const answer = await contender.ask({ what, network, batch, milliseconds, clock });
      if (answer.error !== undefined) result.error = answer.error;
      else if (round > 0) result.times.push(...answer.times);
    }
  return results;
}

// ---------------------------------------------------------------- the run

const sides = ["dlmc"];
if (!options["no-peers"]) {
  if (installPeers()) sides.push("onnxruntime", "tfjs");
  else console.log("THE PEERS COULD NOT BE FETCHED: the product is measured alone, no ratio is known.");
}
const shown = { dlmc: "dlmc", onnxruntime: "onnxruntime-web", tfjs: "tfjs wasm" };
const contenders = sides.map(start);
const milli = (time) => (time < 1 ? time.toFixed(3) : time < 10 ? time.toFixed(2) : time.toFixed(1));
const pad = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(18) : cell.padStart(17))).join(" "));
const verdicts = [];
const missing = [];

console.log(
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.version}, one thread each; ms a call by the ${clock} clock: median (10 %)`,
);
pad([
  "",
  ...sides.map((side) => shown[side]),
  "dlmc GFLOP/s",
  ...sides.slice(1).map((s) => `to ${shown[s]}`),
]);
for (const each of cases) {
  const { what, network, batch, most, mostMilliseconds } = each;
  const results = await measure(contenders, each);
  const own = results.get("dlmc");
  if (own.error !== undefined) throw new Error(`dlmc ${what} ${network}: ${own.error}`);
  const time = median(own.times);
  for (const [side, { error }] of results)
    if (error !== undefined)
      missing.push(`${shown[side]}, ${what} ${network} ${batch}: ${error.split("\n")[0]}`);
  const cells = sides.map((side) => {
    const { times, error } = results.get(side);
    return error !== undefined ? "-" : `${milli(median(times))} (${milli(quantile(times, 0.1))})`;
  });
  const ratios = sides.slice(1).map((side) => {
    const { times, error } = results.get(side);
    return error !== undefined ? undefined : time / median(times);
  });
  // forward and both gradients of every contraction
  const flops = rowFlops[network] * batch * (what === "train" ? 3 : 1);
  pad([
    `${what} ${network} ${batch}`,
    ...cells,
    (flops / time / 1e6).toFixed(1),
    ...ratios.map((ratio) => (ratio === undefined ? "-" : `${ratio.toFixed(2)} x`)),
  ]);
  const [toOnnx] = ratios;
  if (most !== undefined && toOnnx !== undefined)
    verdicts.push([
      `${network} ${batch} to onnxruntime-web`,
      toOnnx <= most,
      `${toOnnx.toFixed(2)} x`,
      `${most} x`,
    ]);
  if (mostMilliseconds !== undefined)
    verdicts.push([
      `training step of ${network} ${batch}`,
      time < mostMilliseconds,
      `${milli(time)} ms`,
      `${mostMilliseconds} ms`,
    ]);
}
for (const contender of contenders) contender.stop();
for (const reason of missing) console.log(`  - ${reason}`);

console.log(
  "\nthe training step in a fresh process, ms; compiling (relaxed twin too), code and its largest function",
);
for (const { network, batch } of cases.filter(({ what }) => what === "train")) {
  const runs = [];
  for (let run = 0; run < freshRuns; run++) {
    const fresh = start("dlmc");
    const { facts, error } = await fresh.ask({ what: "facts", network });
    if (error !== undefined) throw new Error(`dlmc ${network}: ${error}`);
    const { times } = await fresh.ask({ what: "train", network, batch, milliseconds: 2000, clock });
    fresh.stop();
    runs.push({ facts, first: times[0], second: times[1], usual: median(times.slice(2)) });
  }
  const [first, second, usual] = ["first", "second", "usual"].map((name) =>
    median(runs.map((run) => run[name])),
  );
  const { facts } = runs[0];
  console.log(
    `  ${network} ${batch}: first ${milli(first)}, second ${milli(second)}, median ${milli(usual)} (second / median ${(second / usual).toFixed(1)}); ` +
      `compiled in ${facts.compile.toFixed(0)} ms, ${(facts.bytes / 1000).toFixed(1)} kB, largest function ${facts.largestFunction} bytes`,
  );
  verdicts.push([
    `second step of ${network} ${batch}`,
    second <= 3 * usual,
    `${(second / usual).toFixed(1)} x`,
    "3 x the median",
  ]);
  verdicts.push([
    `largest function of ${network}`,
    facts.largestFunction < 65536,
    `${facts.largestFunction} bytes`,
    "64 KB",
  ]);
}

console.log("\ntargets");
for (const [what, holds, found, target] of verdicts)
  console.log(`  ${holds ? "holds" : "FAILS"}  ${what}: ${found}, at most ${target}`);
process.exitCode = verdicts.every(([, holds]) => holds) ? 0 : 1;
