/** Layers of the library under test. */
import { fill, type Hand, type Item } from "./item.ts";

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

export const layers: readonly Item[] = [
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
      x: fill(60, -1),
      out: fill(18, -1),
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
      x: fill(60, 9),
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
    name: "OneHot",
    of: ["OneHot"],
    model: "id: int<4>[B] : id -> OneHot",
    classes: { id: 4 },
    rows: true,
    torch: true,
    edges: [],
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
