/** Every op: its examples, its text, and what it refuses. */
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import { tensorType } from "../compiler/ir/type.ts";
import { errorFunction } from "../compiler/ops/erf.ts";
import { opNamed, ops } from "../compiler/ops/index.ts";
import { threefry, threefryCode } from "../compiler/ops/random-bits.ts";
import { i32 } from "../compiler/ir/scalar.ts";
import { difference } from "./support/graphs.ts";
import type { Scalar } from "../compiler/ir/scalar.ts";
import type { Attributes } from "../compiler/ir/op.ts";
import type { TensorType } from "../compiler/ir/type.ts";

describe("the vocabulary", () => {
  test("has one op for each name, each with a sentence, examples and a gradient or a reason", () => {
    expect(new Set(ops.map((op) => op.name)).size).toBe(ops.length);
    for (const op of ops) {
      expect(opNamed(op.name)).toBe(op);
      expect(op.summary, op.name).toMatch(/^[A-Z0-9(\w].*\.$/);
      expect(op.examples.length, op.name).toBeGreaterThan(0);
      if (typeof op.gradient === "object") expect(op.gradient.none, op.name).not.toBe("");
    }
  });
});

describe("examples", () => {
  for (const op of ops) {
    test(op.name, () => {
      for (const { operands, attributes, results } of op.examples) {
        const types = op.infer(
          operands.map((each) => tensorType(each.dtype, each.shape)),
          attributes,
        );
        if ("mismatch" in types) throw new Error(types.mismatch);
        const expectedTypes = types.map(({ dtype, shape }) => ({
          dtype,
          shape: shape.map((size) => dim.evaluate(size, new Map())),
        }));
        const found = op.evaluate(operands, attributes, { sizes: new Map(), results: expectedTypes });
        expect(found.length).toBe(results.length);
        results.forEach((expected, i) => {
          expect({ dtype: expected.dtype, shape: expected.shape }).toEqual(expectedTypes[i]);
          expect(difference(found[i]!, expected, 4e-16)).toBeUndefined();
        });
      }
    });
  }
});

describe("what ops refuse", () => {
  const f = (...shape: (number | dim.Dim)[]): TensorType => tensorType("f32", shape);
  const b = dim.symbol("B");
  const refused: readonly (readonly [string, readonly TensorType[], Attributes, RegExp])[] = [
    ["add", [f(2), f(3)], {}, /shapes .* differ/],
    ["add", [f(2), tensorType("i32", [2])], {}, /takes/],
    ["exp", [tensorType("u8", [2])], {}, /takes/],
    ["select", [f(2), f(2), f(2)], {}, /takes/],
    ["expand", [f(2)], { shape: [dim.constant(3)], axes: [0] }, /size/],
    ["expand", [f(2, 2)], { shape: [dim.constant(2), dim.constant(2)], axes: [1, 0] }, /rise/],
    ["reorder", [f(2, 3)], { permutation: [0, 0] }, /every axis/],
    ["split", [f(b)], { axis: 0, sizes: [dim.constant(2), dim.constant(2)] }, /not the size/],
    ["merge", [f(2)], { axis: 0, count: 2 }, /no axes/],
    ["slice", [f(3)], { axis: 0, start: dim.constant(2), size: dim.constant(2) }, /not within/],
    ["pad", [f(3)], { axis: 0, before: dim.constant(-1), after: dim.zero }, /negative/],
    ["concat", [f(2, 1), f(3, 1)], { axis: 1 }, /differ/],
    ["reduce", [f(2, 0)], { axes: [1], combine: "max" }, /of nothing/],
    ["arg_reduce", [f(0)], { axis: 0, combine: "argmin" }, /of nothing/],
    ["gather", [f(0, 2), tensorType("i32", [1])], {}, /no rows/],
    ["scatter_add", [f(3, 2), tensorType("i32", [4]), f(3, 2)], {}, /shape/],
    ["update_slice", [f(4), f(2), f()], { axis: 0 }, /i32/],
    ["update_slice", [f(4, 2), f(2, 3), tensorType("i32", [])], { axis: 0 }, /differ/],
    ["window_max", [f(4)], { windows: [[0, 2, 1, 2, 0]] }, /padding/],
    ["window_max", [f(4)], { windows: [[0, 5, 1, 0, 0]] }, /fit/],
    [
      "window_max",
      [f(40, 40)],
      {
        windows: [
          [0, 17, 1, 0, 0],
          [1, 17, 1, 0, 0],
        ],
      },
      /256/,
    ],
    ["index", [f(2)], { axes: [dim.constant(2)], result: 1, maps: [[]] }, /maps/],
    ["random_bits", [f(), f(), f()], { key: 1, shape: [] }, /rank 0/],
    ["cast", [f()], { dtype: "f64" }, /dtype/],
  ];
  for (const [name, operands, attributes, reason] of refused) {
    test(`${name}: ${reason.source}`, () => {
      const found = opNamed(name)!.infer(operands, attributes);
      if (!("mismatch" in found)) throw new Error(`${name} took it`);
      expect(found.mismatch).toMatch(reason);
    });
  }
});

describe("Threefry-2x32, 20 rounds", () => {
  /** Known answers of the authors' Random123: counter, key, result. */
  const known = [
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const;

  /** Runs scalar code over constants, each shared part once. */
  function run(code: Scalar, done = new Map<Scalar, number>()): number {
    const before = done.get(code);
    if (before !== undefined) return before;
    const value = compute(code, done);
    done.set(code, value);
    return value;
  }

  function compute(code: Scalar, done: Map<Scalar, number>): number {
    if (code.kind === "constant") return code.value;
    if (code.kind !== "apply") throw new Error(code.kind);
    const [x, y] = code.operands.map((operand) => run(operand, done));
    switch (code.instruction) {
      case "add_i32":
        return (x! + y!) | 0;
      case "xor_i32":
        return x! ^ y!;
      case "or_i32":
        return x! | y!;
      case "shift_left":
        return x! << y!;
      case "shift_right_unsigned":
        return (x! >>> y!) | 0;
      default:
        throw new Error(code.instruction);
    }
  }

  test.each(known)("counter %j, key %j", (counter, key, result) => {
    expect(threefry(key, counter).map((word) => word >>> 0)).toEqual(result);
    const code = threefryCode([i32(key[0]), i32(key[1])], [i32(counter[0]), i32(counter[1])]);
    expect(code.map((word) => run(word) >>> 0)).toEqual(result);
  });
});

describe("erf", () => {
  // from tables of 16 digits
  test.each([
    [0.1, 0.1124629160182849],
    [1.5, 0.9661051464753108],
    [2.5, 0.999593047982555],
    [3.5, 0.9999992569016276],
    [5.5, 0.9999999999999927],
    [1e-10, 1.1283791670955126e-10],
  ])("erf(%f)", (x, expected) => {
    expect(Math.abs(errorFunction(x) - expected) / expected).toBeLessThan(1e-15);
    expect(errorFunction(-x)).toBe(-errorFunction(x));
  });
});
