/** What the library's layers, activations, losses and first values compute, on the reference, against plain loops. */
import { describe, expect, test } from "vitest";
import { tensor } from "../compiler/ir/tensor.ts";
import type { Tensor } from "../compiler/ir/tensor.ts";
import { run } from "./support/run-library.ts";

/** Numbers that are neither even nor regular, the same in every run. */
function numbers(shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    "f32",
    shape,
    Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 2),
  );
}

function expectClose(found: Tensor, shape: readonly number[], expected: ArrayLike<number>): void {
  expect(found.shape).toEqual(shape);
  // f64 against f64: only the order of additions differs
  Array.from(expected).forEach((value, i) => expect(Math.abs(found.data[i]! - value)).toBeLessThan(1e-12));
}

const at = (x: Tensor, ...index: number[]): number => {
  let flat = 0;
  for (const [axis, i] of index.entries()) {
    if (i < 0 || i >= x.shape[axis]!) return 0;
    flat = flat * x.shape[axis]! + i;
  }
  return x.data[flat]!;
};

/** Convolution by its definition: top and left zeros before, P by Q results. */
function convolution(
  x: Tensor,
  k: Tensor,
  stride: number,
  top: number,
  left: number,
  p: number,
  q: number,
): number[] {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const [kh, kw, , outs] = k.shape as [number, number, number, number];
  const result: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let r = 0; r < p; r++)
      for (let s = 0; s < q; s++)
        for (let o = 0; o < outs; o++) {
          let sum = 0;
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++)
              for (let c = 0; c < channels; c++)
                sum += at(x, b, r * stride + i - top, s * stride + j - left, c) * at(k, i, j, c, o);
          result.push(sum);
        }
  return result;
}

