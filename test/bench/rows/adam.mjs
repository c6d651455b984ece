// Adam on 2 ** 20 weights: a training step whose gradient costs next to nothing, the gradient's norm included.
const count = 1024 * 1024;

export const rows = [
  {
    name: "Adam on 1 M weights",
    program: "adam.dlm",
    entry: "train",
    sizes: { B: 1 },
    // weight, gradient and both moments are read; weight and moments are written
    traffic: { read: 16 * count, written: 12 * count },
    peers: {
      tfjs(tf) {
        const optimizer = tf.train.adam(1e-3);
        const w = tf.variable(tf.randomNormal([count]), true, "w");
        const gradient = tf.randomNormal([count]);
        return () => void optimizer.applyGradients([{ name: w.name, tensor: gradient }]);
      },
      "jax-js"({ numpy, random, jit, blockUntilReady }) {
        const update = jit((w, m, v, g) => {
          const nextM = m.mul(0.9).add(g.ref.mul(0.1));
          const nextV = v.mul(0.999).add(g.ref.mul(g).mul(0.001));
          return [w.sub(nextM.ref.mul(1e-3).div(numpy.sqrt(nextV.ref).add(1e-8))), nextM, nextV];
        });
        let state = [random.normal(random.key(0), [count]), numpy.zeros([count]), numpy.zeros([count])];
        const gradient = random.normal(random.key(1), [count]);
        return async () => {
          state = update(...state, gradient.ref);
          await blockUntilReady(state.map((each) => each.ref));
        };
      },
      torch: ["update"],
    },
    atLeast: { copy: 0.7, "jax-js": 4 },
    aim: {},
  },
];
