/** Attention and transformer blocks of the library under test. */
import type { Item } from "./item.ts";

const line = { T: [1, 5] };
const two = { T: [1, 4], S: [1, 6] };

// a number added to all scores of a query changes nothing
const cancels = ["a", "b.look", "b.cross"].map((path) => `d.${path}.key.shift`);

const self = (name: string, settings: string, torch = true): Item => ({
  name,
  of: ["MultiHeadAttention", settings.includes("causal") ? "causal_attention" : "attention"],
  model: `x: [B, T, D=8] : x -> a: MultiHeadAttention(${settings})`,
  sizes: line,
  rows: true,
  edges: [],
  cancels,
  ...(torch ? { torch } : {}),
});

const block = (name: string, settings: string, torch = true): Item => ({
  name,
  of: ["TransformerEncoder", "FeedForward", "MultiHeadAttention"],
  model: `x: [B, T, D=6] : x -> b: TransformerEncoder(${settings})`,
  sizes: line,
  rows: true,
  edges: [],
  cancels,
  ...(torch ? { torch } : {}),
});

const decoder = (name: string, settings: string): Item => ({
  name,
  of: ["TransformerDecoder", "CrossAttention", "FeedForward", "MultiHeadAttention"],
  model: `x: [B, T, D=6], y: [B, S, M=6] : b = TransformerDecoder(${settings}) ; b(x, y)`,
  sizes: two,
  rows: true,
  // scores that are far apart are hardly a smooth function
  ranges: { "b.look.query.kernel": [-0.25, 0.25], "b.cross.query.kernel": [-0.25, 0.25] },
  torch: true,
  edges: [],
  cancels,
});

export const attention: readonly Item[] = [
  {
    name: "attention",
    of: ["attention"],
    model: "q: [B, G=2, R=1, T, E=3], k: [B, G=2, S, E=3], v: [B, G=2, S, E=2] : attention(q, k, v)",
    sizes: two,
    rows: true,
    torch: true,
    edges: ["v"],
  },
  {
    name: "attention_equal_keys",
    of: ["attention"],
    model: "q: [B, G=1, R=1, T=1, E=1], k: [B, G=1, S=3, E=1], v: [B, G=1, S=3, E=1] : attention(q, k, v)",
    rows: true,
    edges: ["v"],
    hand: [
      // equal scores: the mean; a score of log 2 above the others: half of the weight
      { q: [5], k: [1, 1, 1], v: [3, 6, 9], out: [6], "d.v": [1 / 3, 1 / 3, 1 / 3] },
      { q: [1], k: [Math.log(2), 0, 0], v: [1, 2, 4], out: [2], "d.v": [0.5, 0.25, 0.25] },
    ],
  },
  {
    name: "causal_attention",
    of: ["causal_attention"],
    model:
      "q: [B, G=1, R=2, T=4, E=3], k: [B, G=1, S=4, E=3], v: [B, G=1, S=4, E=2] : causal_attention(q, k, v)",
    rows: true,
    torch: true,
    edges: ["v"],
  },
  {
    name: "causal_attention_equal_keys",
    of: ["causal_attention"],
    model:
      "q: [B, G=1, R=1, T=3, E=1], k: [B, G=1, S=3, E=1], v: [B, G=1, S=3, E=1] : causal_attention(q, k, v)",
    rows: true,
    edges: ["v"],
    hand: [
      {
        q: [1, 2, 3],
        k: [4, 4, 4],
        v: [3, 6, 9],
        out: [3, 4.5, 6],
        "d.v": [1 + 1 / 2 + 1 / 3, 1 / 2 + 1 / 3, 1 / 3],
      },
    ],
  },
  {
    name: "rotary_embedding",
    of: ["rotary_embedding"],
    model: "x: [B, T=3, D=2] : x -> rotary_embedding",
    rows: true,
    hand: [
      {
        // by 0, 1 and 2 radians
        x: [1, 2, 1, 0, 0, 1],
        out: [1, 2, Math.cos(1), Math.sin(1), -Math.sin(2), Math.cos(2)],
        "d.x": [
          1,
          1,
          Math.cos(1) + Math.sin(1),
          Math.cos(1) - Math.sin(1),
          Math.cos(2) + Math.sin(2),
          Math.cos(2) - Math.sin(2),
        ],
      },
    ],
  },
  { name: "rotary_embedding_slow", of: ["rotary_embedding"], model: "x: [B, T, D=8] : x -> rotary_embedding(100)", sizes: { T: [1, 9] }, rows: true, torch: true }, // prettier-ignore
  {
    name: "LearnedPosition",
    of: ["LearnedPosition"],
    model: "x: [B, T, D=2] : x -> p: LearnedPosition(3)",
    sizes: { T: [1, 2] },
    rows: true,
    edges: ["x"],
    torch: true,
    hand: [{ x: [1, 2, 3, 4], "p.table": [10, 20, 30, 40, 50, 60], out: [11, 22, 33, 44], "d.p.table": [1, 1, 1, 1, 0, 0] }], // prettier-ignore
  },
  self("MultiHeadAttention", "2"),
  self("MultiHeadAttention_one", "1, bias = false"),
  self("MultiHeadAttention_causal", "4, causal = true, max = 5"),
  self("MultiHeadAttention_grouped", "4, groups = 2"),
  self("MultiHeadAttention_rotary", "2, groups = 1, causal = true, max = 9, rotary = true"),
  {
    name: "CrossAttention",
    of: ["CrossAttention", "attention"],
    model: "x: [B, T, D=4], y: [B, S, M=6] : a = CrossAttention(2) ; a(x, y)",
    sizes: two,
    rows: true,
    torch: true,
    edges: [],
    cancels,
  },
  {
    name: "CrossAttention_grouped",
    of: ["CrossAttention", "attention"],
    model: "x: [B, T, D=8], y: [B, S, M=3] : a = CrossAttention(4, groups = 1, bias = false) ; a(x, y)",
    sizes: two,
    rows: true,
    edges: [],
  },
  block("TransformerEncoder", "2, 10, drop = 0"),
  block("TransformerEncoder_last", "3, 7, act = relu, norm_first = false, drop = 0"),
  block("TransformerEncoder_causal", "2, 10, causal = true, max = 8, drop = 0"),
  block("TransformerEncoder_rotary", "2, 10, norm = RMSNorm, groups = 1, bias = false", false),
  {
    name: "FeedForward",
    of: ["FeedForward"],
    model: "x: [B, T=2, D=3] : x -> f: FeedForward(5, act = relu)",
    rows: true,
    torch: true,
    edges: ["x"],
  },
  decoder("TransformerDecoder", "2, 10, max = 6, drop = 0"),
  decoder("TransformerDecoder_last", "2, 9, max = 4, act = relu, norm_first = false, drop = 0"),
];
