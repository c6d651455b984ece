/** Recurrent layers of the library under test. */
import type { Item } from "./item.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** h after two steps of a unit with x = 1, 2, all kernels `k` and no shift. */
function rnn(k: number): number[] {
  const first = Math.tanh(k);
  return [first, Math.tanh(2 * k + k * first)];
}

function lstm(k: number): number[] {
  let [h, c] = [0, 0];
  return [1, 2].map((x) => {
    const z = k * x + k * h;
    c = sigmoid(z) * c + sigmoid(z) * Math.tanh(z);
    h = sigmoid(z) * Math.tanh(c);
    return h;
  });
}

function gru(k: number): number[] {
  let h = 0;
  return [1, 2].map((x) => {
    const gate = sigmoid(k * x + k * h);
    h = (1 - gate) * Math.tanh(k * x + gate * k * h) + gate * h;
    return h;
  });
}

const steps = { T: [1, 2, 5] };

export const recurrent: readonly Item[] = [
  {
    name: "Rnn",
    of: ["Rnn"],
    model: "x: [B, T=2, D=1] : x -> r: Rnn(1)",
    rows: true,
    hand: [{ x: [1, 2], "r.gates.kernel": [0.5, 0.5], "r.gates.shift": [0], out: rnn(0.5) }],
  },
  {
    name: "Rnn_relu",
    of: ["Rnn"],
    model: "x: [B, T=4, D=3] : x -> r: Rnn(5, act = relu)",
    rows: true,
    torch: true,
  },
  { name: "Rnn_tanh", of: ["Rnn"], model: "x: [B, T=4, D=3] : x -> r: Rnn(5)", rows: true, torch: true },
  {
    name: "Lstm",
    of: ["Lstm"],
    model: "x: [B, T=2, D=1] : x -> r: Lstm(1)",
    rows: true,
    hand: [
      {
        x: [1, 2],
        "r.gates.kernel": [0.5, 0.5].flatMap((k) => [k, k, k, k]),
        "r.gates.shift": [0, 0, 0, 0],
        out: lstm(0.5),
      },
    ],
  },
  {
    name: "Lstm_of_steps",
    of: ["Lstm"],
    model: "x: [B, T=5, D=3] : x -> r: Lstm(4)",
    rows: true,
    torch: true,
  },
  { name: "Lstm_free", of: ["Lstm"], model: "x: [B, T, D=3] : x -> r: Lstm(4)", sizes: steps },
  { name: "Lstm_wide", of: ["Lstm"], model: "x: [B, T=3, D=9] : x -> r: Lstm(24)", rows: true },
  {
    name: "Gru",
    of: ["Gru"],
    model: "x: [B, T=2, D=1] : x -> r: Gru(1)",
    rows: true,
    hand: [
      {
        x: [1, 2],
        "r.input.kernel": [0.5, 0.5, 0.5],
        "r.input.shift": [0, 0, 0],
        "r.hidden.kernel": [0.5, 0.5, 0.5],
        "r.hidden.shift": [0, 0, 0],
        out: gru(0.5),
      },
    ],
  },
  { name: "Gru_of_steps", of: ["Gru"], model: "x: [B, T=5, D=3] : x -> r: Gru(4)", rows: true, torch: true },
  { name: "Gru_free", of: ["Gru"], model: "x: [B, T, D=3] : x -> r: Gru(4)", sizes: steps },
  {
    name: "Bidirectional",
    of: ["Bidirectional", "Lstm"],
    model: "x: [B, T=4, D=3] : x -> r: Bidirectional(2)",
    rows: true,
    torch: true,
  },
  {
    name: "Bidirectional_Gru",
    of: ["Bidirectional", "Gru"],
    model: "x: [B, T, D=3] : x -> r: Bidirectional(2, cell = Gru)",
    sizes: steps,
  },
  {
    name: "Lstm_stacked",
    of: ["Lstm"],
    model: "x: [B, T=4, D=3] : x -> r: repeat 2 { Lstm(4) }",
    rows: true,
  },
];
