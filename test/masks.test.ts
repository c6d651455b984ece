/** Attention with a mask is attention to what the mask leaves, which test/library-pytorch.test.ts holds against PyTorch. */
import { describe, expect, test } from "vitest";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { run } from "./support/run-library.ts";

const rows = 2;
const kept = [1, 3, 4];
const length = 5;

const mask = tensor(
  "bool",
  [rows, length],
  Array.from({ length: rows * length }, (_, i) => (kept.includes(i % length) ? 1 : 0)),
);

/** [rows, positions, features], the same numbers for a position whichever others there are */
function sequence(positions: readonly number[], features: number): Tensor {
  const data = Array.from({ length: rows }, (_, row) =>
    positions.map((at) =>
      Array.from({ length: features }, (_each, i) => Math.sin(1 + row * 7 + at * 3 + i * 1.3)),
    ),
  );
  return tensor("f32", [rows, positions.length, features], data.flat(2));
}

const all = Array.from({ length }, (_, i) => i);

/** The numbers at these positions. */
function at({ data, shape }: Tensor, positions: readonly number[]): number[] {
  const [, most, features] = shape as readonly [number, number, number];
  return Array.from({ length: rows }, (_, row) =>
    positions.map((place) => [
      ...data.slice((row * most + place) * features, (row * most + place + 1) * features),
    ]),
  ).flat(2);
}

function expectSame(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 10));
}

describe("a mask over the sequence itself", () => {
  test.each([
    "MultiHeadAttention(2)",
    "MultiHeadAttention(4, groups = 2)",
    "MultiHeadAttention(2, causal = true, max = 9)",
    "TransformerEncoder(2, 8)",
    "TransformerEncoder(2, 8, norm_first = false)",
  ])("%s", (stage) => {
    const signature = (more: string): string => `model M(x: [B, T, D=8]${more}) -> [B, T, D]`;
    const x = sequence(all, 8);
    const masked = run(
      `${signature(", word: bool[B, T]")} { x -> ${stage}(_, word) }`,
      { x, word: mask },
      "inference",
      { B: rows, T: length },
    ).out;
    const short = run(`${signature("")} { x -> ${stage} }`, { x: sequence(kept, 8) }, "inference", {
      B: rows,
      T: kept.length,
    }).out;
    const whole = run(`${signature("")} { x -> ${stage}(_, true) }`, { x }, "inference", {
      B: rows,
      T: length,
    }).out;
    expectSame(at(masked, kept), [...short.data]);
    expect(at(whole, kept)[0]).not.toBeCloseTo(short.data[0]!, 6);
  });
});

describe("a mask over the memory", () => {
  test.each([
    "CrossAttention(2)",
    "TransformerDecoder(2, 8, 9)",
    "TransformerDecoder(2, 8, 9, norm_first = false)",
  ])("%s", (stage) => {
    const x = sequence([0, 1, 2, 3], 8);
    const masked = run(
      `model M(x: [B, T, D=8], y: [B, S, M=6], word: bool[B, S]) -> [B, T, D] { x -> ${stage}(_, y, word) }`,
      { x, y: sequence(all, 6), word: mask },
      "inference",
      { B: rows, T: 4, S: length },
    ).out;
    const short = run(
      `model M(x: [B, T, D=8], y: [B, S, M=6]) -> [B, T, D] { x -> ${stage}(_, y) }`,
      { x, y: sequence(kept, 6) },
      "inference",
      { B: rows, T: 4, S: kept.length },
    ).out;
    expectSame([...masked.data], [...short.data]);
  });
});

test("the word true stands for a tensor of true and false of any shape", () => {
  const text = (given: string): string =>
    `fn keep(x: [B, D], word: bool[B, D] = true) -> [B, D] { select(word, x, 0) }\n\nmodel M(x: [B, D=2]) -> [B, D] { keep(x${given}) }`;
  const x = tensor("f32", [1, 2], [1, -2]);
  expect([...run(text(""), { x }, "inference", { B: 1 }).out.data]).toEqual([1, -2]);
  expect([...run(text(", x > 0"), { x }, "inference", { B: 1 }).out.data]).toEqual([1, 0]);
});
