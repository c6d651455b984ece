// One side of the benchmark in a process of its own: `node contender.mjs dlmc|onnxruntime|tfjs PEERS`. It answers messages
// `{ id, what, network, batch, milliseconds, clock }` with `{ id, times }` (ms a call) or `{ id, error }`, one at a time, and is
// idle between them, so that the sides can be measured in turn.
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { onnxModel } from "./models.mjs";

const [, , side, peers] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
const built = (path) => import(pathToFileURL(join(here, "../../.build", path)).href);
/** Written by the benchmark into the folder of the peers, so that names are found there. */
const peer = async (name) => (await import(pathToFileURL(join(peers, "load.mjs")).href)).default(name);

const random = (count) => Float32Array.from({ length: count }, () => Math.random() * 2 - 1);
const labels = (count) => Int32Array.from({ length: count }, () => Math.floor(Math.random() * 10));

/** A function that makes one call: `infer` or `train` of a network at a batch size. */
const makers = {
  async dlmc() {
    const { openProgram, chooseModel, chooseTrain, graphsOf } = await built("src/program.js");
    const { compiled } = await built("src/compile-program.js");
    const { load } = await built("runtime/index.js");
    const { hasRelaxedSimd } = await built("runtime/platform.js");
    const largest = { mlp: 64, cnn: 32 };
    const loaded = new Map();
    /** one artifact with a free batch for all sizes */
    const open = async (network) => {
      const program = openProgram(join(here, `${network}.dlm`));
      const train = chooseTrain(program);
      const graphs = graphsOf(program, chooseModel(program), train, ["init", "infer", "train"]);
      const start = performance.now();
      const result = await compiled(graphs, { relaxed: hasRelaxedSimd() });
      const { artifact, code } = result.relaxed ?? result.strict;
      const compile = performance.now() - start;
      const model = await load(artifact, { max: { B: largest[network] } });
      return {
        model,
        facts: { compile, bytes: artifact.length, largestFunction: code.largestFunctionBytes },
      };
    };
    return {
      async call(what, network, batch) {
        if (!loaded.has(network)) loaded.set(network, await open(network));
        const { model } = loaded.get(network);
        const image = random(batch * 784);
        const label = labels(batch);
        if (what === "train") return () => model.step({ image, label });
        const into = { out: new Float32Array(batch * 10) };
        return () => model.run({ image }, { into });
      },
      async facts(network) {
        if (!loaded.has(network)) loaded.set(network, await open(network));
        return loaded.get(network).facts;
      },
    };
  },
  async onnxruntime() {
    const ort = await peer("onnxruntime-web/wasm");
    ort.env.wasm.numThreads = 1;
    return {
      async call(what, network, batch) {
        if (what === "train") throw new Error("onnxruntime-web does not train");
        const { default: protocol } = await peer("onnx-proto");
        const { shape, bytes } = onnxModel(protocol.onnx, network, batch);
        const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
        const x = new ort.Tensor("float32", random(batch * 784), shape);
        return () => session.run({ x });
      },
    };
  },
  async tfjs() {
    const tf = await peer("@tensorflow/tfjs");
    const { setWasmPaths, setThreadsCount } = await peer("@tensorflow/tfjs-backend-wasm");
    setThreadsCount(1);
    setWasmPaths(`${join(peers, "node_modules/@tensorflow/tfjs-backend-wasm/wasm-out")}/`);
    await tf.setBackend("wasm");
    await tf.ready();
    const { layers: L } = tf;
    const conv = (filters, more = {}) =>
      L.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", ...more });
    const networks = {
      mlp: () => [
        L.dense({ units: 512, activation: "relu", inputShape: [784] }),
        L.dense({ units: 256, activation: "relu" }),
        L.dense({ units: 10 }),
      ],
      cnn: () => [
        conv(32, { inputShape: [28, 28, 1] }),
        conv(32),
        L.maxPooling2d({ poolSize: 2 }),
        conv(64),
        conv(64),
        L.maxPooling2d({ poolSize: 2 }),
        L.flatten(),
        L.dense({ units: 128, activation: "relu" }),
        L.dense({ units: 10 }),
      ],
    };
    const shapes = { mlp: [784], cnn: [28, 28, 1] };
    return {
      async call(what, network, batch) {
        const model = tf.sequential({ layers: networks[network]() });
        const x = tf.randomNormal([batch, ...shapes[network]]);
        if (what === "infer")
          return async () => {
            const out = model.predict(x);
            await out.data();
            out.dispose();
          };
        model.compile({
          optimizer: tf.train.adam(1e-3),
          loss: (truth, out) => tf.losses.softmaxCrossEntropy(truth, out),
        });
        const y = tf.oneHot(tf.tensor1d(labels(batch), "int32"), 10);
        return () => model.trainOnBatch(x, y);
      },
    };
  },
};

/** Milliseconds on the clock, or those that this process had the processor. */
const clocks = {
  wall: () => performance.now(),
  processor() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Milliseconds a call; calls that are shorter than the clock is fine are timed several at once. */
async function sample(call, milliseconds, clock) {
  const times = [];
  let count = 1;
  for (const end = performance.now() + milliseconds; performance.now() < end || times.length < 3;) {
    const start = clock();
    for (let i = 0; i < count; i++) await call();
    const took = clock() - start;
    times.push(took / count);
    if (took < 0.5) count *= 2;
  }
  return times;
}

const opening = makers[side]();
opening.catch(() => {});
const calls = new Map();

process.on("message", async ({ id, what, network, batch, milliseconds, clock }) => {
  try {
    const contender = await opening;
    if (what === "facts") {
      process.send({ id, facts: await contender.facts(network) });
      return;
    }
    const key = `${what} ${network} ${batch}`;
    if (!calls.has(key)) calls.set(key, await contender.call(what, network, batch));
    process.send({ id, times: await sample(calls.get(key), milliseconds, clocks[clock]) });
  } catch (error) {
    process.send({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.send({ ready: true });
