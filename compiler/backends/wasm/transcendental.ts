/**
 * Transcendental functions on four floats. Polynomials are minimax fits (Remez exchange, relative error of the result
 * as weight) made for these intervals; reductions follow Cody and Waite, "Software Manual for the Elementary Functions".
 * A NaN operand gives NaN. Measured errors: test/wasm-math.test.ts.
 */
import type { Code, Expr } from "./code.ts";

export type VectorFunction =
  "exp" | "expm1" | "log" | "log1p" | "tanh" | "sigmoid" | "softplus" | "erf" | "sin" | "cos";

/** Where the code goes: how to keep a value, and constants that are splat once outside of hot loops. */
export interface MathScope {
  readonly code: Code;
  keep(value: Expr): Expr;
  splatFloat(value: number): Expr;
  splatInt(value: number): Expr;
}

const log2e = Math.LOG2E;
/** ln 2 = high + low; high has 9 bits, so that its product with an exponent is exact */
const ln2High = 0.693359375;
const ln2Low = -2.12194440054691e-4;
/** 1.5 * 2^23: adding it rounds to a whole number, which then stands in the low bits */
const rounder = 12582912;
const rounderBits = 0x4b400000;

const expTail = [0.49999994, 0.166665211, 0.041668389, 0.00836871564, 0.00138146023];
const expm1Tail = [0.5, 0.166665435, 0.0416662805, 0.00836658198, 0.00139464485];
const log1pTail = [
  0.333334476, -0.250001937, 0.199910909, -0.166437432, 0.144677043, -0.131868914, 0.105827764, -0.0461674556,
];
const tanhTail = [-0.333332837, 0.133314908, -0.0537433848, 0.0206502005, -0.00571659254];
/** erf(x) / x as a quotient of polynomials in x^2 on [-3.95, 3.95], fitted to the largest relative error of 2e-8 */
const erfTop = [1.1283791, 0.191550106, 0.0528754182, 0.0038081524, 0.00028468747, 0.00000202592521];
const erfBottom = [1, 0.503089547, 0.114559539, 0.0150550725, 0.00117072375, 0.0000378317964];
/** where erf is 1 to the last bit but one */
const erfEnd = 3.95;
const sinTail = [-0.166666672, 0.00833332911, -0.000198392343, 0.00000271735917];
const cosTail = [0.0416666456, -0.00138872885, 0.0000244292132];

interface Toolbox extends MathScope {
  add(a: Expr, b: Expr): Expr;
  sub(a: Expr, b: Expr): Expr;
  mul(a: Expr, b: Expr): Expr;
  polynomial(x: Expr, coefficients: readonly number[]): Expr;
}

function toolbox(scope: MathScope): Toolbox {
  const { code } = scope;
  return {
    ...scope,
    keep: scope.keep,
    add: (a, b) => code.op("f32x4.add", a, b),
    sub: (a, b) => code.op("f32x4.sub", a, b),
    mul: (a, b) => code.op("f32x4.mul", a, b),
    polynomial(x, coefficients) {
      let sum = scope.splatFloat(coefficients.at(-1)!);
      for (let i = coefficients.length - 2; i >= 0; i--)
        sum = code.madd(sum, x, scope.splatFloat(coefficients[i]!));
      return sum;
    },
  };
}

/** x = n ln 2 + r with whole n and |r| <= ln 2 / 2; x within [-104, 89]. */
function splitExponent(t: Toolbox, x: Expr): { readonly n: Expr; readonly r: Expr } {
  const { code } = t;
  const shifted = t.keep(code.madd(x, t.splatFloat(log2e), t.splatFloat(rounder)));
  const n = t.keep(code.op("i32x4.sub", shifted, t.splatInt(rounderBits)));
  const whole = t.keep(t.sub(shifted, t.splatFloat(rounder)));
  const high = code.madd(whole, t.splatFloat(-ln2High), x);
  const r = t.keep(code.madd(whole, t.splatFloat(-ln2Low), high));
  return { n, r };
}

/** 2^n for n in [-126, 127] */
function powerOfTwo(t: Toolbox, n: Expr): Expr {
  const { code } = t;
  return code.op("i32x4.shl", code.op("i32x4.add", n, t.splatInt(127)), code.int(23));
}

function clampExponent(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  return t.keep(code.op("f32x4.pmin", code.op("f32x4.pmax", x, t.splatFloat(-104)), t.splatFloat(89)));
}

