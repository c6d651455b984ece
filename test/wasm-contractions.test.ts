// Tiled contractions as wasm against plain sums in f64: shapes, layouts, guards, prologues, batches, epilogues, bits.
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import type { Dim } from "../compiler/ir/dim.ts";
import type { Buffer, EntryProgram, Kernel } from "../compiler/ir/kernel.ts";
import { apply, f32 } from "../compiler/ir/scalar.ts";
import type { Scalar } from "../compiler/ir/scalar.ts";
import {
  at,
  axis,
  buffer,
  contraction,
  instantiate,
  layOut,
  load,
  map,
  noise,
  programOf,
  reference,
  result,
  worst,
} from "./support/wasm-run.ts";

type Values = ReadonlyMap<Buffer, ArrayLike<number>>;
type Sizes = Readonly<Record<string, number>>;

/** |error| <= terms * 2^-24 * sum of |products|; operands lie in [-1, 1]. */
async function check(
  k: Kernel,
  given: Values,
  outputs: readonly Buffer[],
  terms: number,
  dims: Sizes = {},
  max: Sizes = dims,
): Promise<void> {
  const wanted = reference([k], given, dims);
  const found: Float64Array[][] = [];
  for (const relaxed of [false, true]) {
    const program = programOf([k], max);
    const instance = await instantiate(program, relaxed);
    expect(instance.largestFunctionBytes).toBeLessThan(20_000);
    for (const [b, values] of given) if (program.places.has(b)) instance.set(b, values);
    instance.run(dims);
    found.push(outputs.map((b) => instance.get(b, dims)));
    outputs.forEach((b, i) => {
      const bound = (terms + 4) * 2 ** -24 * Math.max(terms / 3, 1);
      expect(worst(found.at(-1)![i]!, wanted.get(b), bound, 2 ** -22)).toBeLessThanOrEqual(1);
    });
  }
}

interface Shape {
  readonly m: number | Dim;
  readonly n: number | Dim;
  readonly k: number | Dim;
  readonly a?: "rows" | "columns";
  readonly b?: "rows" | "columns";
}

function product({ m, n, k, a = "rows", b = "rows" }: Shape) {
  const A = buffer("A", "f32", a === "rows" ? [m, k] : [k, m]);
  const B = buffer("B", "f32", b === "rows" ? [k, n] : [n, k]);
  const C = buffer("C", "f32", [m, n]);
  const bias = buffer("bias", "f32", [n]);
  const [i, j, l] = [axis("i", m), axis("j", n), axis("l", k)];
  const made = contraction({
    rows: [i],
    columns: [j],
    inner: [l],
    a: load(A, a === "rows" ? [i, l] : [l, i]),
    b: load(B, b === "rows" ? [l, j] : [j, l]),
    epilogue: (p) => [map(C, [i, j], apply("max", apply("add", result(p), load(bias, [j])), f32(-0.5)))],
  });
  return { made, A, B, C, bias };
}

describe("matrix products", () => {
  const shapes = [
    [1, 1, 1],
    [1, 8, 5],
    [1, 70, 300],
    [2, 33, 9],
    [3, 16, 256],
    [5, 10, 257],
    [6, 8, 4],
    [7, 24, 513],
    [13, 7, 600],
    [97, 18, 33],
    [200, 40, 20],
    [4, 5, 0],
  ] as const;
  for (const [m, n, k] of shapes)
    for (const [a, b] of [
      ["rows", "rows"],
      ["columns", "columns"],
    ] as const)
      test(`${m} x ${n} x ${k}, a by ${a}, b by ${b}`, async () => {
        const { made, A, B, C, bias } = product({ m, n, k, a, b });
        const given = new Map([
          [A, noise(m * k, 2)],
          [B, noise(k * n, 3)],
          [bias, noise(n, 4)],
        ]);
        await check(made, given, [C], k);
      });

  test("each size free in its turn, and all", async () => {
    const s = dim.symbol;
    const shapes: readonly Shape[] = [
      { m: s("M"), n: 24, k: 40 },
      { m: 7, n: s("N"), k: 40 },
      { m: 7, n: 24, k: s("K"), a: "columns" },
      { m: s("M"), n: s("N"), k: s("K"), b: "columns" },
      { m: dim.multiply(s("M"), dim.constant(7)), n: 16, k: 40 },
    ];
    const max = { M: 40, N: 30, K: 310 };
    for (const shape of shapes)
      for (const dims of [
        { M: 1, N: 1, K: 1 },
        { M: 13, N: 10, K: 300 },
      ]) {
        const { made, A, B, C, bias } = product(shape);
        const sizes = new Map(Object.entries(dims));
        const count = (b: Buffer): number => b.shape.reduce((c, d) => c * dim.evaluate(d, sizes), 1);
        const given = new Map([A, B, bias].map((b, i) => [b, noise(count(b), i + 2)]));
        await check(made, given, [C], 300, dims, max);
      }
  });

  test("a row has the same bits alone and among others", async () => {
    for (const [n, k] of [
      [24, 300],
      [10, 40],
    ] as const)
      for (const relaxed of [false, true]) {
        const { made, A, B, C } = product({ m: dim.symbol("M"), n, k });
        const instance = await instantiate(programOf([made], { M: 101 }), relaxed);
        instance.set(A, noise(101 * k));
        instance.set(B, noise(k * n, 2));
        instance.run({ M: 101 });
        const all = instance.get(C, { M: 101 });
        for (const m of [1, 2, 3, 4, 5, 6, 7, 97]) {
          instance.set(C, new Float32Array(m * n));
          instance.run({ M: m });
          expect([...instance.get(C, { M: m })]).toEqual([...all.slice(0, m * n)]);
        }
      }
  });
});

