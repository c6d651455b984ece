/** Functions that many kernels call: transcendental ones on scalars, pow, half floats, division of sizes. */
import { defineFunction } from "./function-builder.ts";
import type { Code, Expr } from "./code.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import { floorDivideName } from "./sizes.ts";
import { transcendental } from "./transcendental.ts";
import type { MathScope, VectorFunction } from "./transcendental.ts";

/** Calls of helpers; what has been called is defined by `define` at the end. */
export interface MathLibrary {
  /** the very same algorithm as the vector code, on one float */
  scalar(name: VectorFunction, x: Expr): Expr;
  vector(name: VectorFunction, x: Expr): Expr;
  pow(x: Expr, y: Expr): Expr;
  fromHalf(bits: Expr): Expr;
  toHalf(value: Expr): Expr;
  define(): void;
}

export function mathLibrary(code: Code): MathLibrary {
  const needed = new Map<string, () => void>();
  const need = (name: string, define: () => void): string => {
    needed.set(name, define);
    return name;
  };
  const vectorName = (name: VectorFunction): string =>
    need(`vector_${name}`, () =>
      defineFunction(code, `vector_${name}`, ["v128"], "v128", (fn) =>
        transcendental(scopeOf(fn), name, fn.parameters[0]!),
      ),
    );
  return {
    scalar: (name, x) =>
      code.lane("f32x4", code.call(vectorName(name), [code.op("f32x4.splat", x)], "v128"), 0),
    vector: (name, x) => code.call(vectorName(name), [x], "v128"),
    pow: (x, y) =>
      code.call(
        need("pow", () => definePow(code)),
        [x, y],
        "f32",
      ),
    fromHalf: (bits) =>
      code.call(
        need("from_half", () => defineFromHalf(code)),
        [bits],
        "f32",
      ),
    toHalf: (value) =>
      code.call(
        need("to_half", () => defineToHalf(code)),
        [value],
        "i32",
      ),
    define() {
      defineFloorDivide(code);
      for (const define of needed.values()) define();
    },
  };
}

function scopeOf(fn: FunctionBuilder): MathScope {
  const { code } = fn;
  const constants = new Map<string, Expr>();
  const once = (key: string, value: Expr): Expr => {
    let found = constants.get(key);
    if (found === undefined) constants.set(key, (found = fn.keep(value)));
    return found;
  };
  return {
    code,
    keep: (value) => fn.keep(value),
    splatFloat: (value) => once(`f${value}`, code.op("f32x4.splat", code.float(value))),
    splatInt: (value) => once(`i${value}`, code.op("i32x4.splat", code.int(value))),
  };
}

/** Rounds towards minus infinity; the divisor is positive. */
function defineFloorDivide(code: Code): void {
  defineFunction(code, floorDivideName, ["i32", "i32"], "i32", (fn) => {
    const [a, b] = [fn.parameters[0]!, fn.parameters[1]!];
    const quotient = fn.keep(code.op("i32.div_s", a, b));
    const remainder = code.op("i32.rem_s", a, b);
    return code.sub(quotient, code.op("i32.shr_u", remainder, code.int(31)));
  });
}

/**
 * x^y as 2^(y log2 x) in f64: log2 by atanh series of (m - 1) / (m + 1) for m in [0.75, 1.5), 2^z by Taylor series on
 * [-1/2, 1/2]. Edge cases as in ECMAScript: a NaN operand gives NaN but for y = 0.
 */
