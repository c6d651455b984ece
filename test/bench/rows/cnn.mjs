// 28 x 28, four 3 x 3 convolutions in two groups with a pool behind each, two dense layers.
const channels = [1, 32, 32, 64, 64];

const infer = (batch, atLeast, aim) => ({
  name: `CNN, batch ${batch}`,
  program: "cnn.dlm",
  sizes: { B: batch },
  max: { B: 32 },
  peers: {
    "onnxruntime-web"(graph) {
      let value = "x";
      for (let i = 1; i < channels.length; i++) {
        value = graph.relu(graph.conv(value, channels[i - 1], channels[i], 3));
        if (i % 2 === 0) value = graph.maxpool(value, 2, 2);
      }
      value = graph.node("Flatten", [value], { axis: 1 });
      value = graph.relu(graph.dense(value, 64 * 49, 128));
      return { inputs: { x: [batch, 1, 28, 28] }, output: graph.dense(value, 128, 10) };
    },
    tfjs({ sequential, layers, randomNormal }) {
      const conv = (filters, more) =>
        layers.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", ...more });
      const pool = () => layers.maxPooling2d({ poolSize: 2 });
      const model = sequential({
        layers: [
          conv(32, { inputShape: [28, 28, 1] }),
          conv(32),
          pool(),
          conv(64),
          conv(64),
          pool(),
          layers.flatten(),
          layers.dense({ units: 128, activation: "relu" }),
          layers.dense({ units: 10 }),
        ],
      });
      const x = randomNormal([batch, 28, 28, 1]);
      return () => model.predict(x);
    },
    torch: ["infer", batch],
  },
  atLeast,
  aim,
});

export const rows = [
  infer(1, { wasm: 2.4 }, { wasm: 3 }),
  infer(32, { wasm: 2.6 }, { wasm: 3.3 }),
  {
    name: "CNN, training step, batch 32",
    program: "cnn.dlm",
    entry: "train",
    sizes: { B: 32 },
    peers: { torch: ["train"] },
    atLeast: { torch: 0.75 },
    aim: { torch: 1 },
  },
];
