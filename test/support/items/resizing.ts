/** Resizing of images, and margins, of the library under test. */
import type { Item } from "./item.ts";

export const resizing: readonly Item[] = [
  {
    name: "upsample",
    of: ["upsample"],
    model: "x: [B, H=2, W=3, C=2] : x -> upsample",
    rows: true,
    torch: true,
  },
  {
    name: "upsample_row",
    of: ["upsample"],
    model: "x: [B, H=1, W=2, C=1] : x -> upsample(3)",
    rows: true,
    hand: [{ x: [1, 2], out: [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2], "d.x": [9, 9] }],
  },
  {
    name: "upsample_bilinear",
    of: ["upsample_bilinear", "blend"],
    model: "x: [B, H=2, W=3, C=2] : x -> upsample_bilinear",
    rows: true,
    torch: true,
  },
  {
    name: "upsample_bilinear_odd",
    of: ["upsample_bilinear", "blend"],
    model: "x: [B, H=3, W=1, C=2] : x -> upsample_bilinear(3)",
    rows: true,
    torch: true,
  },
  {
    name: "upsample_bilinear_row",
    of: ["upsample_bilinear", "blend"],
    model: "x: [B, H=1, W=2, C=1] : x -> upsample_bilinear",
    rows: true,
    hand: [{ x: [0, 8], out: [0, 2, 6, 8, 0, 2, 6, 8], "d.x": [4, 4] }],
  },
  {
    name: "pad",
    of: [],
    model: "x: [B, H=2, W=3, C=2] : x -> pad(1, 2) over [H, W]",
    rows: true,
    torch: true,
  },
  {
    name: "pad_before",
    of: [],
    model: "x: [B, T, C=2] : x -> pad(2, 0) over T",
    sizes: { T: [1, 5] },
    rows: true,
    hand: [{ x: [1, 2], out: [0, 0, 0, 0, 1, 2], "d.x": [1, 1] }],
  },
  {
    name: "crop",
    of: [],
    model: "x: [B, H=5, W=4, C=2] : x -> crop(1, 2) over H -> crop(1) over W",
    rows: true,
    torch: true,
  },
  {
    name: "crop_like",
    of: [],
    model: "x: [B, H=6, W=5, C=2], y: [B, H=3, W=3, C=2] : (x -> crop(like = y) over [H, W]) * y",
    rows: true,
    torch: true,
  },
  {
    name: "crop_like_middle",
    of: [],
    model: "x: [B, T=4], y: [B, T=1] : x -> crop(like = y) over T",
    rows: true,
    // the odd one is cut off at the end
    hand: [{ x: [1, 2, 3, 4], y: [7], out: [2], "d.x": [0, 1, 0, 0] }],
  },
];
