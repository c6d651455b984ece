/** Losses of the library under test. */
import type { Hand, Item } from "./item.ts";

const loss = (name: string, call: string, hand: readonly Hand[]): Item => ({
  name,
  of: [call.replace(/\(.*/, "")],
  model: `x: [B, T], y: [B, T] : ${call}`,
  sizes: { T: [1, 5] },
  torch: true,
  hand,
});

export const losses: readonly Item[] = [
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
    name: "cross_entropy_far",
    of: ["cross_entropy"],
    model: "x: [B, Class=5], label: int<5>[B] : cross_entropy(x, label)",
    classes: { label: 5 },
    ranges: { x: [9995, 10005] },
    torch: true,
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
