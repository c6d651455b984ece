/** Convolutions of the library under test. */
import type { Item } from "./item.ts";

const image = "x: [B, H=6, W=5, C=2]";

const convolution = (name: string, settings: string, torch = true): Item => ({
  name,
  of: ["Conv", "convolve"],
  model: `${image} : x -> c: Conv(3, ${settings})`,
  rows: true,
  edges: ["x"],
  ...(torch ? { torch } : {}),
});

const layer = (name: string, of: readonly string[], model: string): Item => ({
  name,
  of,
  model,
  rows: true,
  torch: true,
  edges: ["x"],
});
const grouped = (name: string, input: string, call: string): Item =>
  layer(name, ["Conv", "convolve_groups"], `${input} : x -> ${call}`);
const line = (name: string, settings: string): Item =>
  layer(name, ["Conv1", "convolve1"], `x: [B, T=9, C=2] : x -> c: Conv1(3, ${settings})`);
/** Of 1, 2, 3 with the kernel 1, 10, 100. */
const lineByHand = (
  name: string,
  settings: string,
  expected: Readonly<Record<"out" | "d.x" | "d.c.kernel", readonly number[]>>,
): Item => ({
  name,
  of: ["Conv1", "convolve1"],
  model: `x: [B, T=3, C=1] : x -> c: Conv1(${settings})`,
  rows: true,
  edges: ["x"],
  hand: [{ x: [1, 2, 3], "c.kernel": [1, 10, 100], "c.shift": [0], ...expected }],
});
const groupedLine = (name: string, input: string, call: string): Item =>
  layer(name, ["Conv1", "convolve1_groups"], `${input} : x -> ${call}`);
const groupedVolume = (name: string, input: string, call: string): Item =>
  layer(name, ["Conv3", "convolve3_groups"], `${input} : x -> ${call}`);
const volume = (name: string, settings: string): Item =>
  layer(name, ["Conv3", "convolve3"], `x: [B, D=4, H=3, W=5, C=2] : x -> c: Conv3(${settings})`);
const depthwise = (name: string, call: string): Item =>
  layer(name, ["Depthwise", "convolve_each"], `x: [B, H=6, W=5, C=3] : x -> ${call}`);

export const convolutions: readonly Item[] = [
  convolution("Conv", "3"),
  convolution("Conv_one", "1, bias = false"),
  convolution("Conv_stride", "3, stride = 2"),
  convolution("Conv_valid", "3, pad = valid"),
  convolution("Conv_pad", "3, stride = 2, pad = 2"),
  convolution("Conv_even", "4, stride = 3"),
  convolution("Conv_upper", "3, stride = 2, pad = same_upper", false),
  convolution("Conv_far", "1, stride = 4"),
  convolution("Conv_dilated", "3, dilation = 2"),
  convolution("Conv_dilated_stride", "2, stride = 2, dilation = 3, pad = valid"),
  convolution("Conv_dilated_upper", "3, stride = 2, dilation = 2, pad = same_upper", false),
  grouped("Conv_groups", "x: [B, H=5, W=4, C=6]", "c: Conv(4, 3, groups = 2)"),
  grouped("Conv_groups_each", "x: [B, H=5, W=4, C=3]", "c: Conv(6, 3, stride = 2, groups = 3, bias = false)"),
  {
    name: "Conv_groups_one",
    of: ["Conv", "convolve_groups"],
    model: "x: [B, H=1, W=1, C=4] : x -> c: Conv(2, 1, groups = 2)",
    rows: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 2, 3, 4],
        "c.kernel": [1, 2, 10, 20],
        "c.shift": [0, 0.5],
        // 1 * 1 + 2 * 10, 3 * 2 + 4 * 20
        out: [21, 86.5],
        "d.x": [1, 10, 2, 20],
        "d.c.kernel": [1, 3, 2, 4],
      },
    ],
  },
  line("Conv1", "3"),
  line("Conv1_stride", "4, stride = 2, pad = valid"),
  line("Conv1_dilated", "3, dilation = 2, bias = false"),
  {
    name: "Conv1_free",
    of: ["Conv1", "convolve1"],
    model: "x: [B, T, C=2] : x -> c: Conv1(3, 3)",
    sizes: { T: [1, 2, 9] },
    rows: true,
    torch: true,
    edges: ["x"],
  },
  lineByHand("Conv1_sums", "1, 3", { out: [210, 321, 32], "d.x": [11, 111, 110], "d.c.kernel": [3, 6, 5] }),
  lineByHand("Conv1_causal", "1, 3, pad = (2, 0)", {
    out: [100, 210, 321],
    "d.x": [111, 110, 100],
    "d.c.kernel": [1, 3, 6],
  }),
  groupedLine("Conv1_groups", "x: [B, T=7, C=6]", "c: Conv1(4, 3, groups = 2)"),
  groupedLine("Conv1_groups_each", "x: [B, T=7, C=3]", "c: Conv1(6, 2, stride = 2, groups = 3, pad = valid, bias = false)"), // prettier-ignore
  volume("Conv3", "2, 3"),
  volume("Conv3_stride", "3, 2, stride = 2, pad = valid, bias = false"),
  volume("Conv3_dilated", "1, 2, dilation = 2, pad = 1"),
  groupedVolume("Conv3_groups", "x: [B, D=4, H=3, W=5, C=4]", "c: Conv3(6, 3, groups = 2)"),
  groupedVolume("Conv3_groups_each", "x: [B, D=3, H=4, W=3, C=2]", "c: Conv3(2, 2, stride = 2, groups = 2, bias = false)"), // prettier-ignore
  depthwise("Depthwise", "d: Depthwise(3)"),
  depthwise("Depthwise_many", "d: Depthwise(3, stride = 2, multiplier = 2, bias = false)"),
  depthwise("Depthwise_dilated", "d: Depthwise(2, dilation = 2, pad = valid)"),
  {
    name: "Depthwise_pair",
    of: ["Depthwise", "convolve_each"],
    model: "x: [B, H=1, W=2, C=2] : x -> d: Depthwise(1, multiplier = 2)",
    rows: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 2, 3, 4],
        "d.kernel": [1, 10, 100, 1000],
        "d.shift": [0, 0, 0, 0.5],
        out: [1, 10, 200, 2000.5, 3, 30, 400, 4000.5],
        "d.x": [11, 1100, 11, 1100],
        "d.d.kernel": [4, 4, 6, 6],
      },
    ],
  },
  {
    name: "Separable",
    of: ["Separable"],
    model: `${image} : x -> s: Separable(3, 3, stride = 2, multiplier = 2)`,
    rows: true,
    torch: true,
    edges: ["x"],
  },
  {
    name: "Upconv",
    of: ["Upconv", "spread"],
    model: "x: [B, H=3, W=2, C=2] : x -> c: Upconv(3, 2)",
    rows: true,
    torch: true,
    edges: ["x"],
  },
  {
    name: "Upconv_large",
    of: ["Upconv", "spread"],
    model: "x: [B, H=2, W=3, C=2] : x -> c: Upconv(2, 4, stride = 2)",
    rows: true,
    torch: true,
    edges: ["x"],
  },
  {
    name: "Upconv_still",
    of: ["Upconv", "spread"],
    model: "x: [B, H=2, W=3, C=1] : x -> c: Upconv(2, 3, stride = 1, bias = false)",
    rows: true,
    edges: ["x"],
  },
  {
    name: "Upconv_uneven",
    of: ["Upconv", "spread"],
    model: "x: [B, H=2, W=1, C=2] : x -> c: Upconv(2, 5, stride = 3)",
    rows: true,
    edges: ["x"],
  },
];
