/**
 * The library under test, one entry an item: a small model, and what is known of it. Adding a declaration to the library
 * is adding its entries here; test/library-numbers.test.ts does the rest, and fails where a declaration has none.
 */
import type { Phase } from "../../compiler/check/frame.ts";

export interface Item {
  /** unique; names the recorded numbers of PyTorch too */
  readonly name: string;
  /** declarations of the library that it holds */
  readonly of: readonly string[];
  /** signature, " : ", body; lines are separated by " ; " */
  readonly model: string;
  readonly phase?: Phase;
  /** sizes of free dims besides B, several to be tried in turn */
  readonly sizes?: Readonly<Record<string, readonly number[]>>;
  /** number of classes of each integer input */
  readonly classes?: Readonly<Record<string, number>>;
  /** range of the numbers of an input, where it is not [-2, 2]; of states ending in v and s [0.5, 1.5] */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  /** a row of `out` does not depend on other rows: it has the same bits in every batch */
  readonly rows?: true;
  /** values of `out` for inputs written out, weights and states included, and of gradients where out's cotangent is 1 */
  readonly hand?: readonly Hand[];
  /** recorded by test/pytorch/record-library.py */
  readonly torch?: true;
  /** what f32 edge inputs are given to; all float inputs where absent */
  readonly edges?: readonly string[];
  /** why gradients are not checked */
  readonly noGradient?: string;
}

/** Inputs by name; `out`, `d.x` and states are what comes out. Numbers are rows one after the other. */
export type Hand = Readonly<Record<string, readonly number[]>>;

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

