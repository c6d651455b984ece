// Products of two square matrices: the second one a weight, or both given at run time.
const constant = (size) => ({
  name: `matmul ${size}, constant`,
  program: "matmul.dlm",
  model: `Constant${size}`,
  sizes: { B: size },
  peers: {
    "onnxruntime-web": (graph) => ({
      inputs: { x: [size, size] },
      output: graph.node("MatMul", ["x", graph.weight(size, size)]),
    }),
    ...peersOf(size),
  },
  atLeast: { peak: 0.9 },
  aim: { peak: 0.96 },
});

const given = (size) => ({
  name: `matmul ${size}, given`,
  program: "matmul.dlm",
  model: `Given${size}`,
  peers: {
    "onnxruntime-web": (graph) => ({
      inputs: { a: [size, size], b: [size, size] },
      output: graph.node("MatMul", ["a", "b"]),
    }),
    ...peersOf(size),
  },
  atLeast: { peak: 0.83 },
  aim: { peak: 0.9 },
});

/** These know no constants. */
function peersOf(size) {
  return {
    tfjs(tf) {
      const [a, b] = [tf.randomNormal([size, size]), tf.randomNormal([size, size])];
      return () => tf.matMul(a, b);
    },
    "jax-js"({ numpy, random }) {
      const [a, b] = [0, 1].map((seed) => random.normal(random.key(seed), [size, size]));
      return () => numpy.matmul(a.ref, b.ref).data();
    },
    torch: ["product", size],
  };
}

export const rows = [256, 512, 1024].flatMap((size) => [constant(size), given(size)]);
