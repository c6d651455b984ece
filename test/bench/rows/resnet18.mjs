// ResNet-18 at 224 x 224. The peers get it with the normalisations folded into the convolutions, as a converter leaves it.
const stages = [
  [64, 1],
  [128, 2],
  [256, 2],
  [512, 2],
];

/** The network in the words of a peer. */
function network(x, { conv, relu, add, maxpool, head }) {
  let value = maxpool(relu(conv(x, 3, 64, 7, 2)));
  let before = 64;
  for (const [channels, first] of stages)
    for (const stride of [first, 1]) {
      const inner = relu(conv(value, before, channels, 3, stride));
      const same = stride === 1 && before === channels;
      const shortcut = same ? value : conv(value, before, channels, 1, stride);
      value = relu(add(conv(inner, channels, channels, 3, 1), shortcut));
      before = channels;
    }
  return head(value);
}

export const rows = [
  {
    name: "ResNet-18, batch 1",
    program: "../../../examples/cifar/resnet18.dlm",
    sizes: { B: 1 },
    peers: {
      "onnxruntime-web": (graph) => ({
        inputs: { x: [1, 3, 224, 224] },
        output: network("x", {
          conv: (x, from, to, size, stride) => graph.conv(x, from, to, size, { stride }),
          relu: graph.relu,
          add: (a, b) => graph.node("Add", [a, b]),
          maxpool: (x) => graph.maxpool(x, 3, 2, 1),
          head: (x) =>
            graph.dense(
              graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], { axis: 1 }),
              512,
              1000,
            ),
        }),
      }),
      tfjs(tf) {
        const weights = [];
        let next = 0;
        const weight = (...shape) => (weights[next++] ??= tf.keep(tf.randomNormal(shape, 0, 0.05)));
        const x = tf.randomNormal([1, 224, 224, 3]);
        return () => {
          next = 0;
          return network(x, {
            conv: (value, from, to, size, stride) =>
              tf.conv2d(value, weight(size, size, from, to), stride, "same").add(weight(to)),
            relu: (value) => value.relu(),
            add: (a, b) => a.add(b),
            maxpool: (value) => tf.maxPool(value, 3, 2, "same"),
            head: (value) => value.mean([1, 2]).matMul(weight(512, 1000)).add(weight(1000)),
          });
        };
      },
      torch: ["infer"],
    },
    atLeast: { wasm: 2.1 },
    aim: { wasm: 2.5 },
  },
];
