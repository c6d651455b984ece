// Loop kernels built by hand, as wasm and in f64: tails, types, guards, gathers, reductions, rows, places.
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import type { Buffer, EntryProgram, Kernel, Program, Stage } from "../compiler/ir/kernel.ts";
import { apply, bool, f32, i32 } from "../compiler/ir/scalar.ts";
import type { LoopAxis, Scalar } from "../compiler/ir/scalar.ts";
import { listsOf } from "../compiler/lower/row-lists.ts";
import {
  at,
  axis,
  buffer,
  instantiate,
  kernel,
  layOut,
  load,
  map,
  noise,
  programOf,
  reduce,
  result,
} from "./support/wasm-run.ts";
import { check, integers } from "./support/wasm-check.ts";
import type { Values } from "./support/wasm-check.ts";

describe("maps", () => {
  for (const n of [0, 1, 3, 4, 5, 8, 17, 5000])
    test(`${n} elements`, async () => {
      const [x, y, i] = [buffer("x", "f32", [n]), buffer("y", "f32", [n]), axis("i", n)];
      const value = apply("add", apply("mul", load(x, [i]), f32(3)), f32(0.5));
      await check([kernel([i], [map(y, [i], value)])], new Map([[x, noise(n)]]), [y], { relative: 2 ** -22 });
    });

  test("single elements and vectors have the same bits", async () => {
    const n = 23;
    const [x, y, i] = [buffer("x", "f32", [n]), buffer("y", "f32", [n]), axis("i", n)];
    for (const name of ["exp", "tanh", "erf", "sigmoid", "log1p", "sin", "pow"] as const) {
      const operands = name === "pow" ? [load(x, [i]), f32(2.5)] : [load(x, [i])];
      const instance = await instantiate(
        programOf([kernel([i], [map(y, [i], apply(name, ...operands))])]),
        true,
      );
      instance.set(x, new Float32Array(n).fill(0.7123));
      instance.run();
      expect(new Set(instance.get(y)).size).toBe(1);
    }
  });

  test("transposed, broadcast and free sizes", async () => {
    const b = dim.symbol("B");
    const [x, bias, y] = [buffer("x", "f32", [7, b]), buffer("bias", "f32", [7]), buffer("y", "f32", [b, 7])];
    const [i, j] = [axis("i", b), axis("j", 7)];
    const k = kernel([i, j], [map(y, [i, j], apply("sub", load(x, [j, i]), load(bias, [j])))]);
    for (const size of [1, 2, 6, 33]) {
      const given = new Map([
        [x, noise(7 * size)],
        [bias, noise(7, 4)],
      ]);
      await check([k], given, [y], { relative: 2 ** -23, dims: { B: size }, max: { B: 40 } });
    }
  });

  test("several stores, a shared register, in place", async () => {
    const n = 37;
    const [x, y, z, i] = [
      buffer("x", "f32", [n]),
      buffer("y", "f32", [n]),
      buffer("z", "f32", [n]),
      axis("i", n),
    ];
    const sum: Stage = {
      axes: [],
      over: [],
      combine: undefined,
      value: apply("add", load(x, [i]), load(y, [i])),
      place: { kind: "register" },
    };
    const k = kernel([i], [sum, map(x, [i], apply("mul", result(sum), f32(2))), map(z, [i], result(sum))]);
    const given = new Map([
      [x, noise(n)],
      [y, noise(n, 2)],
    ]);
    await check([k], given, [x, z], { relative: 2 ** -23 });
  });

  test("all types of elements", async () => {
    const n = 21;
    const i = axis("i", n);
    const u8 = buffer("u8", "u8", [n]);
    const flags = buffer("flags", "bool", [n]);
    const ints = buffer("ints", "i32", [n]);
    const half = buffer("half", "f16", [n]);
    const out = {
      f32: buffer("o_f32", "f32", [n]),
      i32: buffer("o_i32", "i32", [n]),
      u8: buffer("o_u8", "u8", [n]),
      bool: buffer("o_bool", "bool", [n]),
      f16: buffer("o_f16", "f16", [n]),
    };
    const byte = load(u8, [i]);
    const flag = load(flags, [i]);
    const int = load(ints, [i]);
    const odd = apply("eq_i32", apply("and_i32", byte, i32(1)), i32(1));
    const either = apply("or", flag, odd);
    const k = kernel(
      [i],
      [
        map(out.f32, [i], apply("add", apply("i32_to_f32", byte), apply("bool_to_f32", flag))),
        map(
          out.i32,
          [i],
          apply("select_i32", either, apply("mul_i32", int, byte), apply("shift_left", int, i32(3))),
        ),
        map(out.u8, [i], apply("add_i32", byte, apply("bool_to_i32", apply("not", flag)))),
        map(out.bool, [i], apply("and", either, apply("le_i32", int, i32(4)))),
        map(out.f16, [i], apply("mul", load(half, [i]), f32(0.5))),
      ],
    );
    const given = new Map([
      [u8, integers(n, 250)],
      [flags, integers(n, 2)],
      [ints, integers(n, 1000).map((x) => x - 500)],
      [half, noise(n, 5).map((x) => Math.round(x * 64) / 64)],
    ]);
    await check([k], given, Object.values(out));
  });

  test("half floats round to nearest even, with their edges", async () => {
    const values = [
      0,
      -0,
      1,
      65504,
      65519,
      65520,
      1e6,
      2 ** -24,
      2 ** -25,
      1.5 * 2 ** -24,
      2 ** -14,
      0.1,
      -0.1,
    ];
    const more = [...noise(51, 3)].map((x) => x * 2 ** -10);
    const all = Float32Array.from([...values, ...more]);
    const n = all.length;
    const [x, y, z, i] = [
      buffer("x", "f32", [n]),
      buffer("y", "f16", [n]),
      buffer("z", "f32", [n]),
      axis("i", n),
    ];
    const j = axis("j", n);
    const kernels = [kernel([i], [map(y, [i], load(x, [i]))]), kernel([j], [map(z, [j], load(y, [j]))])];
    const instance = await instantiate(programOf(kernels), false);
    instance.set(x, all);
    instance.run();
    expect([...instance.get(z)]).toEqual([...new Float16Array(all)]);
  });

  test("conditions, index and inside", async () => {
    const [h, w] = [5, 13];
    const [x, y] = [buffer("x", "f32", [h, w]), buffer("y", "f32", [h, w])];
    const [i, j] = [axis("i", h), axis("j", w)];
    const index: Scalar = { kind: "index", type: "i32", index: at([i, 13], [j, 2], -3) };
    const inside: Scalar = {
      kind: "inside",
      type: "bool",
      index: [at(i, -1), at([j, 2], -6)],
      shape: [dim.constant(3), dim.constant(9)],
    };
    const value = apply("select", inside, apply("add", load(x, [i, j]), apply("i32_to_f32", index)), f32(-1));
    await check([kernel([i, j], [map(y, [i, j], value)])], new Map([[x, noise(h * w)]]), [y], {
      relative: 2 ** -22,
    });
  });
});

