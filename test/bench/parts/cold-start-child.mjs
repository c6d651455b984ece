// One cold start: `node cold-start-child.mjs dlmc|onnxruntime-web FOLDER PEERS` prints { wall, processor } in ms.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { clocks } from "../sampling.mjs";

const [, , side, folder, peers] = process.argv;
const bytes = (name) => new Uint8Array(readFileSync(join(folder, name)));
const image = new Uint8Array(784).map((_, i) => (i * 37) % 256);

/** All is read before; gives what is timed. */
const sides = {
  async dlmc() {
    const { load } = await import(pathToFileURL(join(folder, "runtime.mjs")).href);
    const code = { strict: bytes("LeNet.wasm"), relaxed: bytes("LeNet.relaxed.wasm") };
    const weights = bytes("LeNet.safetensors");
    return async () => (await load(code, { weights, max: { B: 1 } })).run({ image });
  },
  async "onnxruntime-web"() {
    const { default: load } = await import(pathToFileURL(join(peers, "load.mjs")).href);
    const ort = await load("onnxruntime-web/wasm");
    ort.env.wasm.numThreads = 1;
    const main = createRequire(join(peers, "load.mjs")).resolve("onnxruntime-web/wasm");
    ort.env.wasm.wasmBinary = readFileSync(join(dirname(main), "ort-wasm-simd-threaded.wasm"));
    const model = bytes("LeNet.onnx");
    return async () => {
      const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
      await session.run({ x: new ort.Tensor("float32", Float32Array.from(image), [1, 1, 28, 28]) });
    };
  },
};

const call = await sides[side]();
const begin = [clocks.wall(), clocks.processor()];
await call();
const [wall, processor] = [clocks.wall() - begin[0], clocks.processor() - begin[1]];
console.log(JSON.stringify({ wall, processor }));
process.exit(0);
