// Errors of the wasm scalar instructions against f64, over the whole range of floats, printed as a table.
import { describe, expect, test } from "vitest";
import { apply, instructions } from "../compiler/ir/scalar.ts";
import type { Instruction } from "../compiler/ir/scalar.ts";
import { axis, buffer, instantiate, kernel, load, map, programOf } from "./support/wasm-run.ts";

/** erf by its series, and by the continued fraction of erfc where that is small */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size >= 2.5) {
    let fraction = 0;
    for (let k = 120; k >= 1; k--) fraction = k / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const exact: Partial<Record<Instruction, (x: number, y: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  erf,
  sin: Math.sin,
  cos: Math.cos,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  pow: Math.pow,
};

/** Spacing of floats at |x|. */
function ulpOf(x: number): number {
  return 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) - 23, -149);
}

/** Floats spread evenly over bit patterns, both signs, and edges. */
const everywhere = ((): Float32Array => {
  const bits = new Uint32Array(1 << 17);
  for (let i = 0; i < bits.length; i++) bits[i] = Math.imul(i, 32749) + (i & 7);
  const edges = [
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    NaN,
    2 ** -149,
    88.72,
    88.73,
    -87.34,
    -103.9,
    -104,
    0.625,
  ];
  return Float32Array.from([...new Float32Array(bits.buffer), ...edges]);
})();

function range(low: number, high: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

const sines = range(-100 * Math.PI, 100 * Math.PI, 1 << 17);
const powers = ((): { readonly x: Float32Array; readonly y: Float32Array } => {
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < 1 << 16; i++) {
    x.push(2 ** ((((i * 37) % 1000) / 1000) * 40 - 20) * (i % 11 === 0 ? -1 : 1));
    y.push(i % 5 === 0 ? ((i * 7) % 21) - 10 : (((i * 101) % 997) / 997) * 12 - 6);
  }
  const specials = [0, -0, 1, -1, 2, -2, 0.5, Infinity, -Infinity, NaN, 3];
  for (const a of specials) for (const b of specials) (x.push(a), y.push(b));
  return { x: Float32Array.from(x), y: Float32Array.from(y) };
})();

interface Measured {
  readonly ulp: number;
  readonly at: number;
  readonly wrong: readonly string[];
}

async function measure(name: Instruction, relaxed: boolean): Promise<Measured> {
  const trigonometric = name === "sin" || name === "cos";
  const x = trigonometric ? sines : name === "pow" ? powers.x : everywhere;
  const y = name === "pow" ? powers.y : x;
  const i = axis("i", x.length);
  const from = buffer("x", "f32", [x.length]);
  const second = buffer("y", "f32", [x.length]);
  const to = buffer("z", "f32", [x.length]);
  const operands =
    instructions[name].operands.length === 2 ? [load(from, [i]), load(second, [i])] : [load(from, [i])];
  const instance = await instantiate(
    programOf([kernel([i], [map(to, [i], apply(name, ...operands))])]),
    relaxed,
  );
  instance.set(from, x);
  if (name === "pow") instance.set(second, y);
  instance.run();
  const got = instance.get(to);
  const want = exact[name]!;
  let ulp = 0;
  let where = 0;
  const wrong: string[] = [];
  for (let k = 0; k < x.length; k++) {
    const right = want(x[k]!, y[k]!);
    const rounded = Math.fround(right);
    if (Number.isNaN(right) || !Number.isFinite(rounded) || rounded === 0) {
      const near = rounded === 0 && Math.abs(got[k]!) <= 2 ** -149;
      const overflown = !Number.isFinite(rounded) && Number.isFinite(right) && Math.abs(got[k]!) > 3.40282e38;
      if (!Object.is(got[k], rounded) && !(rounded === 0 && got[k] === 0) && !near && !overflown)
        wrong.push(`${name}(${x[k]}${name === "pow" ? `, ${y[k]}` : ""}) = ${got[k]}, not ${rounded}`);
      continue;
    }
    const error = Math.abs(got[k]! - right) / (trigonometric ? 2 ** -24 : ulpOf(right));
    if (!(error <= ulp)) {
      ulp = Number.isNaN(error) ? Infinity : error;
      where = x[k]!;
    }
  }
  return { ulp, at: where, wrong };
}

describe("transcendental functions", () => {
  const table: string[] = [];
  for (const name of Object.keys(exact) as Instruction[])
    test(`${name} keeps its bound`, async () => {
      for (const relaxed of [false, true]) {
        const { ulp, at, wrong } = await measure(name, relaxed);
        table.push(
          `${name.padEnd(11)} ${relaxed ? "relaxed" : "strict "} ${ulp.toFixed(2).padStart(6)} at ${at}`,
        );
        expect(wrong.slice(0, 5)).toEqual([]);
        expect(ulp).toBeLessThanOrEqual(instructions[name].ulp);
      }
    });
  test("prints what was measured", () => {
    console.log(["largest error in ULP (sin, cos: in 2^-24)", ...table].join("\n"));
    expect(table.length).toBe(2 * Object.keys(exact).length);
  });
});
