/**
 * Interval arithmetic over scalar instructions: all results that f32 code may have whose instructions keep the bounds
 * of the table in compiler/ir/scalar.ts, and whose sums of n terms are off by at most n * 2^-24 * sum of |terms|.
 * Bounds are f64 numbers; [NaN, NaN] is any number or none.
 */
import { instructions, type Instruction } from "../../compiler/ir/scalar.ts";
import { ulpOnWgsl } from "../../compiler/backends/wgsl/instructions.ts";
import { helpers } from "../../compiler/reference/scalar-functions.ts";

export type Interval = readonly [low: number, high: number];

export const anything: Interval = [NaN, NaN];
/** also what stands for an operand that an instruction does not have */
export const no: Interval = [0, 0];
const yes: Interval = [1, 1];
const either: Interval = [0, 1];

/** Half the distance from 1 to the next f32. */
export const epsilon = 2 ** -24;
const largest = 3.4028234663852886e38;
/** What f64 itself rounds while bounds are computed. */
const slack = 1 + 2 ** -20;

export function point(value: number): Interval {
  return [value, value];
}

export function isPoint([low, high]: Interval): boolean {
  return low === high;
}

export function contains([low, high]: Interval, value: number): boolean {
  return Number.isNaN(low) || (low <= value && value <= high);
}

export function hull(a: Interval, b: Interval): Interval {
  return settled(Math.min(a[0], b[0]), Math.max(a[1], b[1]));
}

function settled(low: number, high: number): Interval {
  return Number.isNaN(low) || Number.isNaN(high) ? anything : [low, high];
}

const bits = new DataView(new ArrayBuffer(8));

function exponentOf(x: number): number {
  bits.setFloat64(0, x);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
}

/** The distance of f32 numbers near x. */
function spacing(x: number): number {
  return 2 ** (Math.max(exponentOf(x), -126) - 23);
}

/** The least of v - ulps * spacing(v) over v in [low, high]: at low, or where spacing doubles. */
function lowest(low: number, high: number, ulps: number): number {
  if (!Number.isFinite(low)) return low;
  const least = low - ulps * spacing(low);
  if (low <= 0) return least;
  const next = 2 ** (Math.max(exponentOf(low), -127) + 1);
  return next <= high ? Math.min(least, next - ulps * spacing(next)) : least;
}

/** How far the instructions of a target may be off. */
export interface Accuracy {
  ulp(instruction: Instruction): number;
  /** numbers below 2^-126 may count as 0 */
  readonly flushes: boolean;
}

export const onWasm: Accuracy = { ulp: (instruction) => instructions[instruction].ulp, flushes: false };
export const onWgsl: Accuracy = { ulp: ulpOnWgsl, flushes: true };

const smallest = 2 ** -126;

/** Exact results in [low, high], computed with an error of so many units in the last place; none changes its sign. */
function rounded(low: number, high: number, ulps: number): Interval {
  if (Number.isNaN(low) || Number.isNaN(high)) return anything;
  if (ulps === 0) return [low, high];
  const from = lowest(low, high, ulps * slack);
  const to = -lowest(-high, -low, ulps * slack);
  return [overflown(low >= 0 ? Math.max(from, 0) : from, -1), overflown(high <= 0 ? Math.min(to, 0) : to, 1)];
}

/** A bound beyond the largest float: the result is that float or infinite. */
function overflown(bound: number, side: 1 | -1): number {
  if (Math.abs(bound) <= largest) return bound;
  return Math.sign(bound) === side ? bound * Infinity : side * -largest;
}

/** A sum of these terms in any order. */
export function sumOf(terms: readonly Interval[]): Interval {
  let low = 0;
  let high = 0;
  let size = 0;
  for (const [from, to] of terms) {
    low += from;
    high += to;
    size += Math.max(Math.abs(from), Math.abs(to));
  }
  if (terms.length < 2) return settled(low, high);
  const error = terms.length * epsilon * slack * size;
  if (Number.isNaN(error)) return anything;
  return rounded(low - error, high + error, 0);
}

function corners(f: (x: number, y: number) => number, a: Interval, b: Interval, ulps: number): Interval {
  const all = [f(a[0], b[0]), f(a[0], b[1]), f(a[1], b[0]), f(a[1], b[1])];
  return rounded(Math.min(...all), Math.max(...all), ulps);
}

type Rule = (a: Interval, b: Interval, c: Interval) => Interval;

const compared =
  (never: (a: Interval, b: Interval) => boolean, always: (a: Interval, b: Interval) => boolean): Rule =>
  (a, b) =>
    Number.isNaN(a[0] + b[0]) ? either : always(a, b) ? yes : never(a, b) ? no : either;

const apart = (a: Interval, b: Interval): boolean => a[1] < b[0] || b[1] < a[0];
const same = (a: Interval, b: Interval): boolean => isPoint(a) && isPoint(b) && a[0] === b[0];
const equal = compared(apart, same);
const unequal = compared(same, apart);
const less = compared(
  (a, b) => a[0] >= b[1],
  (a, b) => a[1] < b[0],
);
const lessOrEqual = compared(
  (a, b) => a[0] > b[1],
  (a, b) => a[1] <= b[0],
);

/** Integers are exact, so all of them are points. */
const exact =
  (f: (x: number, y: number) => number): Rule =>
  (a, b) => {
    if (!isPoint(a) || !isPoint(b))
      throw new Error("an integer depends on rounding: this kernel has no bound");
    return point(f(a[0], b[0]));
  };

const logic =
  (f: (x: number, y: number) => number): Rule =>
  (a, b) => {
    const all = a.flatMap((x) => b.map((y) => f(x, y)));
    return [Math.min(...all), Math.max(...all)];
  };