const activations: readonly Item[] = [
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
  {
    name: "softmax",
    of: ["softmax"],
    model: "x: [B, D=5] : x -> softmax over D",
    rows: true,
    torch: true,
    hand: [
      { x: [0, 0, 0, 0, 0], out: [0.2, 0.2, 0.2, 0.2, 0.2] },
      { x: [1000, 1000, 0, -1000, 1000 - Math.log(2)], out: [0.4, 0.4, 0, 0, 0.2] },
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
      { x: [0, 0, 0, 0, 0], out: new Array<number>(5).fill(-Math.log(5)) },
      { x: [1e4, 0, 0, 0, -1e4], out: [0, -1e4, -1e4, -1e4, -2e4], "d.x": [-4, 1, 1, 1, 1] },
    ],
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
  {
    name: "dropout",
    of: ["dropout"],
    model: "x: [B, D=9] : x -> dropout(0.25)",
    phase: "training",
  },
  {
    name: "dropout_in_use",
    of: ["dropout"],
    model: "x: [B, D=3] : x -> dropout(0.25)",
    rows: true,
    hand: [{ x: [1, -2, 3], out: [1, -2, 3], "d.x": [1, 1, 1] }],
  },
];

const image = "x: [B, H=6, W=5, C=2]";

const convolution = (name: string, settings: string, torch = true): Item => ({
  name,
  of: ["Conv", "convolve"],
  model: `${image} : x -> c: Conv(3, ${settings})`,
  rows: true,
  edges: ["x"],
  ...(torch ? { torch } : {}),
});

const pooling = (name: string, call: string, hand: readonly Hand[] = []): Item => ({
  name,
  of: call.startsWith("max") ? ["maxpool"] : ["avgpool", "window_sum"],
  model: `${image} : x -> ${call}`,
  rows: true,
  torch: true,
  hand,
});

const layers: readonly Item[] = [
  {
    name: "Dense",
    of: ["Dense"],
    model: "x: [B, D=5] : x -> l: Dense(3)",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 2, 3, 4, 5],
        "l.kernel": [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2],
        "l.shift": [0, 10, -1],
        out: [1, 12, 12],
        "d.x": [1, 1, 1, 0, 2],
        "d.l.kernel": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5],
        "d.l.shift": [1, 1, 1],
      },
    ],
  },
  { name: "Dense_of_one", of: ["Dense"], model: "x: [B, D=1] : x -> l: Dense(1, bias = false)", rows: true, torch: true, edges: ["x"] }, // prettier-ignore
  { name: "Dense_wide", of: ["Dense"], model: "x: [B, D=300] : x -> l: Dense(17) -> relu", rows: true, edges: ["x"] }, // prettier-ignore
  { name: "Dense_of_rows", of: ["Dense"], model: "x: [B, T=3, D=5] : x -> l: Dense(9)", rows: true, torch: true, edges: ["x"] }, // prettier-ignore
  convolution("Conv", "3"),
  convolution("Conv_one", "1, bias = false"),
  convolution("Conv_stride", "3, stride = 2"),
  convolution("Conv_valid", "3, pad = valid"),
  convolution("Conv_pad", "3, stride = 2, pad = 2"),
  convolution("Conv_even", "4, stride = 3"),
  convolution("Conv_upper", "3, stride = 2, pad = same_upper", false),
  convolution("Conv_far", "1, stride = 4"),
  {
    name: "Upconv",
    of: ["Upconv", "convolve_back"],
    model: "x: [B, H=3, W=2, C=2] : x -> c: Upconv(3, 2)",
    rows: true,
    torch: true,
    edges: ["x"],
  },
  {
    name: "Upconv_large",
    of: ["Upconv", "convolve_back"],
    model: "x: [B, H=2, W=3, C=2] : x -> c: Upconv(2, 4, stride = 2)",
    rows: true,
    torch: true,
    edges: ["x"],
  },
  {
    name: "Upconv_still",
    of: ["Upconv", "convolve_back"],
    model: "x: [B, H=2, W=3, C=1] : x -> c: Upconv(2, 3, stride = 1, bias = false)",
    rows: true,
    edges: ["x"],
  },
  pooling("maxpool", "maxpool(2)"),
  pooling("maxpool_overlap", "maxpool(3, stride = 2)", [
    {
      // the first of equals takes the gradient; padding never wins
      x: new Array<number>(60).fill(-1),
      out: new Array<number>(18).fill(-1),
      "d.x": Array.from({ length: 60 }, (_, i) => {
        const [h, w] = [Math.floor(i / 10), Math.floor((i % 10) / 2)];
        return [0, 1, 3].includes(h) && [0, 1, 3].includes(w) ? 1 : 0;
      }),
    },
  ]),
  pooling("maxpool_valid", "maxpool(2, stride = 3, pad = valid)"),
  pooling("avgpool", "avgpool(2)"),
  pooling("avgpool_overlap", "avgpool(3, stride = 2)", [
    {
      x: new Array<number>(60).fill(9),
      // 4, 6 and 9 cells of 9 lie inside
      out: [4, 6, 4, 6, 9, 6, 6, 9, 6].flatMap((n) => [n, n]),
    },
  ]),
  pooling("avgpool_pad", "avgpool(2, pad = 1)"),
  {
    name: "flatten",
    of: ["flatten"],
    model: "x: [B, H=2, W=3, C=2] : x -> flatten",
    rows: true,
    torch: true,
  },
  {
    name: "BatchNorm",
    of: ["BatchNorm"],
    model: "x: [B, C=3] : x -> n: BatchNorm",
    phase: "training",
    torch: true,
    edges: ["x"],
    hand: [
      {
        // mean 2, variance 1, unbiased 2
        x: [1, 5, 3, 3, 5, 3],
        "n.scale": [2, 2, 1],
        "n.shift": [0, 1, 7],
        "n.m": [1, 0, 0],
        "n.v": [1, 1, 0],
        out: [-2 / Math.sqrt(1 + 1e-5), 1, 7, 2 / Math.sqrt(1 + 1e-5), 1, 7],
        "writes n.m": [0.9 + 0.2, 0.5, 0.3],
        "writes n.v": [0.9 + 0.2, 0.9, 0],
      },
    ],
  },
  {
    name: "BatchNorm_in_use",
    of: ["BatchNorm"],
    model: "x: [B, C=3] : x -> n: BatchNorm",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 2, 3],
        "n.scale": [1, 2, 3],
        "n.shift": [0, 1, 2],
        "n.m": [1, 1, 1],
        "n.v": [4 - 1e-5, 4 - 1e-5, 1 - 1e-5],
        out: [0, 2, 8],
        "d.x": [0.5, 1, 3],
      },
    ],
  },
  {
    name: "BatchNorm_image",
    of: ["BatchNorm"],
    model: "x: [B, H=3, W=2, C=3] : x -> n: BatchNorm(momentum = 0.75, eps = 1e-3)",
    phase: "training",
    torch: true,
    edges: ["x"],
  },
  {
    name: "LayerNorm",
    of: ["LayerNorm"],
    model: "x: [B, D=5] : x -> n: LayerNorm",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [-1, -1, 0, 1, 1],
        "n.scale": [1, 1, 1, 1, 2],
        "n.shift": [0, 0, 3, 0, 0],
        out: [-1, -1, 0, 1, 2].map((v, i) => v / Math.sqrt(0.8 + 1e-5) + (i === 2 ? 3 : 0)),
      },
      {
        x: [2, 2, 2, 2, 2],
        "n.scale": [1, 1, 1, 1, 1],
        "n.shift": [1, 2, 3, 4, 5],
        out: [1, 2, 3, 4, 5],
        "d.x": [0, 0, 0, 0, 0],
      },
    ],
  },
  { name: "LayerNorm_of_one", of: ["LayerNorm"], model: "x: [B, D=1] : x -> n: LayerNorm", rows: true, edges: ["x"] }, // prettier-ignore
  { name: "LayerNorm_wide", of: ["LayerNorm"], model: "x: [B, D=131] : x -> n: LayerNorm(eps = 1e-3)", rows: true, edges: ["x"] }, // prettier-ignore
  {
    name: "Standardize_fitted",
    of: ["Standardize"],
    model: "x: [B, F=2] : x -> s: Standardize",
    phase: "fitting",
    hand: [
      {
        x: [1, 5, 3, 5],
        "s.m": [0, 0],
        "s.s": [1, 1],
        "writes s.m": [2, 5],
        "writes s.s": [1, 1],
        out: [-1, 0, 1, 0],
      },
    ],
    noGradient: "nothing is trained while fitting",
  },
  {
    name: "Standardize",
    of: ["Standardize"],
    model: "x: [B, F=2] : x -> s: Standardize",
    rows: true,
    edges: ["x"],
    hand: [{ x: [1, 5], "s.m": [3, 4], "s.s": [4, 0.5], out: [-0.5, 2], "d.x": [0.25, 2] }],
  },
  {
    name: "OneHot",
    of: ["OneHot"],
    model: "id: int<4>[B] : id -> OneHot",
    classes: { id: 4 },
    rows: true,
    torch: true,
    hand: [{ id: [2, 0, 3], out: [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1] }],
    noGradient: "integers have none",
  },
  {
    name: "Embed",
    of: ["Embed"],
    model: "id: int<4>[B, T=3] : id -> e: Embed(3)",
    classes: { id: 4 },
    rows: true,
    torch: true,
    edges: [],
    hand: [
      {
        id: [3, 1, 3],
        "e.table": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        out: [10, 11, 12, 4, 5, 6, 10, 11, 12],
        "d.e.table": [0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2],
      },
    ],
  },
];