describe("layers", () => {
  test("Dense is x @ kernel + shift", () => {
    const x = numbers([2, 3]);
    const kernel = numbers([3, 2], 2);
    const shift = tensor("f32", [2], [0.5, -1]);
    const { out } = run(
      "model M(x: [B, D=3]) -> [B, 2] { x -> a: Dense(2) }",
      { x, "a.kernel": kernel, "a.shift": shift },
      "inference",
      { B: 2 },
    );
    const expected = [0, 1].flatMap((b) =>
      [0, 1].map((o) => [0, 1, 2].reduce((s, i) => s + at(x, b, i) * at(kernel, i, o), 0) + shift.data[o]!),
    );
    expectClose(out, [2, 2], expected);
  });

  test.each([
    // size, stride, pad, zeros before, results of 7 and of 6
    [3, 1, "same", [1, 1], [7, 6]],
    [3, 2, "same", [1, 1], [4, 3]],
    [4, 2, "same", [1, 1], [3, 3]],
    [3, 1, "valid", [0, 0], [5, 4]],
    [3, 2, "same_upper", [1, 0], [4, 3]],
    [5, 3, "same_upper", [2, 1], [3, 2]],
    [3, 1, "2", [2, 2], [9, 8]],
  ] as const)("Conv with size %i, stride %i, pad = %s", (size, stride, pad, [top, left], [p, q]) => {
    const x = numbers([2, 7, 6, 2]);
    const kernel = numbers([size, size, 2, 3], 2);
    const { out } = run(
      `model M(x: [B, H=7, W=6, C=2]) -> [B, _, _, 3] { x -> a: Conv(3, ${size}, stride = ${stride}, pad = ${pad}, bias = false) }`,
      { x, "a.kernel": kernel },
      "inference",
      { B: 2 },
    );
    expectClose(out, [2, p, q, 3], convolution(x, kernel, stride, top, left, p, q));
  });

  test.each([
    [2, 2],
    [4, 2],
    [3, 1],
    [5, 3],
  ])("Upconv with size %i and stride %i spreads each pixel by the kernel", (size, stride) => {
    const x = numbers([1, 3, 2, 2]);
    const kernel = numbers([size, size, 2, 2], 2);
    const { out } = run(
      `model M(x: [B, H=3, W=2, C=2]) -> [B, _, _, 2] { x -> a: Upconv(2, ${size}, stride = ${stride}, bias = false) }`,
      { x, "a.kernel": kernel },
      "inference",
      { B: 1 },
    );
    const cut = Math.floor((size - stride) / 2);
    const expected = tensor("f32", [1, 3 * stride, 2 * stride, 2]);
    for (let h = 0; h < 3; h++)
      for (let w = 0; w < 2; w++)
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++)
            for (let c = 0; c < 2; c++)
              for (let o = 0; o < 2; o++) {
                const [r, s] = [h * stride + i - cut, w * stride + j - cut];
                if (r < 0 || s < 0 || r >= 3 * stride || s >= 2 * stride) continue;
                expected.data[(r * 2 * stride + s) * 2 + o]! += at(x, 0, h, w, c) * at(kernel, i, j, c, o);
              }
    expectClose(out, [1, 3 * stride, 2 * stride, 2], expected.data);
  });

  test("maxpool takes the largest, and padding never wins", () => {
    const x = tensor("f32", [1, 3, 3, 1], [-1, -2, -3, -4, -5, -6, -7, -8, -9]);
    const pool = (stage: string): Tensor =>
      run(`model M(x: [B, H=3, W=3, C=1]) -> [B, _, _, C] { x -> ${stage} }`, { x }, "inference", { B: 1 })
        .out;
    expectClose(pool("maxpool(3, stride = 1)"), [1, 3, 3, 1], [-1, -1, -2, -1, -1, -2, -4, -4, -5]);
    expectClose(pool("maxpool(2)"), [1, 1, 1, 1], [-1]);
    expectClose(pool("maxpool(3, stride = 2, pad = same_upper)"), [1, 2, 2, 1], [-1, -2, -4, -5]);
    expectClose(pool("avgpool(2, stride = 1)"), [1, 2, 2, 1], [-3, -4, -6, -7]);
    expectClose(pool("avgpool(3, stride = 2, pad = 1)"), [1, 2, 2, 1], [-12 / 9, -16 / 9, -24 / 9, -28 / 9]);
  });

  test("LayerNorm", () => {
    const x = tensor("f32", [2, 4], [1, 2, 3, 4, -1, -1, 5, 5]);
    const { out } = run("model M(x: [B, D=4]) -> [B, D] { x -> LayerNorm(eps = 0) }", { x }, "inference", {
      B: 2,
    });
    const d = Math.sqrt(1.25);
    expectClose(out, [2, 4], [-1.5 / d, -0.5 / d, 0.5 / d, 1.5 / d, -1, -1, 1, 1]);
  });

  test("BatchNorm: by the batch while training, by running statistics after it", () => {
    const x = tensor("f32", [4, 1], [1, 3, 5, 7]);
    const text = "model M(x: [B, C=1]) -> [B, C] { x -> n: BatchNorm(eps = 0) }";
    const trained = run(text, { x }, "training", { B: 4 });
    const d = Math.sqrt(5);
    expectClose(trained.out, [4, 1], [-3 / d, -1 / d, 1 / d, 3 / d]);
    expectClose(trained.writes["n.m"]!, [1], [0.1 * 4]);
    // the running variance is the unbiased one: 5 * 4 / 3
    expectClose(trained.writes["n.v"]!, [1], [0.9 + (0.1 * 20) / 3]);
    const used = run(
      text,
      { x, "n.m": tensor("f32", [1], [1]), "n.v": tensor("f32", [1], [4]) },
      "inference",
      { B: 4 },
    );
    expectClose(used.out, [4, 1], [0, 1, 2, 3]);
    expect(used.writes).toEqual({});
  });

  test("Standardize is fitted, and a constant feature becomes 0", () => {
    const x = tensor("f32", [2, 2], [1, 5, 3, 5]);
    const text = "model M(x: [B, F=2]) -> [B, F] { x -> s: Standardize }";
    const { out, writes } = run(text, { x }, "fitting", { B: 2 });
    expectClose(out, [2, 2], [-1, 0, 1, 0]);
    expectClose(writes["s.m"]!, [2], [2, 5]);
    expectClose(writes["s.s"]!, [2], [1, 1]);
    expect(run(text, { x }, "training", { B: 2 }).writes).toEqual({});
  });

  test("Embed and OneHot look up rows", () => {
    const id = tensor("i32", [3], [2, 0, 1]);
    const table = numbers([3, 2]);
    const row = (i: number): number[] => [at(table, i, 0), at(table, i, 1)];
    expectClose(
      run("model M(id: int<3>[B]) -> [B, 2] { id -> e: Embed(2) }", { id, "e.table": table }, "inference", {
        B: 3,
      }).out,
      [3, 2],
      [...row(2), ...row(0), ...row(1)],
    );
    expectClose(
      run("model M(id: int<3>[B]) -> [B, 3] { id -> OneHot }", { id }, "inference", { B: 3 }).out,
      [3, 3],
      [0, 0, 1, 1, 0, 0, 0, 1, 0],
    );
  });

  test("dropout: nothing in use; while training zeros, and the rest grows", () => {
    const x = tensor("f32", [40, 50], new Array<number>(2000).fill(1));
    const text = "model M(x: [B, D=50]) -> [B, D] { x -> dropout(0.25) }";
    expectClose(run(text, { x }, "inference", { B: 40 }).out, [40, 50], x.data);
    const { out } = run(text, { x }, "training", { B: 40 });
    expect([...new Set(out.data)].sort()).toEqual([0, 1 / 0.75]);
    const kept = out.data.filter((value) => value > 0).length;
    // four standard deviations of 2000 draws
    expect(Math.abs(kept - 1500)).toBeLessThan(4 * Math.sqrt(2000 * 0.25 * 0.75));
  });

  test("dropout in a scan: each step has a mask of its own", () => {
    const x = tensor("f32", [4, 3, 50], new Array<number>(600).fill(1));
    const text = `model M(x: [B, T, D=50]) -> [B, T, D] {
      scan x over T with last = zeros[B, D] {
        last = x -> dropout(0.5)
        yield last
      }
    }`;
    const { data } = run(text, { x }, "training", { B: 4, T: 3 }).out!;
    const step = (t: number): readonly number[] =>
      Array.from({ length: 200 }, (_, i) => data[(Math.floor(i / 50) * 3 + t) * 50 + (i % 50)]!);
    expect(step(1)).not.toEqual(step(0));
    expect(step(2)).not.toEqual(step(1));
  });

  // [B=40, T=5, D=10] of ones: parts that live or die as a whole, by their places
  test.each([
    [
      "channel_dropout",
      400,
      (part: number, i: number) => Math.floor(part / 10) * 50 + i * 10 + (part % 10),
      5,
    ],
    ["path_dropout", 40, (part: number, i: number) => part * 50 + i, 50],
  ] as const)(
    "%s: while training parts become 0 as a whole, and the rest grows",
    (name, parts, place, size) => {
      const x = tensor("f32", [40, 5, 10], new Array<number>(2000).fill(1));
      const text = `model M(x: [B, T=5, D=10]) -> [B, T, D] { x -> ${name}(0.25) }`;
      expectClose(run(text, { x }, "inference", { B: 40 }).out, [40, 5, 10], x.data);
      const { data } = run(text, { x }, "training", { B: 40 }).out;
      expect([...new Set(data)].sort()).toEqual([0, 1 / 0.75]);
      let kept = 0;
      for (let part = 0; part < parts; part++) {
        const values = new Set(Array.from({ length: size }, (_, i) => data[place(part, i)]));
        expect(values.size).toBe(1);
        if (!values.has(0)) kept++;
      }
      expect(Math.abs(kept - 0.75 * parts)).toBeLessThan(4 * Math.sqrt(parts * 0.25 * 0.75));
    },
  );
});