function exp(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const { n, r } = splitExponent(t, clampExponent(t, x));
  const square = t.mul(r, r);
  const p = code.madd(t.polynomial(r, expTail), square, t.add(r, t.splatFloat(1)));
  // two factors, so that results below 2^-126 and above 2^127 come out right
  const half = t.keep(code.op("i32x4.shr_s", n, code.int(1)));
  const rest = code.op("i32x4.sub", n, half);
  return t.mul(t.mul(p, powerOfTwo(t, half)), powerOfTwo(t, rest));
}

/** 2^n expm1(r) + (2^n - 1): no digits cancel but those of the result itself */
function expm1(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const { n, r } = splitExponent(t, clampExponent(t, x));
  const square = t.mul(r, r);
  const p = t.keep(code.madd(t.polynomial(r, expm1Tail), square, r));
  // 2 (2^(n-1) p + 2^(n-1) - 1/2)
  const lowest = code.op("i32x4.max_s", code.op("i32x4.sub", n, t.splatInt(1)), t.splatInt(-126));
  const scale = t.keep(powerOfTwo(t, lowest));
  const sum = t.add(t.mul(scale, p), t.sub(scale, t.splatFloat(0.5)));
  const small = code.op("i32x4.eq", n, t.splatInt(0));
  return code.op("v128.bitselect", p, t.mul(sum, t.splatFloat(2)), t.keep(small));
}

/** log(1 + f) + e ln 2 for f in [-0.25, 0.5] */
function logOf(t: Toolbox, f: Expr, e: Expr): Expr {
  const { code } = t;
  const square = t.keep(t.mul(f, f));
  const cube = t.mul(square, f);
  const tail = code.madd(t.polynomial(f, log1pTail), cube, t.mul(e, t.splatFloat(ln2Low)));
  const low = code.madd(square, t.splatFloat(-0.5), tail);
  return code.madd(e, t.splatFloat(ln2High), t.add(f, low));
}

/** IEEE results of a logarithm at operands where it has no finite one; `from` is 0 or -1. */
function logEdges(t: Toolbox, x: Expr, from: number, value: Expr): Expr {
  const { code } = t;
  const finite = code.op("f32x4.lt", x, t.splatFloat(Infinity));
  const atPole = code.op("f32x4.eq", x, t.splatFloat(from));
  const below = code.op("f32x4.lt", x, t.splatFloat(from));
  const right = code.op("v128.bitselect", value, x, finite);
  return code.op("v128.or", code.op("v128.bitselect", t.splatFloat(-Infinity), right, atPole), below);
}

/** Splits into m in [0.75, 1.5) and the whole exponent, by bits. */
function log(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const tiny = t.keep(code.op("f32x4.lt", x, t.splatFloat(2 ** -126)));
  const scaled = t.keep(code.op("v128.bitselect", t.mul(x, t.splatFloat(2 ** 23)), x, tiny));
  const exponent = t.keep(
    code.op("v128.and", code.op("i32x4.sub", scaled, t.splatInt(0x3f400000)), t.splatInt(0xff800000 | 0)),
  );
  const m = code.op("i32x4.sub", scaled, exponent);
  const f = t.keep(t.sub(m, t.splatFloat(1)));
  const e = code.op("f32x4.convert_i32x4_s", code.op("i32x4.shr_s", exponent, code.int(23)));
  const whole = t.keep(t.sub(e, code.op("v128.and", tiny, t.splatFloat(23))));
  return logEdges(t, x, 0, logOf(t, f, whole));
}

/** The exponent is that of 1 + x; the rest of x is scaled exactly, so that what 1 + x rounds away is kept. */
function log1p(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const sum = t.keep(t.add(x, t.splatFloat(1)));
  const exponent = t.keep(
    code.op("v128.and", code.op("i32x4.sub", sum, t.splatInt(0x3f400000)), t.splatInt(0xff800000 | 0)),
  );
  const scale = t.keep(code.op("i32x4.sub", t.splatFloat(4), exponent));
  const quarter = t.mul(scale, t.splatFloat(0.25));
  const f = t.keep(code.madd(x, t.keep(quarter), t.sub(quarter, t.splatFloat(1))));
  const e = t.keep(code.op("f32x4.convert_i32x4_s", code.op("i32x4.shr_s", exponent, code.int(23))));
  return logEdges(t, x, -1, logOf(t, f, e));
}

