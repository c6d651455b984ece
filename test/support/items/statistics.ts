/** Lengths and angles of the library under test. */
import type { Item } from "./item.ts";

export const statistics: readonly Item[] = [
  {
    name: "norm",
    of: ["norm"],
    model: "x: [B, D=3] : x -> norm over D",
    rows: true,
    torch: true,
    hand: [
      { x: [1, 2, -2], out: [3], "d.x": [1 / 3, 2 / 3, -2 / 3] },
      { x: [0, 0, 0], out: [0], "d.x": [0, 0, 0] },
      // squares that f32 does not hold
      { x: [3e30, 0, -4e30], out: [5e30], "d.x": [0.6, 0, -0.8] },
      { x: [3e-30, 0, -4e-30], out: [5e-30], "d.x": [0.6, 0, -0.8] },
    ],
  },
  {
    name: "cosine_similarity",
    of: ["cosine_similarity"],
    model: "x: [B, D=4], y: [B, D=4] : cosine_similarity(x, y) over D",
    rows: true,
    torch: true,
    hand: [
      { x: [3, 4, 0, 0], y: [2, 0, 0, 0], out: [0.6], "d.x": [0.128, -0.096, 0, 0], "d.y": [0, 0.4, 0, 0] },
      { x: [1, 1, 1, 1], y: [-2, -2, -2, -2], out: [-1] },
      { x: [0, 0, 0, 0], y: [1, 2, 3, 4], out: [0] },
    ],
  },
];
