/** Dropout of the library under test; what it draws is in test/library.test.ts. */
import type { Item } from "./item.ts";

export const dropout: readonly Item[] = [
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
  {
    name: "channel_dropout",
    of: ["channel_dropout"],
    model: "x: [B, H=3, W=2, C=5] : x -> channel_dropout(0.25)",
    phase: "training",
  },
  {
    name: "channel_dropout_in_use",
    of: ["channel_dropout"],
    model: "x: [B, T=1, C=3] : x -> channel_dropout(0.25)",
    rows: true,
    hand: [{ x: [1, -2, 3], out: [1, -2, 3], "d.x": [1, 1, 1] }],
  },
  {
    name: "path_dropout",
    of: ["path_dropout"],
    model: "x: [B, T=3, D=3] : x -> path_dropout(0.25)",
    phase: "training",
  },
  {
    name: "path_dropout_in_use",
    of: ["path_dropout"],
    model: "x: [B, D=3] : x -> path_dropout(0.25)",
    rows: true,
    hand: [{ x: [1, -2, 3], out: [1, -2, 3], "d.x": [1, 1, 1] }],
  },
];
