/** Normalisations of the library under test. */
import type { Item } from "./item.ts";

export const normalisation: readonly Item[] = [
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
    name: "RMSNorm",
    of: ["RMSNorm"],
    model: "x: [B, D=5] : x -> n: RMSNorm",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        // mean square 5
        x: [3, 0, -4, 0, 0],
        "n.scale": [1, 1, 2, 1, 1],
        out: [3, 0, -8, 0, 0].map((v) => v / Math.sqrt(5 + 1e-6)),
      },
      {
        x: [0, 0, 0, 0, 0],
        "n.scale": [1, 2, 1, 1, 1],
        out: [0, 0, 0, 0, 0],
        "d.x": [1e3, 2e3, 1e3, 1e3, 1e3],
      },
    ],
  },
  { name: "RMSNorm_wide", of: ["RMSNorm"], model: "x: [B, T=2, D=131] : x -> n: RMSNorm(eps = 1e-3)", rows: true, edges: ["x"] }, // prettier-ignore
  {
    name: "GroupNorm",
    of: ["GroupNorm"],
    model: "x: [B, C=4] : x -> n: GroupNorm(2)",
    rows: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 3, 7, 7],
        "n.scale": [1, 2, 1, 1],
        "n.shift": [0, 0, 5, 6],
        out: [-1 / Math.sqrt(1 + 1e-5), 2 / Math.sqrt(1 + 1e-5), 5, 6],
      },
    ],
  },
  { name: "GroupNorm_image", of: ["GroupNorm"], model: "x: [B, H=3, W=2, C=6] : x -> n: GroupNorm(3, eps = 1e-3)", rows: true, torch: true, edges: ["x"] }, // prettier-ignore
  { name: "GroupNorm_sequence", of: ["GroupNorm"], model: "x: [B, T, C=6] : x -> n: GroupNorm(2)", sizes: { T: [1, 7] }, rows: true, torch: true, edges: ["x"] }, // prettier-ignore
  {
    name: "InstanceNorm",
    of: ["InstanceNorm"],
    model: "x: [B, T=2, C=2] : x -> n: InstanceNorm",
    rows: true,
    torch: true,
    edges: ["x"],
    hand: [
      {
        x: [1, 7, 3, 7],
        "n.scale": [2, 1],
        "n.shift": [0, 4],
        out: [-2 / Math.sqrt(1 + 1e-5), 4, 2 / Math.sqrt(1 + 1e-5), 4],
        "d.n.scale": [0, 0],
        "d.n.shift": [2, 2],
      },
    ],
  },
  { name: "InstanceNorm_image", of: ["InstanceNorm"], model: "x: [B, H=3, W=4, C=3] : x -> n: InstanceNorm(eps = 1e-3)", rows: true, torch: true, edges: ["x"] }, // prettier-ignore
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
];
