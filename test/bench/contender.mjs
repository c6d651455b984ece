// The processes of the sides, seen from the run: each is asked one thing at a time.
import { fork, spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

const oneThread = { ...process.env, OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };

/** Requests in, answers out, by number. */
function conversation(child, send) {
  const waiting = new Map();
  let next = 0;
  let ended;
  const end = (reason) => {
    ended = reason;
    for (const resolve of waiting.values()) resolve({ error: reason });
    waiting.clear();
  };
  child.on("exit", (code) => end(`its process ended with ${code}`));
  child.on("error", (error) => end(error.message));
  return {
    answer({ id, ...rest }) {
      waiting.get(id)?.(rest);
      waiting.delete(id);
    },
    ask: (request) =>
      ended !== undefined
        ? Promise.resolve({ error: ended })
        : new Promise((resolve) => {
            const id = next++;
            waiting.set(id, resolve);
            send({ id, ...request });
          }),
    stop: () => child.kill(),
  };
}

/** A side in JavaScript. */
export function startSide(name, peers) {
  const child = fork(join(here, "side.mjs"), [name, peers], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    serialization: "advanced",
  });
  const ready = new Promise((resolve) => child.once("message", resolve));
  const { answer, ask, stop } = conversation(child, (message) => child.send(message));
  child.on("message", answer);
  return { ask: async (request) => (await ready, ask(request)), stop };
}

/** Says the version and the GFLOP/s of a product of 512, as numbers in a list. */
const probe = `
import json, time, torch
torch.set_num_threads(1)
a, times = torch.randn(512, 512), []
for _ in range(5):
    start = time.process_time()
    a @ a
    times.append(time.process_time() - start)
print(json.dumps([torch.__version__, 2 * 512**3 / min(times) / 1e9]))
`;

/** The Python that has torch: { python, version, gflops } of a matrix product; undefined where none has. */
export function pythonWithTorch() {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const { status, stdout } = spawnSync(python, ["-c", probe], { env: oneThread, encoding: "utf8" });
    if (status !== 0) continue;
    const [version, gflops] = JSON.parse(stdout);
    return { python, version, gflops };
  }
  return undefined;
}

/** pytorch.py, which speaks lines of JSON. */
export function startTorch(python) {
  const child = spawn(python, [join(here, "sides/pytorch.py")], {
    stdio: ["pipe", "pipe", "ignore"],
    env: oneThread,
  });
  const { answer, ask, stop } = conversation(child, (message) =>
    child.stdin.write(`${JSON.stringify(message)}\n`),
  );
  createInterface({ input: child.stdout }).on("line", (line) => answer(JSON.parse(line)));
  return { ask, stop };
}