describe("functions", () => {
  const x = tensor("f32", [5], [-3, -0.5, 0, 0.5, 20]);
  const map = (stage: string, compute: (v: number) => number): void =>
    expectClose(run(`model M(x: [D=5]) -> [D] { x -> ${stage} }`, { x }).out, [5], [...x.data].map(compute));

  test("activations", () => {
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    map("relu", (v) => Math.max(v, 0));
    map("leaky_relu(0.2)", (v) => (v > 0 ? v : 0.2 * v));
    map("sigmoid", sigmoid);
    map("tanh", Math.tanh);
    map("silu", (v) => v * sigmoid(v));
    map("gelu_tanh", (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
    map("identity", (v) => v);
    // gelu(0.5) = 0.5 * Phi(0.5)
    const { out } = run("model M(x: [D=1]) -> [D] { x -> gelu }", { x: tensor("f32", [1], [0.5]) });
    expect(out.data[0]).toBeCloseTo(0.5 * 0.6914624612740131, 12);
  });

  test("softmax and its logarithm, also for large numbers", () => {
    const logits = tensor("f32", [2, 3], [1, 2, 3, 1000, 1000, 0]);
    const text = (stage: string): string =>
      `model M(x: [B, Class=3]) -> [B, Class] { x -> ${stage} over Class }`;
    const e = [Math.exp(-2), Math.exp(-1), 1];
    const sum = e.reduce((a, b) => a + b);
    expectClose(
      run(text("softmax"), { x: logits }, "inference", { B: 2 }).out,
      [2, 3],
      [...e.map((v) => v / sum), 0.5, 0.5, 0],
    );
    expectClose(
      run(text("log_softmax"), { x: logits }, "inference", { B: 2 }).out,
      [2, 3],
      [...e.map((v) => Math.log(v / sum)), -Math.LN2, -Math.LN2, -1000 - Math.LN2],
    );
  });

  test("over inner and several axes", () => {
    const y = numbers([2, 3, 4]);
    const { out } = run(
      "model M(x: [B, T, D=4]) -> [D=4] { x -> variance over [B, T] }",
      { x: y },
      "inference",
      { B: 2, T: 3 },
    );
    const expected = [0, 1, 2, 3].map((d) => {
      const column = Array.from({ length: 6 }, (_, i) => y.data[i * 4 + d]!);
      const mean = column.reduce((a, b) => a + b) / 6;
      return column.reduce((s, v) => s + (v - mean) ** 2, 0) / 6;
    });
    expectClose(out, [4], expected);
  });

  test("losses", () => {
    const a = tensor("f32", [4], [1, -2, 0.5, 4]);
    const b = tensor("f32", [4], [1.5, 1, 0.5, 0]);
    const loss = (call: string): Tensor =>
      run(`model M(a: [B], b: [B]) -> [] { ${call} }`, { a, b }, "inference", { B: 4 }).out;
    expectClose(loss("mse(a, b)"), [], [(0.25 + 9 + 0 + 16) / 4]);
    expectClose(loss("mae(a, b)"), [], [(0.5 + 3 + 0 + 4) / 4]);
    expectClose(loss("huber(a, b)"), [], [(0.125 + 2.5 + 0 + 3.5) / 4]);
    expectClose(loss("huber(a, b, delta = 2)"), [], [(0.125 + 4 + 0 + 6) / 4]);
    const softplus = (v: number): number => Math.log1p(Math.exp(v));
    expectClose(loss("bce(a, 0.9)"), [], [[...a.data].reduce((s, v) => s + softplus(v) - 0.9 * v, 0) / 4]);
    const logits = numbers([3, 4]);
    const label = tensor("i32", [3], [0, 3, 1]);
    const ce = (smooth: number): number => {
      let sum = 0;
      for (let r = 0; r < 3; r++) {
        const row = [...logits.data.slice(r * 4, r * 4 + 4)];
        const whole = Math.log(row.reduce((s, v) => s + Math.exp(v), 0));
        const even = row.reduce((s, v) => s + v, 0) / 4;
        sum += whole - (1 - smooth) * row[label.data[r]!]! - smooth * even;
      }
      return sum / 3;
    };
    for (const smooth of [0, 0.1]) {
      const { out } = run(
        `model M(x: [B, Class=4], label: int<4>[B]) -> [] { cross_entropy(x, label, smooth = ${smooth}) }`,
        { x: logits, label },
        "inference",
        { B: 3 },
      );
      expectClose(out, [], [ce(smooth)]);
    }
  });
});

describe("first values", () => {
  /** Mean, deviation and largest distance from 0 of the kernel of a wide layer. */
  function statistics(init: string): { mean: number; deviation: number; most: number } {
    const { out } = run(
      `model M(x: [B, D=200]) -> [200, 100] { weight kernel : [200, 100] ~ ${init}\n kernel }`,
      {
        x: numbers([1, 200]),
      },
      "inference",
      { B: 1 },
    );
    const mean = out.data.reduce((a, b) => a + b) / 20_000;
    const deviation = Math.sqrt(out.data.reduce((s, v) => s + (v - mean) ** 2, 0) / 20_000);
    return { mean, deviation, most: Math.max(...out.data.map(Math.abs)) };
  }

  test.each([
    ["glorot", Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ["he", Math.sqrt(2 / 200), Infinity],
    ["normal(0.02)", 0.02, Infinity],
    ["uniform(-2, 2)", 4 / Math.sqrt(12), 2],
    ["zeros", 0, 0],
  ])("%s", (init, deviation, most) => {
    const found = statistics(init);
    // four standard errors of 20,000 draws
    expect(Math.abs(found.mean)).toBeLessThanOrEqual((4 * deviation) / Math.sqrt(20_000));
    expect(Math.abs(found.deviation - deviation)).toBeLessThanOrEqual((4 * deviation) / Math.sqrt(40_000));
    expect(found.most).toBeLessThanOrEqual(most);
  });

  test("two weights get different numbers, and the same seed the same", () => {
    const text = `model M(x: [B, D=4]) -> [4, 4] {
  weight first  : [4, 4] ~ glorot
  weight second : [4, 4] ~ glorot
  first - second
}`;
    const once = run(text, { x: numbers([1, 4]) }, "inference", { B: 1 }).out;
    for (const value of once.data) expect(value).not.toBe(0);
    expect(run(text, { x: numbers([1, 4]) }, "inference", { B: 1 }).out.data).toEqual(once.data);
  });
});
