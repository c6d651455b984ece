/** Layers of the library under test. */
import type { Item } from "./item.ts";

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
  {
    name: "Bilinear",
    of: ["Bilinear"],
    model: "x: [B, L=3], y: [B, R=2] : l = Bilinear(2) ; l(x, y)",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 2, 3],
        y: [10, -1],
        "l.kernel": [1, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0],
        "l.shift": [0, 5],
        // 1 * 10, and 2 * -1 + 2 * 3 * 10
        out: [10, 63],
        "d.x": [10, -1, 20],
        "d.y": [7, 2],
      },
    ],
  },
  { name: "Bilinear_of_rows", of: ["Bilinear"], model: "x: [B, T=2, L=5], y: [B, T=2, R=3] : l = Bilinear(4, bias = false) ; l(x, y)", rows: true, torch: true, edges: ["x"] }, // prettier-ignore
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
