/** Errors of the WGSL scalar instructions against f64, over the floats that a device keeps apart from 0. */
import { expect, test } from "vitest";
import { ulpOnWgsl } from "../compiler/backends/wgsl/instructions.ts";
import { apply, instructions, type Instruction } from "../compiler/ir/scalar.ts";
import { webgpuLayout } from "../compiler/lower/layout.ts";
import { errorFunction } from "../compiler/ops/erf.ts";
import { axis, buffer, kernel, load, map, programOf } from "./support/wasm-run.ts";
import { openGpuRun } from "./support/wgsl-run.ts";

const meaning: Partial<Record<Instruction, (x: number, y: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  erf: errorFunction,
  sin: Math.sin,
  cos: Math.cos,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  div: (x, y) => x / y,
  pow: Math.pow,
};
const names = Object.keys(meaning) as Instruction[];

const count = 1 << 14;
const smallest = 2 ** -126;
const largest = 3.4028234663852886e38;

/** both signs, evenly over exponents; of waves within 100 pi, of two operands moderate ones */
function operandsOf(name: Instruction): readonly [Float32Array, Float32Array] {
  const spread = (low: number, high: number, n: number, i: number): number =>
    2 ** (low + ((high - low) * ((i * n) % count)) / count);
  const wave = name === "sin" || name === "cos";
  const moderate = name === "pow" || name === "div";
  const positive = name === "pow";
  const x = Float32Array.from({ length: count }, (_, i) => {
    if (wave) return 100 * Math.PI * ((2 * i) / count - 1);
    const size = moderate ? spread(-20, 20, 37, i) : spread(-125, 127, 7919, i);
    return i % 2 === 0 || positive ? size : -size;
  });
  return [x, Float32Array.from({ length: count }, (_, i) => ((i * 101) % 997) / 80 - 6)];
}

test("every function keeps the bound that is stated", async () => {
  const i = axis("i", count);
  const cases = names.map((name) => {
    const [from, second, to] = ["x", "y", "z"].map((each) => buffer(`${each}_${name}`, "f32", [count]));
    const both = instructions[name].operands.length === 2;
    const value = apply(name, load(from!, [i]), ...(both ? [load(second!, [i])] : []));
    return { name, from: from!, second: second!, to: to!, kernel: kernel([i], [map(to!, [i], value)]) };
  });
  const program = programOf(cases.map((each) => each.kernel));
  const gpu = await openGpuRun(program, webgpuLayout(program.entries), new Map());
  for (const { name, from, second } of cases) {
    const [x, y] = operandsOf(name);
    gpu.write("run", from, x);
    if (instructions[name].operands.length === 2) gpu.write("run", second, y);
  }
  const found = await gpu.run(
    "run",
    new Map(),
    cases.map(({ to }) => to),
  );
  const lines: string[] = [];
  const tooFar: string[] = [];
  for (const { name, to } of cases) {
    const [x, y] = operandsOf(name);
    const got = found.get(to)!;
    let worst = 0;
    for (let k = 0; k < count; k++) {
      const [a, b] = [x[k]!, y[k]!];
      const right = meaning[name]!(a, b);
      // what is no finite number is not promised, what is very small may be 0
      if (!(Math.abs(right) <= largest) || Math.abs(right) < smallest) continue;
      const unit =
        name === "sin" || name === "cos" ? 2 ** -24 : 2 ** (Math.floor(Math.log2(Math.abs(right))) - 23);
      const more = name === "pow" ? 3 * Math.abs(b * Math.log2(a)) : 0;
      const error = Math.abs(got[k]! - right) / unit - more;
      if (!(error <= worst)) worst = error;
      if (!(error <= ulpOnWgsl(name))) tooFar.push(`${name}(${a}, ${b}) is ${got[k]}, not ${right}`);
    }
    lines.push(`${name.padEnd(11)} ${worst.toFixed(2).padStart(6)} of ${ulpOnWgsl(name)}`);
  }
  process.stdout.write(`largest errors on this adapter, in ULP (sin, cos: in 2^-24)\n${lines.join("\n")}\n`);
  expect(tooFar.slice(0, 10)).toEqual([]);
  gpu.program.destroy();
});
