// Softmax, layer norm and gelu along 1,024 rows of 1,024 numbers that lie in memory. onnxruntime-web copies them in and out.
const shape = [1024, 1024];
const bytes = 4 * 1024 * 1024;

const row = (name, model, peers, torch) => ({
  name: `${name}, 1,024 rows of 1,024`,
  program: "row-kernels.dlm",
  model,
  sizes: { B: 1024 },
  resident: true,
  traffic: { read: bytes, written: bytes },
  peers: {
    "onnxruntime-web": (graph) => ({ inputs: { x: shape }, output: peers.onnx(graph, "x") }),
    tfjs(tf) {
      const x = tf.randomNormal(shape);
      return () => peers.tfjs(tf, x);
    },
    "jax-js"(jax) {
      const x = jax.random.normal(jax.random.key(0), shape);
      const run = jax.jit((given) => peers.jax(jax, given));
      return async () => {
        const result = run(x.ref);
        await jax.blockUntilReady(result.ref);
        result.dispose();
      };
    },
    torch: [torch],
  },
  atLeast: { copy: 0.5, "jax-js": 4 },
  aim: {},
});

export const rows = [
  row(
    "softmax",
    "Softmax",
    {
      onnx: (graph, x) => graph.node("Softmax", [x], { axis: -1 }),
      tfjs: (_, x) => x.softmax(),
      jax: ({ nn }, x) => nn.softmax(x),
    },
    "softmax",
  ),
  row(
    "layer norm",
    "Norm",
    {
      onnx: (graph, x) => graph.layerNorm(x, 1024),
      tfjs(tf, x) {
        const { mean, variance } = tf.moments(x, -1, true);
        return x.sub(mean).mul(variance.add(1e-5).rsqrt());
      },
      jax({ numpy }, x) {
        const centred = x.ref.sub(numpy.mean(x, -1, { keepdims: true }));
        const variance = numpy.mean(centred.ref.mul(centred.ref), -1, { keepdims: true });
        return centred.div(numpy.sqrt(variance.add(1e-5)));
      },
    },
    "layer_norm",
  ),
  row(
    "gelu",
    "Gelu",
    {
      onnx: (graph, x) => graph.gelu(x),
      tfjs: (_, x) => x.mul(x.mul(Math.SQRT1_2).erf().add(1)).mul(0.5),
      jax: ({ nn }, x) => nn.gelu(x, { approximate: false }),
    },
    "gelu",
  ),
];
