// One side of the benchmark in a process of its own: `node side.mjs NAME PEERS`, where sides/NAME.mjs makes the calls. It
// answers messages one at a time and is idle between them, so that the sides can be measured in turn:
//   { id, what: "open", milliseconds, clock, ... }  makes ready what a row describes; { opening }: the first ten calls
//   { id, what: "turn", part, milliseconds, clock } { times }, milliseconds a call; `part` where a row has several calls
// What fails is answered with { error }.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { clocks, opening, sample } from "./sampling.mjs";

const [, , name, peers] = process.argv;
/** Written by the benchmark into the folder of the peers, so that names are found there. */
const peer = async (module) => (await import(pathToFileURL(join(peers, "load.mjs")).href)).default(module);

const starting = import(`./sides/${name}.mjs`).then(({ start }) => start(peer, peers));
starting.catch(() => {});
let calls = {};

const requests = {
  async open({ milliseconds, clock, ...description }) {
    const made = await (await starting).open(description);
    calls = typeof made === "function" ? { call: made } : made;
    if (!calls.call) return {};
    return { opening: await opening(calls.call, 10 * milliseconds, clocks[clock]) };
  },
  async turn({ part = "call", milliseconds, clock }) {
    return { times: await sample(calls[part], milliseconds, clocks[clock]) };
  },
};

process.on("message", async ({ id, what, ...request }) => {
  try {
    process.send({ id, ...(await requests[what](request)) });
  } catch (error) {
    process.send({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.send({ ready: true });
