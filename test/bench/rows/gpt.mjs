// The blocks of a GPT, 6 of them, 384 wide: over 128 tokens; and for one token more with 256 in the cache, with a table of
// 256 rows before and scores of 256 tokens behind.
import { layers, onnxBlocks, tfjsBlocks, width } from "../transformer-peers.mjs";

const tokens = 128;

const cached = 256;
const vocabulary = 256;

/** Kernels of each block (query, key, value, out: 4; up, down: 8), keys and values, and the scores. */
const read = 4 * (layers * (12 * width ** 2 + 2 * cached * width) + width * vocabulary);

export const rows = [
  {
    name: "GPT blocks, 128 tokens",
    program: "gpt.dlm",
    sizes: { B: 1, T: tokens },
    peers: {
      "onnxruntime-web": (graph) => ({
        inputs: { x: [1, tokens, width] },
        output: onnxBlocks(graph, tokens, 0),
      }),
      tfjs(tf) {
        const blocks = tfjsBlocks(tf, tokens, 0);
        const x = tf.randomNormal([tokens, width]);
        return () => blocks(x);
      },
      torch: ["infer", tokens, 0],
    },
    atLeast: { wasm: 1.4 },
    aim: { wasm: 1.6 },
  },
  {
    name: "GPT, one token, 256 in the cache",
    program: "decode.dlm",
    entry: "step",
    sizes: { T: 1 },
    control: { offset: cached },
    traffic: { read, written: 0 },
    peers: {
      "onnxruntime-web": (graph) => ({
        inputs: { x: [1, 1, width] },
        output: graph.linear(onnxBlocks(graph, 1, cached), width, vocabulary),
      }),
      tfjs(tf) {
        const blocks = tfjsBlocks(tf, 1, cached);
        const [x, head] = [tf.randomNormal([1, width]), tf.randomNormal([width, vocabulary])];
        return () => blocks(x).matMul(head);
      },
      torch: ["decode", cached],
    },
    atLeast: { read: 0.85 },
    aim: { read: 0.95 },
  },
];