describe("loads", () => {
  test("guarded along rows and along lanes, rising and falling", async () => {
    const [h, w] = [6, 19];
    const x = buffer("x", "f32", [h, w]);
    const [i, j] = [axis("i", h), axis("j", w)];
    const shifts = [
      [at(i, -2), at(j, 3)],
      [at(i, 1), at(j, -5)],
      [at(i), at([j, 2], -7)],
      [at(i), at([j, -1], 15)],
      [at(i, -9), at(j)],
    ] as const;
    for (const [row, column] of shifts) {
      const y = buffer("y", "f32", [h, w]);
      const value = apply("add", load(x, [row, column], [0, 1]), f32(1));
      await check([kernel([i, j], [map(y, [i, j], value)])], new Map([[x, noise(h * w)]]), [y], {
        relative: 2 ** -23,
      });
    }
  });

  test("a concat of two ranges", async () => {
    const [a, b, y] = [buffer("a", "f32", [3, 6]), buffer("b", "f32", [3, 5]), buffer("y", "f32", [3, 11])];
    const [i, j] = [axis("i", 3), axis("j", 11)];
    const value = apply("add", load(a, [i, at(j)], [1]), load(b, [i, at(j, -6)], [1]));
    const given = new Map([
      [a, noise(18)],
      [b, noise(15, 2)],
    ]);
    await check([kernel([i, j], [map(y, [i, j], value)])], given, [y], { relative: 2 ** -24 });
  });

  test("gathers of rows and of single elements, clamped", async () => {
    const [rows, width, n] = [7, 10, 9];
    const [table, ids, y, z] = [
      buffer("table", "f32", [rows, width]),
      buffer("ids", "i32", [n]),
      buffer("y", "f32", [n, width]),
      buffer("z", "f32", [n]),
    ];
    const [i, j, m] = [axis("i", n), axis("j", width), axis("m", n)];
    const id = (at_: LoopAxis) => ({ kind: "computed", value: load(ids, [at_]) }) as const;
    const kernels = [
      kernel([i, j], [map(y, [i, j], load(table, [id(i), j]))]),
      kernel([m], [map(z, [m], load(table, [id(m), id(m)]))]),
    ];
    const given: Values = new Map<Buffer, ArrayLike<number>>([
      [table, noise(rows * width)],
      [ids, [0, 6, 3, 3, -5, 100, 1, 2, 5]],
    ]);
    await check(kernels, given, [y, z]);
  });

  test("positions computed as a clamped row times its width plus a step, and rows added back", async () => {
    const [rows, width, n] = [7, 20, 9];
    const [table, ids, y, back] = [
      buffer("table", "f32", [rows * width + 3]),
      buffer("ids", "i32", [n]),
      buffer("y", "f32", [n, width]),
      buffer("back", "f32", [rows, width]),
    ];
    const [i, j, v, e, m] = [axis("i", n), axis("j", width), axis("v", rows), axis("e", width), axis("m", n)];
    const rowOf = (a: LoopAxis): Scalar =>
      apply("min_i32", apply("max_i32", load(ids, [a]), i32(0)), i32(rows - 1));
    const index = (a: LoopAxis): Scalar => ({ kind: "index", type: "i32", index: at(a) });
    const position = apply("add_i32", index(j), apply("mul_i32", rowOf(i), i32(width)));
    const mine = apply("eq_i32", rowOf(m), index(v));
    const sum = reduce("sum", [m], apply("select", mine, load(y, [m, e]), f32(0)));
    const kernels = [
      kernel([i, j], [map(y, [i, j], load(table, [{ kind: "computed", value: position }]))]),
      kernel([v, e], [sum, map(back, [v, e], result(sum))]),
    ];
    const given: Values = new Map<Buffer, ArrayLike<number>>([
      [table, noise(rows * width + 3)],
      [ids, [0, 6, 3, 3, -5, 100, 1, 2, 5]],
    ]);
    await check(kernels, given, [y, back], { absolute: 2 ** -22 });
  });

  test("rows added into a table go through the list of their row, whatever else the kernel does", async () => {
    const [rows, width] = [9, 21];
    const ids = buffer("ids", "i32", [dim.symbol("B"), 5]);
    const values = buffer("values", "f32", [dim.symbol("B"), 5, width]);
    const base = buffer("base", "f32", [rows, width]);
    const [out, doubled] = [buffer("out", "f32", [rows, width]), buffer("doubled", "f32", [rows, width])];
    const [r, c, b, t] = [axis("r", rows), axis("c", width), axis("b", dim.symbol("B")), axis("t", 5)];
    const clamped = apply("min_i32", apply("max_i32", load(ids, [b, t]), i32(0)), i32(rows - 1));
    const mine = apply("eq_i32", clamped, { kind: "index", type: "i32", index: at(r) });
    // read from the last step to the first, so that the two loops cannot be run as one
    const value = load(values, [at(b), at(4, [t, -1]), at(c)]);
    const sum = reduce("sum", [b, t], apply("select", mine, value, f32(0)));
    const made = apply("add", load(base, [r, c]), result(sum));
    const stages = [sum, map(out, [r, c], made), map(doubled, [r, c], apply("add", made, result(sum)))];
    const scratch = (label: string, shape: readonly dim.Dim[]): Buffer => buffer(label, "i32", shape);
    const lists = listsOf([r, c], stages, scratch);
    expect(lists.map(({ stage, row }) => [stage, row])).toEqual([[0, r]]);
    const listed: Kernel = { ...kernel([r, c], stages), lists };
    for (const batch of [1, 7]) {
      // some outside, some rows without any
      const given: Values = new Map<Buffer, ArrayLike<number>>([
        [ids, Array.from({ length: 5 * batch }, (_, i) => ((i * 7) % 13) - 2)],
        [values, noise(5 * batch * width)],
        [base, noise(rows * width, 2)],
      ]);
      await check([listed], given, [out, doubled], { relative: 1e-6, absolute: 1e-6, dims: { B: batch } });
    }
    const plain = { ...map(out, [r, c], result(sum)) };
    for (const other of [
      reduce("sum", [b, t], apply("select", mine, value, f32(1))),
      reduce("max", [b, t], apply("select", mine, value, f32(0))),
      reduce("sum", [b, t], apply("select", apply("lt_i32", clamped, i32(3)), value, f32(0))),
    ])
      expect(listsOf([r, c], [other, plain], scratch)).toEqual([]);
  });

  test("a gather inside a reduction is placed where its loops are", async () => {
    const [n, k] = [11, 3];
    const [table, ids, y] = [
      buffer("table", "f32", [20]),
      buffer("ids", "i32", [k, n]),
      buffer("y", "f32", [n]),
    ];
    const [i, j] = [axis("i", n), axis("j", k)];
    const value = load(table, [{ kind: "computed", value: load(ids, [j, i]) }]);
    const sum = reduce("sum", [j], value);
    const given = new Map([
      [table, noise(20)],
      [ids, integers(n * k, 20)],
    ]);
    await check([kernel([i], [sum, map(y, [i], result(sum))])], given, [y], { absolute: 2 ** -22 });
  });
});