const choose: Rule = (c, a, b) => (isPoint(c) ? (c[0] === 0 ? b : a) : hull(a, b));

const positive = (a: Interval): boolean => a[0] > 0 || a[1] < 0;

/** What each instruction may give, of operands within bounds. */
export function rulesOf({ ulp, flushes }: Accuracy): Readonly<Record<Instruction, Rule>> {
  const flushed = ([low, high]: Interval): Interval =>
    flushes ? [low > 0 && low < smallest ? 0 : low, high < 0 && high > -smallest ? 0 : high] : [low, high];
  const rising =
    (name: Instruction, f: (x: number) => number): Rule =>
    (a) =>
      rounded(f(a[0]), f(a[1]), ulp(name));
  const falling =
    (name: Instruction, f: (x: number) => number): Rule =>
    (a) =>
      rounded(f(a[1]), f(a[0]), ulp(name));
  /** sine and cosine: slope at most 1, an absolute error */
  const wave =
    (name: "sin" | "cos"): Rule =>
    (a) => {
      const middle = (a[0] + a[1]) / 2;
      const error = (a[1] - a[0]) / 2 + ulp(name) * epsilon * slack;
      return settled(Math.max(Math[name](middle) - error, -1), Math.min(Math[name](middle) + error, 1));
    };
  /** where numbers are flushed, the power is that of a rounded product: see `ulpOnWgsl` */
  const powerUlp = (a: Interval, b: Interval): number =>
    ulp("pow") +
    (flushes
      ? 3 * Math.max(...b.map(Math.abs)) * Math.max(...a.map((x) => Math.abs(Math.log2(Math.abs(x)))))
      : 0);
  const rules: Readonly<Record<Instruction, Rule>> = {
    add: (a, b) => rounded(a[0] + b[0], a[1] + b[1], 0.5),
    sub: (a, b) => rounded(a[0] - b[1], a[1] - b[0], 0.5),
    mul: (a, b) => corners((x, y) => x * y, a, b, 0.5),
    div: (a, b) => (positive(b) || isPoint(b) ? corners((x, y) => x / y, a, b, ulp("div")) : anything),
    neg: (a) => [-a[1], -a[0]],
    abs: (a) =>
    settled(a[0] <= 0 && a[1] >= 0 ? 0 : Math.min(Math.abs(a[0]), Math.abs(a[1])), Math.max(Math.abs(a[0]), Math.abs(a[1]))), // prettier-ignore
    max: (a, b) => settled(Math.max(a[0], b[0]), Math.max(a[1], b[1])),
    min: (a, b) => settled(Math.min(a[0], b[0]), Math.min(a[1], b[1])),
    floor: (a) => [Math.floor(a[0]), Math.floor(a[1])],
    sqrt: rising("sqrt", Math.sqrt),
    rsqrt: falling("rsqrt", (x) => 1 / Math.sqrt(x)),
    reciprocal: (a) =>
      positive(a) || isPoint(a) ? rounded(1 / a[1], 1 / a[0], ulp("reciprocal")) : anything,
    exp: rising("exp", Math.exp),
    expm1: rising("expm1", Math.expm1),
    log: rising("log", Math.log),
    log1p: rising("log1p", Math.log1p),
    tanh: rising("tanh", Math.tanh),
    sigmoid: rising("sigmoid", helpers.sigmoid),
    softplus: rising("softplus", helpers.softplus),
    erf: rising("erf", helpers.erf),
    sin: wave("sin"),
    cos: wave("cos"),
    pow: (a, b) =>
      a[0] > 0 || (isPoint(a) && isPoint(b)) ? corners(Math.pow, a, b, powerUlp(a, b)) : anything,
    eq: equal,
    ne: unequal,
    lt: less,
    le: lessOrEqual,
    is_finite: (a) => (Number.isFinite(a[0]) && Number.isFinite(a[1]) ? yes : isPoint(a) ? no : either),
    select: choose,
    add_i32: exact((x, y) => (x + y) | 0),
    sub_i32: exact((x, y) => (x - y) | 0),
    mul_i32: exact(Math.imul),
    min_i32: exact(Math.min),
    max_i32: exact(Math.max),
    and_i32: exact((x, y) => x & y),
    or_i32: exact((x, y) => x | y),
    xor_i32: exact((x, y) => x ^ y),
    shift_left: exact((x, y) => x << y),
    shift_right_unsigned: exact((x, y) => (x >>> y) | 0),
    eq_i32: equal,
    ne_i32: unequal,
    lt_i32: less,
    le_i32: lessOrEqual,
    select_i32: choose,
    and: logic((x, y) => x & y),
    or: logic((x, y) => x | y),
    not: (a) => [1 - a[1], 1 - a[0]],
    select_bool: choose,
    i32_to_f32: (a) => rounded(a[0], a[1], 0.5),
    f32_to_i32: (a) => [helpers.truncate(a[0]), helpers.truncate(a[1])],
    bool_to_f32: (a) => a,
    bool_to_i32: (a) => a,
  };
  if (!flushes) return rules;
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => {
      const float = instructions[name as Instruction].operands.includes("f");
      const give = (x: Interval): Interval => (float ? flushed(x) : x);
      return [name, ((a, b, c) => give(rule(give(a), give(b), give(c)))) satisfies Rule];
    }),
  ) as Record<Instruction, Rule>;
}

/** A number by itself: never below 0, however far its bounds are apart. */
export function squared(a: Interval): Interval {
  const [low, high] = rulesOf(onWasm).abs(a, no, no);
  return rounded(low * low, high * high, 0.5);
}