function signOf(t: Toolbox, x: Expr): Expr {
  return t.code.op("v128.and", x, t.splatInt(0x80000000 | 0));
}

function tanh(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const square = t.keep(t.mul(x, x));
  const near = code.madd(t.mul(x, square), t.polynomial(square, tanhTail), x);
  const size = t.keep(code.op("f32x4.abs", x));
  const e = exp(t, t.keep(t.add(size, size)));
  const far = t.sub(t.splatFloat(1), code.op("f32x4.div", t.splatFloat(2), t.add(e, t.splatFloat(1))));
  const signed = code.op("v128.or", far, signOf(t, x));
  return code.op("v128.bitselect", near, signed, code.op("f32x4.lt", size, t.splatFloat(0.625)));
}

/** e / (1 + e) or 1 / (1 + e), with e = exp(-|x|): nothing overflows */
function sigmoid(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const e = t.keep(exp(t, t.keep(code.op("f32x4.neg", code.op("f32x4.abs", x)))));
  const negative = code.op("f32x4.lt", x, t.splatFloat(0));
  const numerator = code.op("v128.bitselect", e, t.splatFloat(1), negative);
  return code.op("f32x4.div", numerator, t.add(e, t.splatFloat(1)));
}

/** max(x, 0) + log1p(exp(-|x|)) */
function softplus(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const e = t.keep(exp(t, t.keep(code.op("f32x4.neg", code.op("f32x4.abs", x)))));
  return t.add(log1p(t, e), code.op("f32x4.pmax", x, t.splatFloat(0)));
}

/** A quotient, which near 1 may be too large by its rounding. */
function erf(t: Toolbox, x: Expr): Expr {
  const { code } = t;
  const clamp = (value: Expr, limit: number): Expr =>
    code.op("f32x4.pmin", code.op("f32x4.pmax", value, t.splatFloat(-limit)), t.splatFloat(limit));
  const bounded = t.keep(clamp(x, erfEnd));
  const square = t.keep(t.mul(bounded, bounded));
  const top = t.mul(bounded, t.polynomial(square, erfTop));
  return clamp(t.keep(code.op("f32x4.div", top, t.polynomial(square, erfBottom))), 1);
}

/** pi / 2 in three parts; the first two have few bits, so that their products with a quadrant are exact */
const halfPi = [1.5703125, 4.837512969970703125e-4, 7.549789954891882e-8] as const;

/** Sine of x + quarter * pi / 2. Large operands are not reduced exactly; the result stays in [-1, 1]. */
function sine(t: Toolbox, x: Expr, quarter: number): Expr {
  const { code } = t;
  const whole = t.keep(code.op("f32x4.nearest", t.mul(x, t.splatFloat(2 / Math.PI))));
  let r = x;
  for (const part of halfPi) r = code.madd(whole, t.splatFloat(-part), r);
  const limit = 0.7855;
  r = t.keep(code.op("f32x4.pmax", code.op("f32x4.pmin", r, t.splatFloat(limit)), t.splatFloat(-limit)));
  const square = t.keep(t.mul(r, r));
  const sin = code.madd(t.mul(r, square), t.polynomial(square, sinTail), r);
  const half = code.madd(square, t.splatFloat(-0.5), t.splatFloat(1));
  const cos = code.madd(t.mul(square, square), t.polynomial(square, cosTail), half);
  const quadrant = t.keep(
    code.op("i32x4.add", code.op("i32x4.trunc_sat_f32x4_s", whole), t.splatInt(quarter)),
  );
  const odd = code.op("i32x4.neg", code.op("v128.and", quadrant, t.splatInt(1)));
  const flip = code.op("i32x4.shl", code.op("v128.and", quadrant, t.splatInt(2)), code.int(30));
  return code.op("v128.xor", code.op("v128.bitselect", cos, sin, odd), flip);
}

const functions: Readonly<Record<VectorFunction, (t: Toolbox, x: Expr) => Expr>> = {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  softplus,
  erf,
  sin: (t, x) => sine(t, x, 0),
  cos: (t, x) => sine(t, x, 1),
};

export function isVectorFunction(name: string): name is VectorFunction {
  return name in functions;
}

/** x is a local or a constant: it is used several times. */
export function transcendental(scope: MathScope, name: VectorFunction, x: Expr): Expr {
  return functions[name](toolbox(scope), x);
}