describe("convolutions", () => {
  interface Conv {
    readonly n: number;
    readonly h: number;
    readonly c: number;
    readonly f: number;
    readonly kernel: number;
    readonly stride: number;
    readonly padding: number;
  }
  const cases: readonly Conv[] = [
    { n: 2, h: 7, c: 1, f: 5, kernel: 3, stride: 1, padding: 1 },
    { n: 1, h: 9, c: 3, f: 8, kernel: 3, stride: 2, padding: 1 },
    { n: 3, h: 6, c: 32, f: 16, kernel: 3, stride: 1, padding: 1 },
    { n: 1, h: 8, c: 5, f: 9, kernel: 5, stride: 1, padding: 2 },
    { n: 2, h: 5, c: 8, f: 8, kernel: 1, stride: 1, padding: 0 },
    { n: 1, h: 11, c: 4, f: 6, kernel: 3, stride: 3, padding: 0 },
  ];
  for (const { n, h, c, f, kernel, stride, padding } of cases)
    test(`${n} x ${h}², ${c} to ${f} channels, ${kernel}², step ${stride}, padding ${padding}`, async () => {
      const out = Math.floor((h + 2 * padding - kernel) / stride) + 1;
      const x = buffer("x", "f32", [n, h, h, c]);
      const w = buffer("w", "f32", [kernel, kernel, c, f]);
      const y = buffer("y", "f32", [n, out, out, f]);
      const residual = buffer("residual", "f32", [n, out, out, f]);
      const [b, i, j, o] = [axis("b", n), axis("i", out), axis("j", out), axis("o", f)];
      const [r, s, l] = [axis("r", kernel), axis("s", kernel), axis("l", c)];
      const row = at([i, stride], r, -padding);
      const column = at([j, stride], s, -padding);
      const guarded = padding > 0 ? [1, 2] : [];
      const given = new Map([
        [x, noise(n * h * h * c, 2)],
        [w, noise(kernel * kernel * c * f, 3)],
        [residual, noise(n * out * out * f, 4)],
      ]);
      const forward = contraction({
        rows: [b, i, j],
        columns: [o],
        inner: [r, s, l],
        a: load(x, [b, row, column, l], guarded),
        b: load(w, [r, s, l, o]),
        epilogue: (p) => [map(y, [b, i, j, o], apply("add", result(p), load(residual, [b, i, j, o])))],
      });
      await check(forward, given, [y], kernel * kernel * c);
      const gradient = buffer("gradient", "f32", [kernel, kernel, c, f]);
      const backward = contraction({
        rows: [r, s, l],
        columns: [o],
        inner: [b, i, j],
        a: load(x, [b, row, column, l], guarded),
        b: load(residual, [b, i, j, o]),
        epilogue: (p) => [map(gradient, [r, s, l, o], result(p))],
      });
      await check(backward, given, [gradient], n * out * out);
    });

  test("the gradient by its operand: taps turned, channels outermost", async () => {
    const [n, h, c, f] = [2, 6, 12, 9];
    const d = buffer("d", "f32", [n, h, h, f]);
    const w = buffer("w", "f32", [3, 3, c, f]);
    const y = buffer("y", "f32", [n, h, h, c]);
    const [b, i, j, o] = [axis("b", n), axis("i", h), axis("j", h), axis("o", c)];
    const [r, s, l] = [axis("r", 3), axis("s", 3), axis("l", f)];
    const k = contraction({
      rows: [b, i, j],
      columns: [o],
      inner: [l, r, s],
      a: load(d, [b, at(i, [r, -1], 1), at(j, [s, -1], 1), l], [1, 2]),
      b: load(w, [r, s, o, l]),
      epilogue: (p) => [map(y, [b, i, j, o], result(p))],
    });
    const given = new Map([
      [d, noise(n * h * h * f, 2)],
      [w, noise(9 * c * f, 3)],
    ]);
    await check(k, given, [y], 9 * f);
  });
});