const loss = (name: string, call: string, hand: readonly Hand[]): Item => ({
  name,
  of: [call.replace(/\(.*/, "")],
  model: `x: [B, T], y: [B, T] : ${call}`,
  sizes: { T: [1, 5] },
  torch: true,
  hand,
});

const losses: readonly Item[] = [
  loss("mse", "mse(x, y)", [
    { x: [1, -2, 0.5, 4], y: [1.5, 1, 0.5, 0], out: [25.25 / 4], "d.x": [-0.25, -1.5, 0, 2] },
  ]),
  loss("mae", "mae(x, y)", [
    { x: [1, -2, 0.5, 4], y: [1.5, 1, 0.5, 0], out: [7.5 / 4], "d.x": [-0.25, -0.25, 0, 0.25] },
  ]),
  loss("huber", "huber(x, y)", [
    // the difference of 1 is where both pieces meet: the same slope on either side
    { x: [1, -2, 0.5, 1], y: [1.5, 1, 0.5, 0], out: [(0.125 + 2.5 + 0 + 0.5) / 4], "d.x": [-0.125, -0.25, 0, 0.25] }, // prettier-ignore
  ]),
  loss("huber_wide", "huber(x, y, delta = 2)", [
    { x: [1, -2, 0.5, 4], y: [1.5, 1, 0.5, 0], out: [(0.125 + 4 + 0 + 6) / 4] },
  ]),
  {
    ...loss("bce", "bce(x, y)", [
      { x: [0, 0, 0, 0], y: [0, 1, 0.5, 0.25], out: [Math.LN2], "d.x": [0.125, -0.125, 0, 0.0625] },
      // right by far, wrong by far
      { x: [1000, -1000], y: [1, 0], out: [0], "d.x": [0, 0] },
      { x: [1000, -1000], y: [0, 1], out: [1000], "d.x": [0.5, -0.5] },
      { x: [20], y: [1], out: [Math.log1p(Math.exp(-20))], "d.x": [-Math.exp(-20) / (1 + Math.exp(-20))] },
    ]),
    ranges: { y: [0, 1] },
  },
  {
    name: "cross_entropy",
    of: ["cross_entropy"],
    model: "x: [B, Class=5], label: int<5>[B] : cross_entropy(x, label)",
    classes: { label: 5 },
    torch: true,
    hand: [
      { x: [0, 0, 0, 0, 0], label: [2], out: [Math.log(5)], "d.x": [0.2, 0.2, -0.8, 0.2, 0.2] },
      { x: [1e4, 0, 0, 0, -1e4], label: [0], out: [0], "d.x": [0, 0, 0, 0, 0] },
      { x: [1e4, 0, 0, 0, -1e4], label: [4], out: [2e4], "d.x": [1, 0, 0, 0, -1] },
    ],
  },
  {
    name: "cross_entropy_smooth",
    of: ["cross_entropy"],
    model: "x: [B, Class=5], label: int<5>[B] : cross_entropy(x, label, smooth = 0.1)",
    classes: { label: 5 },
    torch: true,
    hand: [{ x: [0, 0, 0, 0, 0], label: [2], out: [Math.log(5)], "d.x": [0.18, 0.18, -0.72, 0.18, 0.18] }],
  },
  {
    name: "cross_entropy_tokens",
    of: ["cross_entropy"],
    model: "x: [B, T, Class=3], label: int<3>[B, T] : cross_entropy(x, label)",
    sizes: { T: [1, 4] },
    classes: { label: 3 },
    torch: true,
  },
];

/** Of the step, which counts from 1. */
const schedule = (name: string, call: string, rate: (step: number) => number, last = 9): Item => ({
  name,
  of: [call.replace(/\(.*/, "")],
  model: `step: [] : step -> ${call}`,
  edges: [],
  ranges: { step: [1, last] },
  noGradient: "a rate is not differentiated",
  hand: Array.from({ length: last }, (_, i) => ({ step: [i + 1], out: [rate(i + 1)] })),
});

const warm = (step: number, steps: number): number => Math.min(step / steps, 1);

const schedules: readonly Item[] = [
  schedule("constant", "constant(0.1)", () => 0.1),
  schedule("constant_warm", "constant(0.1, warmup = 4)", (step) => 0.1 * warm(step, 4)),
  schedule("stepwise", "stepwise(0.1, every = 3, factor = 0.5)", (step) => 0.1 * [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25][step - 1]!), // prettier-ignore
  schedule("stepwise_warm", "stepwise(0.1, every = 2, warmup = 2)", (step) => 0.1 * [0.5, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.001][step - 1]!), // prettier-ignore
  schedule("exponential", "exponential(0.1, every = 4)", (step) => 0.1 * 0.1 ** ((step - 1) / 4)),
  schedule("exponential_warm", "exponential(0.1, every = 4, warmup = 3)", (step) =>
    step <= 3 ? (0.1 * step) / 3 : 0.1 * 0.1 ** ((step - 4) / 4),
  ),
  schedule("linear", "linear(0.1, total = 4)", (step) => [0.1, 0.075, 0.05, 0.025, 0, 0, 0, 0, 0][step - 1]!),
  schedule("linear_warm", "linear(0.1, total = 6, warmup = 2, least = 0.02)", (step) => [0.05, 0.1, 0.1, 0.08, 0.06, 0.04, 0.02, 0.02, 0.02][step - 1]!), // prettier-ignore
  schedule("cosine", "cosine(0.1, total = 4)", (step) => 0.05 * (1 + Math.cos((Math.PI * Math.min(step - 1, 4)) / 4))), // prettier-ignore
  schedule("cosine_warm", "cosine(0.1, total = 6, warmup = 2, least = 0.01)", (step) =>
    step <= 2 ? 0.05 * step : 0.01 + 0.045 * (1 + Math.cos((Math.PI * Math.min(step - 3, 4)) / 4)),
  ),
];

export const items: readonly Item[] = [...activations, ...layers, ...losses, ...schedules];

/** Held by other tests of this table: test/library-training.test.ts runs them from a seed or in steps. */
export const optimizers = ["sgd", "adam", "adamw", "rmsprop"] as const;
export const initialisers = ["glorot", "he"] as const;
