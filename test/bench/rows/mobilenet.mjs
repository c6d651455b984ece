// MobileNet (Howard et al. 2017) at 224 x 224: depthwise convolutions, and convolutions of 1 x 1 behind them.
const blocks = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array(5).fill([512, 1]),
  [1024, 2],
  [1024, 1],
];

/** The network in the words of a peer. */
function network(x, { first, apart, head }) {
  let value = first(x);
  let before = 32;
  for (const [channels, stride] of blocks) {
    value = apart(value, before, channels, stride);
    before = channels;
  }
  return head(value);
}

export const rows = [
  {
    name: "MobileNet, batch 1",
    program: "mobilenet.dlm",
    sizes: { B: 1 },
    peers: {
      "onnxruntime-web": (graph) => ({
        inputs: { x: [1, 3, 224, 224] },
        output: network("x", {
          first: (x) => graph.relu(graph.conv(x, 3, 32, 3, { stride: 2 })),
          apart: (x, from, to, stride) => {
            const each = graph.relu(graph.conv(x, from, from, 3, { stride, group: from }));
            return graph.relu(graph.conv(each, from, to, 1));
          },
          head: (x) =>
            graph.dense(
              graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], { axis: 1 }),
              1024,
              1000,
            ),
        }),
      }),
      tfjs({ sequential, layers, randomNormal }) {
        const list = [];
        const padding = "same";
        const activation = "relu";
        network(undefined, {
          first: () =>
            list.push(
              layers.conv2d({
                filters: 32,
                kernelSize: 3,
                strides: 2,
                padding,
                activation,
                inputShape: [224, 224, 3],
              }),
            ),
          apart: (_, _from, filters, strides) =>
            list.push(
              layers.depthwiseConv2d({ kernelSize: 3, strides, padding, activation }),
              layers.conv2d({ filters, kernelSize: 1, activation }),
            ),
          head: () => list.push(layers.globalAveragePooling2d({}), layers.dense({ units: 1000 })),
        });
        const model = sequential({ layers: list });
        const x = randomNormal([1, 224, 224, 3]);
        return () => model.predict(x);
      },
      torch: ["infer"],
    },
    atLeast: { wasm: 1.5 },
    aim: { wasm: 2 },
  },
];
