// `node examples/cartpole/train.mjs [SEED]`: compiles the policy with its training step, lets it learn, and plays 100 episodes
// that it has not seen.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { learn, play } from "./learn.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const built = join(root, ".data", "cartpole");
const seed = Number(process.argv[2] ?? 1);

const command = join(root, ".build", "bin", "dlmc.js");
const words = ["compile", join(here, "cartpole.dlm"), "--entry", "infer,train", "-o", built];
const { status } = spawnSync(process.execPath, [command, ...words], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const { load } = await import(pathToFileURL(join(built, "Policy.js")).href);
const model = await load({ seed });
const began = performance.now();
await learn(model, {
  rounds: 50,
  seed,
  report({ round, steps, loss, mean }) {
    if (round % 5 === 0)
      console.log(
        `${String(steps).padStart(7)} steps   loss ${loss.toFixed(4).padStart(7)}   ${mean.toFixed(1).padStart(5)} of 500 a game`,
      );
  },
});
const seconds = (performance.now() - began) / 1000;

const found = await play(model, { count: 100, seed: seed + 1000 });
const mean = found.reduce((a, b) => a + b) / found.length;
console.log(
  `100 new games, the likelier push each time: ${mean.toFixed(1)} of 500 on average, ${Math.min(...found)} at least; learned in ${seconds.toFixed(0)} s`,
);
model.destroy();
process.exitCode = mean >= 475 ? 0 : 1;
