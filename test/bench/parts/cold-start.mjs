// Cold start: fresh processes, code and weights in memory, from `load` to the end of the first `run` of LeNet-5.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { built } from "../own.mjs";
import { onnxGraph } from "../onnx-graph.mjs";
import { median, quantile } from "../statistics.mjs";
import { emitLeNet, onnxLeNet } from "./lenet.mjs";
import { inScratch } from "./scratch.mjs";

const processes = 20;
const child = fileURLToPath(new URL("cold-start-child.mjs", import.meta.url));
const most = 20;
const leastToPeer = 10;

/** { wall, processor } in ms of each process. */
function measured(side, folder, peers) {
  return Array.from({ length: processes }, () => {
    const { stdout, status, stderr } = spawnSync(process.execPath, [child, side, folder, peers], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`cold start of ${side}: ${stderr}`);
    return JSON.parse(stdout.trim().split("\n").at(-1));
  });
}

export const coldStart = {
  name: "cold start",
  run: ({ clock, there, folder: peers }) =>
    inScratch(async (folder) => {
      await emitLeNet(folder);
      const { runtimeText } = await built("generated/runtime.js");
      writeFileSync(join(folder, "runtime.mjs"), runtimeText);
      const results = { dlmc: measured("dlmc", folder, peers) };
      if (there.includes("onnxruntime-web")) {
        const { default: load } = await import(pathToFileURL(join(peers, "load.mjs")).href);
        const { default: protocol } = await load("onnx-proto");
        const graph = onnxGraph();
        const { inputs, output } = onnxLeNet(graph);
        writeFileSync(join(folder, "LeNet.onnx"), graph.bytes(protocol.onnx, inputs, output));
        results["onnxruntime-web"] = measured("onnxruntime-web", folder, peers);
      }
      const times = (side, by) => results[side].map((each) => each[by]);
      const time = median(times("dlmc", clock));
      const peer = results["onnxruntime-web"] && median(times("onnxruntime-web", clock));
      return {
        results,
        lines: Object.keys(results).map((side) => {
          const told = (by) =>
            `${by} ${median(times(side, by)).toFixed(1)} ms (${quantile(times(side, by), 0.1).toFixed(1)})`;
          return `${side.padEnd(16)} ${told("wall")}, ${told("processor")}: median (10 %) of ${processes} processes`;
        }),
        targets: [
          { found: `${time.toFixed(1)} ms`, limit: `at most ${most}`, holds: time <= most, value: time },
          ...(peer === undefined
            ? []
            : [
                {
                  found: `${(peer / time).toFixed(1)} x onnxruntime-web`,
                  limit: `at least ${leastToPeer}`,
                  holds: peer / time >= leastToPeer,
                  value: peer / time,
                },
              ]),
        ],
      };
    }),
};
