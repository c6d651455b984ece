/** Losses of the library under test. */
import { fill, type Hand, type Item } from "./item.ts";

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
  {
    name: "cross_entropy_ignore",
    of: ["cross_entropy"],
    model: "x: [B, T, Class=3], label: int<3>[B, T] : cross_entropy(x, label, ignore = 1)",
    sizes: { T: [1, 4] },
    classes: { label: 3 },
    torch: true,
    hand: [
      { x: [0, 0, 0, 5, 5, 5], label: [1, 2], out: [Math.log(3)], "d.x": [0, 0, 0, 1 / 3, 1 / 3, -2 / 3] },
      // nothing is left
      { x: [0, 1, 2], label: [1], out: [0], "d.x": [0, 0, 0] },
    ],
  },
  {
    name: "cross_entropy_ignore_smooth",
    of: ["cross_entropy"],
    model: "x: [B, T, Class=3], label: int<3>[B, T] : cross_entropy(x, label, smooth = 0.2, ignore = 0)",
    sizes: { T: [1, 4] },
    classes: { label: 3 },
    torch: true,
  },
  {
    name: "weighted_cross_entropy",
    of: ["weighted_cross_entropy"],
    model: "x: [B, Class=3], label: int<3>[B] : weighted_cross_entropy(x, label, [1, 0.5, 2])",
    classes: { label: 3 },
    torch: true,
    hand: [
      // rows of weights 2 and 0.5
      { x: [0, 0, 0, 0, 0, 0], label: [2, 1], out: [Math.log(3)], "d.x": [0.8 / 3, 0.8 / 3, -1.6 / 3, 0.2 / 3, -0.4 / 3, 0.2 / 3] }, // prettier-ignore
    ],
  },
  {
    name: "weighted_cross_entropy_learned",
    of: ["weighted_cross_entropy"],
    model: "x: [B, Class=3], label: int<3>[B], w: [Class=3] : weighted_cross_entropy(x, label, w)",
    classes: { label: 3 },
    ranges: { w: [0.5, 2] },
    edges: ["x"],
    hand: [
      { x: [0, 0, 0], label: [2], w: [1, 2, 3], out: [Math.log(3)], "d.w": [0, 0, 0] },
      // no row has a weight
      { x: [0, 1, 0], label: [1], w: [1, 0, 3], out: [0], "d.x": [0, 0, 0] },
    ],
  },
  {
    name: "weighted_cross_entropy_all",
    of: ["weighted_cross_entropy"],
    model:
      "x: [B, T, Class=3], label: int<3>[B, T] : weighted_cross_entropy(x, label, [1, 0.5, 2], smooth = 0.2, ignore = 0)",
    sizes: { T: [1, 4] },
    classes: { label: 3 },
    torch: true,
  },
  {
    name: "focal",
    of: ["focal"],
    model: "x: [B, Class=4], id: int<4>[B] : focal(x, one_hot(id))",
    classes: { id: 4 },
    torch: true,
    hand: [
      // chances of a half: 0.25 * 0.25 * log 2 for the target, three times 0.75 * 0.25 * log 2
      { x: [0, 0, 0, 0], id: [1], out: [(0.25 * 2.5 * Math.LN2) / 4] },
      // right by far, wrong by far
      { x: [1000, -1000, -1000, -1000], id: [0], out: [0], "d.x": [0, 0, 0, 0] },
      { x: [-1000, -1000, -1000, 1000], id: [0], out: [250], "d.x": [-0.0625, 0, 0, 0.1875] },
    ],
  },
  {
    name: "focal_other",
    of: ["focal"],
    model: "x: [B, Class=4], id: int<4>[B] : focal(x, one_hot(id), gamma = 0.5, alpha = 0.5)",
    classes: { id: 4 },
    torch: true,
  },
  {
    name: "kl",
    of: ["kl"],
    model: "x: [B, Class=5], y: [B, Class=5] : kl(x, y)",
    ranges: { y: [0, 1] },
    torch: true,
    edges: ["x"],
    hand: [
      { x: [0, 0, 0, 0, 0], y: [0.2, 0.2, 0.2, 0.2, 0.2], out: [0], "d.x": [0, 0, 0, 0, 0] },
      // what the target excludes costs nothing
      {
        x: [0, 0, 0, 0, 0],
        y: [0.5, 0.5, 0, 0, 0],
        out: [Math.log(2.5)],
        "d.x": [-0.3, -0.3, 0.2, 0.2, 0.2],
      },
      { x: [1e4, 0, 0, 0, -1e4], y: [0, 0, 0, 0, 1], out: [2e4], "d.x": [1, 0, 0, 0, -1] },
    ],
  },
  loss("hinge", "hinge(x, y)", [
    { x: [2, 0.5, -1, 3], y: [1, 1, 1, -1], out: [6.5 / 4], "d.x": [0, -0.25, -0.25, 0.25] },
    // on the margin
    { x: [1], y: [1], out: [0], "d.x": [0] },
  ]),
  loss("hinge_wide", "hinge(x, y, margin = 2)", [{ x: [2, 0.5], y: [1, -1], out: [1.25], "d.x": [0, 0.5] }]),
  {
    name: "cosine_embedding",
    of: ["cosine_embedding"],
    model: "a: [B, D=4], b: [B, D=4], y: [B] : cosine_embedding(a, b, y)",
    torch: true,
    hand: [
      // cosines 0.6, -1 and 0.6
      {
        a: [3, 4, 0, 0, 1, 1, 1, 1, 3, 0, 4, 0],
        b: [2, 0, 0, 0, -1, -1, -1, -1, 5, 0, 0, 0],
        y: [1, -1, -1],
        out: [(0.4 + 0 + 0.6) / 3],
      },
      { a: [3, 4, 0, 0], b: [2, 0, 0, 0], y: [1], "d.a": [-0.128, 0.096, 0, 0], "d.b": [0, -0.4, 0, 0] },
    ],
  },
  {
    name: "cosine_embedding_margin",
    of: ["cosine_embedding"],
    model: "a: [B, D=4], b: [B, D=4], y: [B] : cosine_embedding(a, b, y, margin = 0.25)",
    torch: true,
    hand: [{ a: [3, 4, 0, 0], b: [2, 0, 0, 0], y: [-1], out: [0.35] }],
  },
  {
    name: "contrastive",
    of: ["contrastive"],
    model: "a: [B, D=3], b: [B, D=3], y: [B] : contrastive(a, b, y, margin = 3)",
    ranges: { y: [0, 1] },
    torch: true,
    hand: [
      { a: [1, 2, 2], b: [0, 0, 0], y: [1], out: [4.5], "d.a": [1, 2, 2], "d.b": [-1, -2, -2] },
      // the distance is 1 of 3; it is 9
      { a: [1, 0, 0, 9, 0, 0], b: [0, 0, 0, 0, 0, 0], y: [0, 0], out: [1], "d.a": [-1, 0, 0, 0, 0, 0] },
      // no direction leads apart
      { a: [1, 1, 1], b: [1, 1, 1], y: [0], out: [4.5], "d.a": [0, 0, 0] },
    ],
  },
  {
    name: "triplet",
    of: ["triplet"],
    model: "a: [B, D=3], p: [B, D=3], n: [B, D=3] : triplet(a, p, n)",
    torch: true,
    hand: [
      // 3 - 5 + 1 is below 0, 5 - 3 + 1 is 3
      {
        a: [0, 0, 0, 0, 0, 0],
        p: [1, 2, 2, 3, 4, 0],
        n: [3, 4, 0, 1, 2, 2],
        out: [1.5],
        "d.p": [0, 0, 0, 0.3, 0.4, 0],
        "d.n": [0, 0, 0, -1 / 6, -1 / 3, -1 / 3],
      },
      { a: [1, 1, 1], p: [1, 1, 1], n: [1, 1, 1], out: [1], "d.a": [0, 0, 0] },
    ],
  },
  {
    name: "ctc",
    of: ["ctc"],
    model: "x: [B, T=7, Class=4], y: int<4>[B, L=3] : ctc(x, y)",
    classes: { y: 4 },
    torch: true,
  },
  {
    name: "ctc_by_hand",
    of: ["ctc"],
    model: "x: [B, T=3, Class=3], y: int<3>[B, L=2], n: [B] : ctc(x, y, n)",
    classes: { y: 3 },
    ranges: { n: [1, 3] },
    edges: ["x"],
    hand: [
      // equal labels have a blank between them: one way out of 27
      {
        x: fill(9, 0),
        y: [1, 1],
        n: [3],
        out: [1.5 * Math.log(3)],
        "d.x": [1 / 6, -1 / 3, 1 / 6, -1 / 3, 1 / 6, 1 / 6, 1 / 6, -1 / 3, 1 / 6],
      },
      // as many steps as labels: one way out of 9, and what comes later counts for nothing
      {
        x: [0, 0, 0, 0, 0, 0, 7, -3, 1],
        y: [1, 2],
        n: [2],
        out: [Math.log(3)],
        "d.x": [1 / 6, -1 / 3, 1 / 6, 1 / 6, 1 / 6, -1 / 3, 0, 0, 0],
      },
      // three ways out of 9; blanks in the target are left out, wherever they stand
      { x: fill(9, 0), y: [1, 0], n: [2], out: [Math.log(3)] },
      { x: fill(9, 0), y: [0, 1], n: [2], out: [Math.log(3)] },
      // no label
      { x: fill(9, 0), y: [0, 0], n: [3], out: [3 * Math.log(3)] },
      { x: fill(9, 0), y: [0, 0], n: [0], out: [0], "d.x": fill(9, 0) },
      // too few steps: one less than labels, and none for the blank between equal ones
      { x: fill(9, 0), y: [1, 2], n: [1], out: [0], "d.x": fill(9, 0) },
      { x: fill(9, 0), y: [1, 1], n: [2], out: [0], "d.x": fill(9, 0) },
      // such a row counts in the mean
      { x: fill(18, 0), y: [1, 1, 1, 2], n: [2, 2], out: [Math.log(3) / 2] },
      // more steps than there are
      { x: fill(9, 0), y: [1, 1], n: [9], out: [1.5 * Math.log(3)] },
      // sure, and wrong
      { x: [1000, 0, 0, 0, 0, 0, 0, 0, 0], y: [1, 0], n: [1], out: [1000], "d.x": [1, -1, ...fill(7, 0)] },
      { x: [1e4, 0, 0, 0, 1e4, 0, 1e4, 0, 0], y: [1, 0], n: [3], out: [0], "d.x": fill(9, 0) },
    ],
  },
  {
    name: "ctc_free",
    of: ["ctc"],
    model: "x: [B, T, Class=4], y: int<4>[B, L] : ctc(x, y)",
    sizes: { T: [1, 5, 9], L: [1, 3, 2] },
    classes: { y: 4 },
  },
  {
    name: "ctc_steps",
    of: ["ctc"],
    model: "x: [B, T=6, Class=4], y: int<4>[B, L=3], n: int<6>[B] : ctc(x, y, float(n) + 1)",
    classes: { y: 4, n: 6 },
    torch: true,
  },
  {
    // one label and the blank: neighbours are equal, some rows have no way
    name: "ctc_repeats",
    of: ["ctc"],
    model: "x: [B, T=5, Class=2], y: int<2>[B, L=3] : ctc(x, y)",
    classes: { y: 2 },
    torch: true,
  },
  {
    name: "ctc_tight",
    of: ["ctc"],
    model: "x: [B, T=3, Class=3], y: int<3>[B, L=3] : ctc(x, y)",
    classes: { y: 3 },
    torch: true,
  },
  {
    name: "ctc_far",
    of: ["ctc"],
    model: "x: [B, T=9, Class=5], y: int<5>[B, L=4], n: int<9>[B] : ctc(x, y, float(n) + 1)",
    classes: { y: 5, n: 9 },
    ranges: { x: [-20, 20] },
    torch: true,
  },
  {
    name: "ctc_long",
    of: ["ctc"],
    model: "x: [B, T=40, Class=6], y: int<6>[B, L=12], n: int<40>[B] : ctc(x, y, float(n) + 1)",
    classes: { y: 6, n: 40 },
    torch: true,
  },
];
