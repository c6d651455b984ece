// Training steps of examples/plays as they are there: batch 16, windows of 128 characters, dropout and clipping included.
const row = (name, program, make) => ({
  name: `${name} of plays, training step`,
  program: `../../../examples/plays/${program}`,
  entry: "train",
  sizes: { B: 16 },
  peers: { torch: [make] },
  atLeast: { torch: 0.5 },
  aim: {},
});

export const rows = [row("char-LSTM", "char-lstm.dlm", "char_lstm"), row("GPT", "gpt.dlm", "gpt")];
