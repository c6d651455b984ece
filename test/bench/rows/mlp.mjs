// 784-512-256-10, with relu between: inference, and a training step with Adam.
const units = [784, 512, 256, 10];

function tfjsModel(tf) {
  const [first, ...others] = units;
  return tf.sequential({
    layers: others.map((size, i) =>
      tf.layers.dense({
        units: size,
        ...(i === 0 && { inputShape: [first] }),
        ...(i < others.length - 1 && { activation: "relu" }),
      }),
    ),
  });
}

const layers = (make) => units.slice(1).map((size, i) => make(units[i], size, i < units.length - 2));

/** Weights of each layer, and the forward pass over references to them. */
function jaxModel({ numpy, random, nn }) {
  const weights = layers((from, to) => [
    random.normal(random.key(from), [from, to]).mul(0.05),
    numpy.zeros([to]),
  ]);
  const forward = (given, x) =>
    given.reduce((value, [kernel, shift], i) => {
      const out = numpy.matmul(value, kernel).add(shift);
      return i < given.length - 1 ? nn.relu(out) : out;
    }, x);
  return { weights, forward };
}

const infer = (batch, atLeast, aim) => ({
  name: `MLP, batch ${batch}`,
  program: "mlp.dlm",
  sizes: { B: batch },
  max: { B: 64 },
  peers: {
    "onnxruntime-web"(graph) {
      let value = "x";
      layers((from, to, inner) => {
        value = graph.dense(value, from, to);
        if (inner) value = graph.relu(value);
      });
      return { inputs: { x: [batch, 784] }, output: value };
    },
    tfjs(tf) {
      const model = tfjsModel(tf);
      const x = tf.randomNormal([batch, 784]);
      return () => model.predict(x);
    },
    "jax-js"(jax) {
      const { weights, forward } = jaxModel(jax);
      const x = jax.random.normal(jax.random.key(0), [batch, 784]);
      const run = jax.jit(forward);
      return () => run(jax.tree.ref(weights), x.ref).data();
    },
    torch: ["infer", batch],
  },
  atLeast,
  aim,
});

/** What one row reads: all weights. */
const weightBytes = 4 * layers((from, to) => from * to + to).reduce((a, b) => a + b);

export const rows = [
  {
    ...infer(1, { wasm: 1.7, read: 0.85 }, { wasm: 2.1, read: 0.95 }),
    traffic: { read: weightBytes, written: 0 },
  },
  infer(64, { wasm: 1.4 }, { wasm: 1.7 }),
  {
    name: "MLP, training step, batch 64",
    program: "mlp.dlm",
    entry: "train",
    sizes: { B: 64 },
    peers: {
      tfjs(tf) {
        const model = tfjsModel(tf);
        model.compile({
          optimizer: tf.train.adam(1e-3),
          loss: (truth, out) => tf.losses.softmaxCrossEntropy(truth, out),
        });
        const x = tf.randomNormal([64, 784]);
        const y = tf.oneHot(tf.randomUniform([64], 0, 10, "int32"), 10);
        return () => model.trainOnBatch(x, y);
      },
      "jax-js"(jax) {
        const { numpy, tree, random, nn } = jax;
        const { weights, forward } = jaxModel(jax);
        const zeros = () => tree.map((w) => numpy.zeros(w.shape), tree.ref(weights));
        const loss = (given, x, y) =>
          nn
            .logSoftmax(forward(given, x))
            .mul(y)
            .sum()
            .mul(-1 / 64);
        const step = jax.jit((w, m, v, x, y) => {
          const [value, g] = jax.valueAndGrad(loss)(tree.ref(w), x, y);
          const nextM = tree.map((a, b) => a.mul(0.9).add(b.mul(0.1)), m, tree.ref(g));
          const nextV = tree.map((a, b) => a.mul(0.999).add(b.ref.mul(b).mul(0.001)), v, g);
          const nextW = tree.map(
            (a, b, c) => a.sub(b.mul(1e-3).div(numpy.sqrt(c).add(1e-8))),
            w,
            tree.ref(nextM),
            tree.ref(nextV),
          );
          return [value, nextW, nextM, nextV];
        });
        let state = [weights, zeros(), zeros()];
        const x = random.normal(random.key(0), [64, 784]);
        const y = nn.oneHot(numpy.zeros([64], { dtype: numpy.int32 }), 10);
        return async () => {
          const [value, ...next] = step(...state, x.ref, y.ref);
          state = next;
          await value.data();
          await jax.blockUntilReady(tree.ref(state));
        };
      },
      torch: ["train"],
    },
    atLeast: { tfjs: 11, torch: 0.9 },
    aim: { torch: 1 },
  },
];
