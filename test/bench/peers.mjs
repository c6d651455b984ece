// Fetches peers with npm into .data/peers, which git ignores: they are no dependency.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = fileURLToPath(new URL("../../.data/peers", import.meta.url));

/** Packages of each peer. */
const packages = {
  "onnxruntime-web": { "onnxruntime-web": "1.30.0", "onnx-proto": "8.0.1" },
  tfjs: { "@tensorflow/tfjs": "4.22.0", "@tensorflow/tfjs-backend-wasm": "4.22.0" },
  "jax-js": { "@jax-js/jax": "0.1.25" },
};
export const peersOfNpm = Object.keys(packages);

const read = (...path) => JSON.parse(readFileSync(join(folder, ...path), "utf8"));

const isThere = ([name, version]) => {
  const path = ["node_modules", name, "package.json"];
  return existsSync(join(folder, ...path)) && read(...path).version === version;
};

/** Those of the peers that are there, after fetching those that were not; other packages in the folder stay. */
export function fetchPeers(wanted) {
  const missing = wanted.filter((peer) => !Object.entries(packages[peer]).every(isThere));
  if (missing.length > 0) {
    console.log(`fetching ${missing.join(", ")} into .data/peers ...`);
    mkdirSync(folder, { recursive: true });
    const before = existsSync(join(folder, "package.json")) ? read("package.json").dependencies : {};
    const dependencies = Object.assign({}, before, ...missing.map((peer) => packages[peer]));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }, null, 2));
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    spawnSync(npm, ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  if (wanted.length > 0) writeFileSync(join(folder, "load.mjs"), "export default (name) => import(name);\n");
  return wanted.filter((peer) => Object.entries(packages[peer]).every(isThere));
}

export const versionOf = (peer) => Object.values(packages[peer])[0];