function definePow(code: Code): void {
  defineFunction(code, "pow", ["f32", "f32"], "f32", (fn) => {
    const [x, y] = [fn.parameters[0]!, fn.parameters[1]!];
    const d = (value: number): Expr => code.double(value);
    const size = fn.keep(code.op("f32.abs", x));
    const wide = fn.keep(code.op("f64.promote", y));
    // f32 normals and denormals: scale up by 2^24 when tiny
    const tiny = fn.keep(code.op("f32.lt", size, code.float(2 ** -126)));
    const scaled = fn.keep(
      code.op("i32.reinterpret", code.select(tiny, code.op("f32.mul", size, code.float(2 ** 24)), size)),
    );
    const exponent = fn.keep(
      code.op("i32.and", code.op("i32.sub", scaled, code.int(0x3f400000)), code.int(0xff800000 | 0)),
    );
    const m = fn.keep(
      code.op("f64.promote", code.op("f32.reinterpret", code.op("i32.sub", scaled, exponent))),
    );
    const whole = code.op(
      "i32.sub",
      code.op("i32.shr_s", exponent, code.int(23)),
      code.op("i32.mul", tiny, code.int(24)),
    );
    const s = fn.keep(code.op("f64.div", code.op("f64.sub", m, d(1)), code.op("f64.add", m, d(1))));
    const square = fn.keep(code.op("f64.mul", s, s));
    let series: Expr = d(1 / 17);
    for (let k = 15; k >= 1; k -= 2)
      series = code.op("f64.add", code.op("f64.mul", series, square), d(1 / k));
    const log2 = code.op(
      "f64.add",
      code.op("f64.convert_s.i32", whole),
      code.op("f64.mul", code.op("f64.mul", series, s), d(2 * Math.LOG2E)),
    );
    const power = fn.keep(
      code.op("f64.max", code.op("f64.min", code.op("f64.mul", wide, log2), d(200)), d(-200)),
    );
    const round = fn.keep(code.op("f64.nearest", power));
    const z = fn.keep(code.op("f64.mul", code.op("f64.sub", power, round), d(Math.LN2)));
    let e: Expr = d(1 / 3628800);
    let factorial = 3628800;
    for (let k = 10; k >= 1; k--) {
      factorial /= k;
      e = code.op("f64.add", code.op("f64.mul", e, z), d(1 / factorial));
    }
    const kept = fn.keep(e);
    // two exact powers of two, each a normal float
    const n = fn.keep(code.op("i32.trunc_s_sat.f64", round));
    const half = fn.keep(code.op("i32.shr_s", n, code.int(1)));
    const two = (k: Expr): Expr =>
      code.op(
        "f64.promote",
        code.op("f32.reinterpret", code.op("i32.shl", code.op("i32.add", k, code.int(127)), code.int(23))),
      );
    const result = fn.local("f32");
    fn.set(
      result,
      code.op(
        "f32.demote",
        code.op("f64.mul", code.op("f64.mul", kept, two(half)), two(code.op("i32.sub", n, half))),
      ),
    );
    const when = (condition: Expr, value: Expr): void => fn.when(condition, () => fn.set(result, value));
    const infinity = code.float(Infinity);
    const rising = fn.keep(code.op("f32.lt", code.float(0), y));
    when(code.op("f32.eq", size, code.float(0)), code.select(rising, code.float(0), infinity));
    when(code.op("f32.eq", size, infinity), code.select(rising, infinity, code.float(0)));
    // negative base: odd exponents keep the sign, fractions have no value
    const negative = code.op("i32.lt_s", code.op("i32.reinterpret", x), code.int(0));
    fn.when(negative, () => {
      const halfOfY = code.op("f64.mul", wide, d(0.5));
      const isWhole = fn.keep(code.op("f64.eq", code.op("f64.trunc", wide), wide));
      const isEven = fn.keep(code.op("f64.eq", code.op("f64.trunc", halfOfY), halfOfY));
      when(code.op("i32.and", isWhole, code.op("i32.eqz", isEven)), code.op("f32.neg", result));
      const proper = code.op(
        "i32.and",
        code.op("f32.lt", code.float(0), size),
        code.op("f32.lt", size, infinity),
      );
      when(code.op("i32.and", code.op("i32.eqz", isWhole), proper), code.float(NaN));
    });
    when(code.op("f32.ne", x, x), x);
    when(code.op("f32.ne", y, y), y);
    when(code.op("f32.eq", y, code.float(0)), code.float(1));
    return result;
  });
}

/** IEEE binary16 bits to f32: exponent moved by a multiplication, which also makes denormals right. */
function defineFromHalf(code: Code): void {
  defineFunction(code, "from_half", ["i32"], "f32", (fn) => {
    const bits = fn.parameters[0]!;
    const shifted = code.op("i32.shl", code.op("i32.and", bits, code.int(0x7fff)), code.int(13));
    const size = fn.keep(code.op("f32.mul", code.op("f32.reinterpret", shifted), code.float(2 ** 112)));
    const special = code.op("f32.le", code.float(65536), size);
    const raw = code.op(
      "i32.or",
      code.op("i32.reinterpret", size),
      code.select(special, code.int(0x7f800000), code.int(0)),
    );
    const sign = code.op("i32.shl", code.op("i32.and", bits, code.int(0x8000)), code.int(16));
    return code.op("f32.reinterpret", code.op("i32.or", raw, sign));
  });
}

/** f32 to the nearest binary16, ties to even; too large becomes infinite. */
function defineToHalf(code: Code): void {
  defineFunction(code, "to_half", ["f32"], "i32", (fn) => {
    const bits = fn.keep(code.op("i32.reinterpret", fn.parameters[0]!));
    const size = fn.keep(code.op("i32.and", bits, code.int(0x7fffffff)));
    const sign = code.op("i32.and", code.op("i32.shr_u", bits, code.int(16)), code.int(0x8000));
    const result = fn.local("i32");
    const odd = code.op("i32.and", code.op("i32.shr_u", size, code.int(13)), code.int(1));
    const rounded = code.add(code.add(size, code.int(0xfff)), odd);
    fn.set(result, code.op("i32.shr_u", code.op("i32.sub", rounded, code.int(112 << 23)), code.int(13)));
    // 65520 and more: infinite, NaN stays NaN
    fn.when(code.op("i32.ge_s", size, code.int(0x477ff000)), () => fn.set(result, code.int(0x7c00)));
    fn.when(code.op("i32.gt_s", size, code.int(0x7f800000)), () => fn.set(result, code.int(0x7e00)));
    // below 2^-14: adding 1/2 aligns and rounds the bits
    fn.when(code.op("i32.lt_s", size, code.int(0x38800000)), () => {
      const aligned = code.op("f32.add", code.op("f32.reinterpret", size), code.float(0.5));
      fn.set(result, code.op("i32.sub", code.op("i32.reinterpret", aligned), code.int(0x3f000000)));
    });
    return code.op("i32.or", result, sign);
  });
}
