/** Activations and statistics of the library under test. */
import { fill, type Hand, type Item } from "./item.ts";

const activation = (name: string, call: string, hand: readonly Hand[], more: Partial<Item> = {}): Item => ({
  name,
  of: [call.replace(/\(.*/, "")],
  model: `x: [B, T] : x -> ${call}`,
  sizes: { T: [1, 7] },
  rows: true,
  torch: true,
  hand,
  ...more,
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const x4 = [-1, 0, 0.5, 2];

/** tanh's argument in gelu_tanh, and its slope */
const inner = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const innerSlope = (x: number): number => Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(inner(x)));
const geluTanhSlope = (x: number): number => {
  const t = Math.tanh(inner(x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * innerSlope(x);
};

export const activations: readonly Item[] = [
  activation("relu", "relu", [{ x: x4, out: [0, 0, 0.5, 2], "d.x": [0, 0, 1, 1] }]),
  activation("leaky_relu", "leaky_relu", [{ x: x4, out: [-0.01, 0, 0.5, 2] }, { x: [-3, 5], "d.x": [0.01, 1] }]), // prettier-ignore
  activation("leaky_relu_steep", "leaky_relu(0.25)", [{ x: x4, out: [-0.25, 0, 0.5, 2] }]),
  activation("sigmoid", "sigmoid", [
    { x: x4, out: x4.map(sigmoid), "d.x": x4.map((x) => sigmoid(x) * (1 - sigmoid(x))) },
    { x: [-1000, 1000, Math.log(3)], out: [0, 1, 0.75], "d.x": [0, 0, 0.1875] },
  ]),
  activation("tanh", "tanh", [
    { x: x4, out: x4.map(Math.tanh), "d.x": x4.map((x) => 1 - Math.tanh(x) ** 2) },
    { x: [-1000, 1000], out: [-1, 1], "d.x": [0, 0] },
  ]),
  activation("softplus", "softplus", [{ x: [-1000, 0, 1000], out: [0, Math.LN2, 1000], "d.x": [0, 0.5, 1] }]),
  activation("gelu", "gelu", [
    // 0.5 * Phi(0.5), -1 * Phi(-1); the derivative is Phi(x) + x * phi(x)
    { x: [-1, 0, 0.5], out: [-0.15865525393145707, 0, 0.5 * 0.6914624612740131] },
    { x: [0, 1], "d.x": [0.5, 0.8413447460685429 + normalDensity(1)] },
    { x: [-40, 40], out: [0, 40], "d.x": [0, 1] },
  ]),
  activation("gelu_tanh", "gelu_tanh", [
    { x: x4, out: x4.map(geluTanh), "d.x": x4.map(geluTanhSlope) },
    { x: [-1e4, 1e4], out: [0, 1e4], "d.x": [0, 1] },
  ]),
  activation("silu", "silu", [
    { x: x4, out: x4.map((x) => x * sigmoid(x)) },
    { x: [0, 1000, -1000], out: [0, 1000, 0], "d.x": [0.5, 1, 0] },
  ]),
  activation("elu", "elu", [
    { x: [-1, 0, 2], out: [Math.exp(-1) - 1, 0, 2], "d.x": [Math.exp(-1), 1, 1] },
    { x: [-1e4, 1e4], out: [-1, 1e4], "d.x": [0, 1] },
  ]),
  activation("elu_other", "elu(0.5)", [{ x: [-1, 0], out: [0.5 * (Math.exp(-1) - 1), 0], "d.x": [0.5 * Math.exp(-1), 0.5] }]), // prettier-ignore
  // the slope below zero ends at 1.0507 * 1.6733
  activation("selu", "selu", [{ x: [-1e4, 2], out: [-1.7580993408473766, 2.101401974710961], "d.x": [0, 1.0507009873554805] }]), // prettier-ignore
  activation("hard_sigmoid", "hard_sigmoid", [
    { x: [-4, -3, 0, 1.5, 4], out: [0, 0, 0.5, 0.75, 1], "d.x": [0, 0, 1 / 6, 1 / 6, 0] },
  ]),
  activation("mish", "mish", [
    { x: x4, out: x4.map((x) => x * Math.tanh(Math.log1p(Math.exp(x)))) },
    // tanh(log 2) = 0.6
    { x: [0, -1000, 1000], out: [0, 0, 1000], "d.x": [0.6, 0, 1] },
  ]),
  {
    name: "glu",
    of: ["glu"],
    model: "x: [B, D=6] : x -> glu",
    rows: true,
    torch: true,
    hand: [{ x: [1, 2, 3, 0, 1000, -1000], out: [0.5, 2, 0], "d.x": [0.5, 1, 0, 0.25, 0, 0] }],
  },
  {
    name: "Prelu",
    of: ["Prelu"],
    model: "x: [B, T=2, D=3] : x -> p: Prelu",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [-1, 2, -4, -2, 0, 3],
        "p.slope": [0.25, 0.5, 2],
        out: [-0.25, 2, -8, -0.5, 0, 3],
        "d.x": [0.25, 1, 2, 0.25, 0.5, 1],
        "d.p.slope": [-3, 0, -4],
      },
    ],
  },
  {
    name: "softmax",
    of: ["softmax"],
    model: "x: [B, D=5] : x -> softmax over D",
    rows: true,
    torch: true,
    hand: [
      { x: [0, 0, 0, 0, 0], out: [0.2, 0.2, 0.2, 0.2, 0.2] },
      { x: [1000, 1000, 0, -1000, 0], out: [0.5, 0.5, 0, 0, 0] },
    ],
  },
  { name: "softmax_of_one", of: ["softmax"], model: "x: [B, D=1] : x -> softmax over D", rows: true },
  { name: "softmax_long", of: ["softmax"], model: "x: [B, D=131] : x -> softmax over D", rows: true },
  {
    name: "softmax_inner",
    of: ["softmax"],
    model: "x: [B, T, D=3] : x -> softmax over T",
    sizes: { T: [1, 6] },
    rows: true,
    torch: true,
  },
  { name: "softmax_two", of: ["softmax"], model: "x: [B, H=3, W=5] : x -> softmax over [H, W]", rows: true },
  {
    name: "log_softmax",
    of: ["log_softmax"],
    model: "x: [B, D=5] : x -> log_softmax over D",
    rows: true,
    torch: true,
    hand: [
      { x: [0, 0, 0, 0, 0], out: fill(5, -Math.log(5)) },
      { x: [1e4, 0, 0, 0, -1e4], out: [0, -1e4, -1e4, -1e4, -2e4], "d.x": [-4, 1, 1, 1, 1] },
    ],
  },
  {
    name: "log_softmax_far",
    of: ["log_softmax"],
    model: "x: [B, D=5] : x -> log_softmax over D",
    ranges: { x: [9995, 10005] },
    rows: true,
    torch: true,
  },
  {
    name: "logsumexp",
    of: ["logsumexp"],
    model: "x: [B, D=5] : x -> logsumexp over D",
    rows: true,
    torch: true,
    hand: [{ x: [1000, 1000, 1000, 1000, 1000], out: [1000 + Math.log(5)], "d.x": [0.2, 0.2, 0.2, 0.2, 0.2] }], // prettier-ignore
  },
  {
    name: "variance",
    of: ["variance"],
    model: "x: [B, D=5] : x -> variance over D",
    rows: true,
    torch: true,
    hand: [{ x: [1, 2, 3, 4, 5], out: [2], "d.x": [-0.8, -0.4, 0, 0.4, 0.8] }],
  },
  {
    name: "deviation",
    of: ["deviation"],
    model: "x: [B, D=5] : x -> deviation over D",
    rows: true,
    torch: true,
    hand: [
      { x: [-1, -1, 0, 1, 1], out: [Math.sqrt(0.8)] },
      // all the same: the slope is taken as 0
      { x: [3, 3, 3, 3, 3], out: [0], "d.x": [0, 0, 0, 0, 0] },
    ],
  },
  {
    name: "variance_of_batch",
    of: ["variance"],
    model: "x: [B, D=3] : x -> variance over B",
    hand: [{ x: [1, 0, 2, 3, 0, 4], out: [1, 0, 1] }],
  },
];