describe("operands", () => {
  test("heads of attention: batches, several column axes, strided stores", async () => {
    const [batch, heads, t, e] = [2, 3, 5, 8];
    const [q, k] = [buffer("q", "f32", [batch, t, heads, e]), buffer("k", "f32", [batch, t, heads, e])];
    const scores = buffer("scores", "f32", [batch, heads, t, t]);
    const [b, h, i, j, l] = [axis("b", batch), axis("h", heads), axis("i", t), axis("j", t), axis("l", e)];
    const made = contraction({
      batch: [b, h],
      rows: [i],
      columns: [j],
      inner: [l],
      a: load(q, [b, i, h, l]),
      b: load(k, [b, j, h, l]),
      epilogue: (p) => [map(scores, [b, h, i, j], apply("mul", result(p), f32(0.25)))],
    });
    const given = new Map([
      [q, noise(batch * t * heads * e, 2)],
      [k, noise(batch * t * heads * e, 3)],
    ]);
    await check(made, given, [scores], e);

    for (const width of [8, 5]) {
      const [x, w] = [buffer("x", "f32", [t, 12]), buffer("w", "f32", [12, heads, width])];
      const y = buffer("y", "f32", [heads, t, width]);
      const [r, c, d, n] = [axis("r", t), axis("c", heads), axis("d", width), axis("n", 12)];
      const split = contraction({
        rows: [r],
        columns: [c, d],
        inner: [n],
        a: load(x, [r, n]),
        b: load(w, [n, c, d]),
        epilogue: (p) => [map(y, [c, r, d], result(p))],
      });
      const values = new Map([
        [x, noise(t * 12, 2)],
        [w, noise(12 * heads * width, 3)],
      ]);
      await check(split, values, [y], 12);
    }
  });

  test("prologues: bytes, activations, masks, gathered rows", async () => {
    const [m, n, k] = [9, 11, 20];
    const bytes = buffer("bytes", "u8", [m, k]);
    const mask = buffer("mask", "f32", [m, k]);
    const table = buffer("table", "f32", [6, n]);
    const ids = buffer("ids", "i32", [k]);
    const y = buffer("y", "f32", [m, n]);
    const [i, j, l] = [axis("i", m), axis("j", n), axis("l", k)];
    const scaled = apply("mul", apply("i32_to_f32", load(bytes, [i, l])), f32(1 / 255));
    const masked: Scalar = apply("select", apply("lt", f32(0), load(mask, [i, l])), scaled, f32(0));
    const made = contraction({
      rows: [i],
      columns: [j],
      inner: [l],
      a: masked,
      b: apply("tanh", load(table, [{ kind: "computed", value: load(ids, [l]) }, j])),
      epilogue: (p) => [map(y, [i, j], result(p))],
    });
    const given = new Map<Buffer, ArrayLike<number>>([
      [bytes, noise(m * k, 2).map((x) => Math.floor(Math.abs(x) * 255))],
      [mask, noise(m * k, 3)],
      [table, noise(6 * n, 4)],
      [ids, noise(k, 5).map((x) => Math.floor(Math.abs(x) * 6))],
    ]);
    await check(made, given, [y], k);
  });

  test("several stores, one through a guard, one transposed", async () => {
    const [m, n, k] = [8, 16, 12];
    const { made, A, B } = product({ m, n, k });
    const [first, second] = [buffer("first", "f32", [n, m]), buffer("second", "f32", [m, n])];
    const shifted = buffer("shifted", "f32", [m, n]);
    const { rows, columns } = made.contraction!;
    const [i, j] = [rows[0]!, columns[0]!];
    const [sum] = made.stages;
    const value = apply("add", result(sum!), load(shifted, [at(i, -1), at(j, 2)], [0, 1]));
    const kernel: Kernel = {
      ...made,
      stages: [sum!, map(first, [j, i], result(sum!)), map(second, [i, j], value)],
    };
    const given = new Map([
      [A, noise(m * k, 2)],
      [B, noise(k * n, 3)],
      [shifted, noise(m * n, 4)],
    ]);
    await check(kernel, given, [first, second], k);
  });
});

describe("prepared panels", () => {
  test("are packed by one entry and read by another", async () => {
    for (const b of ["rows", "columns"] as const) {
      const [m, n, k] = [7, 21, 300];
      const { made, A, B, C, bias } = product({ m, n, k, b });
      const panelB: Buffer = { ...made.contraction!.panelB, kind: { kind: "prepared" } };
      const kernel: Kernel = { ...made, contraction: { ...made.contraction!, panelB, prepacked: true } };
      const entryOf = (name: string, kind: "kernel" | "pack"): EntryProgram => ({
        name,
        dims: [],
        steps: [{ kind, kernel }],
        inputs: [],
        outputs: [],
        copies: [],
      });
      // one entry that does both, in the same memory
      const both: EntryProgram = {
        ...entryOf("run", "pack"),
        steps: [
          { kind: "pack", kernel },
          { kind: "kernel", kernel },
        ],
      };
      const given = new Map([
        [A, noise(m * k, 2)],
        [B, noise(k * n, 3)],
        [bias, noise(n, 4)],
      ]);
      const wanted = reference([made], given).get(C);
      const instance = await instantiate(layOut([both]), true);
      for (const [to, values] of given) instance.set(to, values);
      instance.run();
      expect(worst(instance.get(C), wanted, k * k * 2 ** -26, 2 ** -22)).toBeLessThanOrEqual(1);
    }
  });
});
