// An LSTM of 256 over 128 steps of 256 numbers.
const steps = 128;
const size = 256;

const row = (batch, atLeast, aim) => ({
  name: `LSTM 256, 128 steps, batch ${batch}`,
  program: "lstm.dlm",
  sizes: { B: batch },
  steps,
  peers: {
    "onnxruntime-web"(graph) {
      const values = [
        "x",
        graph.weight(1, 4 * size, size),
        graph.weight(1, 4 * size, size),
        graph.weight(1, 8 * size),
      ];
      return {
        inputs: { x: [steps, batch, size] },
        output: graph.node("LSTM", values, { hidden_size: size }),
      };
    },
    torch: ["infer", batch],
  },
  atLeast,
  aim,
});

export const rows = [row(1, { step: 25 }, { step: 15 }), row(32, { step: 450 }, { step: 330 })];
