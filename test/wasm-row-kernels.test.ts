// Reductions and rows of kernels built by hand, as wasm and in f64.
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import type { Buffer, Stage } from "../compiler/ir/kernel.ts";
import { apply } from "../compiler/ir/scalar.ts";
import type { LoopAxis, Scalar } from "../compiler/ir/scalar.ts";
import {
  at,
  axis,
  buffer,
  instantiate,
  kernel,
  load,
  map,
  noise,
  programOf,
  reduce,
  result,
} from "./support/wasm-run.ts";
import { check, integers } from "./support/wasm-check.ts";

describe("reductions", () => {
  const combines = ["sum", "max", "min", "argmax", "argmin"] as const;
  for (const [rows, columns] of [
    [5, 1],
    [1, 3],
    [9, 10],
    [3, 130],
    [40, 33],
    [4, 0],
  ] as const)
    test(`rows and columns of ${rows} x ${columns}`, async () => {
      const x = buffer("x", "f32", [rows, columns]);
      const values = noise(rows * columns).map((v) => Math.round(v * 8) / 8);
      const some = columns === 0 ? (["sum"] as const) : combines;
      for (const combine of some) {
        const type = combine.startsWith("arg") ? "i32" : "f32";
        const [byRow, byColumn, all] = [
          buffer("r", type, [rows]),
          buffer("c", type, [columns]),
          buffer("a", type, []),
        ];
        const [i, j, m, n, p, q] = ["i", "m", "p"].flatMap((name) => [
          axis(name, rows),
          axis(`${name}2`, columns),
        ]) as [LoopAxis, LoopAxis, LoopAxis, LoopAxis, LoopAxis, LoopAxis];
        const row = reduce(combine, [j], load(x, [i, j]));
        const column = reduce(combine, [m], load(x, [m, n]));
        const whole = reduce(combine, [p, q], load(x, [p, q]));
        const integer = (stage: Stage): Scalar =>
          ({ ...result(stage), type: type === "i32" ? "i32" : "f32" }) as Scalar;
        const kernels = [
          kernel([i], [row, map(byRow, [i], integer(row))]),
          kernel([n], [column, map(byColumn, [n], integer(column))]),
          kernel([], [whole, map(all, [], integer(whole))]),
        ];
        await check(kernels, new Map([[x, values]]), [byRow, byColumn, all], { absolute: 1e-4 });
      }
    });

  test("integers and windows with a guard", async () => {
    const [h, c] = [6, 9];
    const [x, y, z] = [buffer("x", "i32", [h, c]), buffer("y", "i32", [h, c]), buffer("z", "i32", [h])];
    const [i, j, r, m, n] = [axis("i", h), axis("j", c), axis("r", 3), axis("m", h), axis("n", c)];
    const window = reduce("max", [r], load(x, [at(i, r, -1), j], [0]));
    const sum = reduce("sum", [n], load(x, [m, n]));
    const kernels = [
      kernel([i, j], [window, map(y, [i, j], result(window))]),
      kernel([m], [sum, map(z, [m], result(sum))]),
    ];
    await check(kernels, new Map([[x, integers(h * c, 100).map((v) => v - 50)]]), [y, z]);
  });

  test("sums do not depend on the other axes", async () => {
    const k = 77;
    const b = dim.symbol("B");
    const [x, y, i, j] = [buffer("x", "f32", [b, k]), buffer("y", "f32", [b]), axis("i", b), axis("j", k)];
    const sum = reduce("sum", [j], apply("mul", load(x, [i, j]), load(x, [i, j])));
    const instance = await instantiate(
      programOf([kernel([i], [sum, map(y, [i], result(sum))])], { B: 50 }),
      true,
    );
    const values = noise(50 * k);
    instance.set(x, values);
    instance.run({ B: 50 });
    const all = instance.get(y, { B: 50 });
    for (const size of [1, 3, 4, 7]) {
      instance.set(y, new Float32Array(50));
      instance.run({ B: size });
      expect([...instance.get(y, { B: size })]).toEqual([...all.slice(0, size)]);
    }
  });
});

describe("rows with tiles", () => {
  const tileStage = (to: Buffer, axes: readonly LoopAxis[], value: Scalar): Stage => ({
    axes,
    over: [],
    combine: undefined,
    value,
    place: { kind: "tile", buffer: to },
  });
  const tileResult = (stage: Stage, index: readonly LoopAxis[]): Scalar => ({
    kind: "result",
    type: "f32",
    stage,
    index: index.map((a) => at(a)),
  });

  for (const width of [1, 5, 16, 67])
    test(`softmax of ${width}`, async () => {
      const rows = 7;
      const [x, y, tile] = [
        buffer("x", "f32", [rows, width]),
        buffer("y", "f32", [rows, width]),
        buffer("t", "f32", [width]),
      ];
      const i = axis("i", rows);
      const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => axis(name, width)) as [
        LoopAxis,
        LoopAxis,
        LoopAxis,
        LoopAxis,
      ];
      const most = reduce("max", [a], load(x, [i, a]));
      const exps = tileStage(tile, [b], apply("exp", apply("sub", load(x, [i, b]), result(most))));
      const sum = reduce("sum", [c], tileResult(exps, [c]));
      const scaled = apply("div", tileResult(exps, [d]), result(sum));
      const k = kernel([i], [most, exps, sum, map(y, [i, d], scaled, [d])]);
      await check([k], new Map([[x, noise(rows * width)]]), [y], { relative: width * 2 ** -21 });
    });

  test("a reduction into a tile, along and across", async () => {
    const [n, m, k] = [3, 9, 12];
    const [x, y] = [buffer("x", "f32", [n, m, k]), buffer("y", "f32", [n, m])];
    for (const over of ["last", "middle"] as const) {
      const tile = buffer("t", "f32", [over === "last" ? m : k]);
      const [i, j, l, o] = [axis("i", n), axis("j", m), axis("l", k), axis("o", m)];
      const stage: Stage = {
        axes: [over === "last" ? j : l],
        over: [over === "last" ? l : j],
        combine: "sum",
        value: load(x, [i, j, l]),
        place: { kind: "tile", buffer: tile },
      };
      const value = over === "last" ? tileResult(stage, [o]) : tileResult(stage, [o]);
      const kernels = [kernel([i], [stage, map(y, [i, o], value, [o])])];
      await check(kernels, new Map([[x, noise(n * m * k)]]), [y], { absolute: 2 ** -19 });
    }
  });
});
