/** Pooling of the library under test. */
import { fill, type Hand, type Item } from "./item.ts";

const image = "x: [B, H=6, W=5, C=2]";

const pooled = (name: string, call: string, hand: readonly Hand[] = []): Item => ({
  name,
  of: call.startsWith("max") ? ["maxpool"] : ["avgpool", "window_sum"],
  model: `${image} : x -> ${call}`,
  rows: true,
  torch: true,
  hand,
});

export const pooling: readonly Item[] = [
  pooled("maxpool", "maxpool(2)"),
  pooled("maxpool_overlap", "maxpool(3, stride = 2)", [
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
  pooled("maxpool_valid", "maxpool(2, stride = 3, pad = valid)"),
  pooled("avgpool", "avgpool(2)"),
  pooled("avgpool_overlap", "avgpool(3, stride = 2)", [
    {
      x: fill(60, 9),
      // 4, 6 and 9 cells of 9 lie inside
      out: [4, 6, 4, 6, 9, 6, 6, 9, 6].flatMap((n) => [n, n]),
    },
  ]),
  pooled("avgpool_pad", "avgpool(2, pad = 1)"),
  {
    name: "global_avgpool",
    of: ["global_avgpool"],
    model: "x: [B, H=2, W=2, C=2] : x -> global_avgpool",
    rows: true,
    torch: true,
    hand: [{ x: [1, 0, 2, 8, 3, 0, 6, 0], out: [3, 2], "d.x": fill(8, 0.25) }],
  },
  { name: "global_avgpool_sequence", of: ["global_avgpool"], model: "x: [B, T, C=3] : x -> global_avgpool", sizes: { T: [1, 7] }, rows: true, torch: true }, // prettier-ignore
  {
    name: "global_maxpool",
    of: ["global_maxpool"],
    model: "x: [B, H=2, W=2, C=2] : x -> global_maxpool",
    rows: true,
    torch: true,
    hand: [{ x: [1, 0, 2, 8, 3, 0, 6, 0], out: [6, 8], "d.x": [0, 0, 0, 1, 0, 0, 1, 0] }],
  },
];