describe("programs", () => {
  test("constants, copies and addresses above 2 GiB", async () => {
    const table: Buffer = {
      ...buffer("table", "f32", [5]),
      kind: { kind: "constant", value: { dtype: "f32", shape: [5], data: Float64Array.of(1, 2, 3, 4, 5) } },
    };
    const flags: Buffer = {
      ...buffer("flags", "bool", [5]),
      kind: { kind: "constant", value: { dtype: "bool", shape: [5], data: Float64Array.of(1, 0, 1, 1, 0) } },
    };
    const [x, y, state, i] = [
      buffer("x", "f32", [5]),
      buffer("y", "f32", [5]),
      buffer("s", "f32", [5]),
      axis("i", 5),
    ];
    const value = apply("select", load(flags, [i]), apply("mul", load(x, [i]), load(table, [i])), f32(0));
    const entry: EntryProgram = {
      name: "run",
      dims: [],
      steps: [{ kind: "kernel", kernel: kernel([i], [map(y, [i], value)]) }],
      inputs: [],
      outputs: [],
      copies: [{ from: y, to: state }],
    };
    const near = layOut([entry]);
    const far = dim.constant(2 ** 31 + 65536);
    const places = new Map(
      [...near.places].map(([b, place]) => [b, b.kind.kind === "constant" ? place : dim.add(place, far)]),
    );
    const bytes = new Map([...near.bytes].map(([e, size]) => [e, dim.add(size, far)]));
    for (const program of [near, { ...near, places, bytes } satisfies Program]) {
      const instance = await instantiate(program, true);
      instance.set(x, [1, 1, 2, 2, 2]);
      instance.run();
      expect([...instance.get(state)]).toEqual([1, 0, 6, 8, 0]);
    }
  });

  test("functions stay small", async () => {
    const n = 64;
    const [x, y, i] = [buffer("x", "f32", [n]), buffer("y", "f32", [n]), axis("i", n)];
    let value: Scalar = load(x, [i]);
    for (let depth = 0; depth < 12; depth++) value = apply("tanh", apply("add", value, apply("exp", value)));
    const guard = apply("select", bool(true), value, f32(0));
    const instance = await instantiate(programOf([kernel([i], [map(y, [i], guard)])]), false);
    expect(instance.largestFunctionBytes).toBeLessThan(20_000);
  });
});
