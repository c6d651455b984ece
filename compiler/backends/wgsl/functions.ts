/**
 * Functions that WGSL lacks, or has with errors too large to train with: the polynomials and reductions of the wasm
 * backend (backends/wasm/transcendental.ts), on one float. No literal is infinite or NaN; results that IEEE says are
 * come from bits. Numbers below 2^-126 may count as 0.
 */

interface Function {
  readonly needs: readonly string[];
  readonly text: string;
}

/** Evaluation of a polynomial by Horner's rule, lowest coefficient first. */
function polynomial(x: string, coefficients: readonly number[]): string {
  return coefficients.reduceRight(
    (sum, c) => (sum === "" ? literal(c) : `(${sum} * ${x} + ${literal(c)})`),
    "",
  );
}

/** A finite f32 as a literal. */
export function literal(value: number): string {
  const near = Math.fround(value);
  const text = Object.is(near, -0) ? "-0f" : `${near}f`;
  return near < 0 || Object.is(near, -0) ? `(${text})` : text;
}

const expTail = [0.49999994, 0.166665211, 0.041668389, 0.00836871564, 0.00138146023];
const expm1Tail = [0.5, 0.166665435, 0.0416662805, 0.00836658198, 0.00139464485];
const log1pTail = [
  0.333334476, -0.250001937, 0.199910909, -0.166437432, 0.144677043, -0.131868914, 0.105827764, -0.0461674556,
];
const tanhTail = [-0.333332837, 0.133314908, -0.0537433848, 0.0206502005, -0.00571659254];
const erfNear = [0.128379151, -0.376124948, 0.112818025, -0.0267655682, 0.00499098096, -0.00059768965];
const erfFar = [1.12850916, 0.635736406, 0.105237491, -0.022874048, 0.003209905, -0.000213362626];
const sinTail = [-0.166666672, 0.00833332911, -0.000198392343, 0.00000271735917];
const cosTail = [0.0416666456, -0.00138872885, 0.0000244292132];

const split = `  let bounded = select(select(x, -104f, x < -104f), 89f, x > 89f);
  let whole = round(bounded * ${literal(Math.LOG2E)});
  let r = whole * ${literal(2.12194440054691e-4)} + (whole * ${literal(-0.693359375)} + bounded);
  let n = i32(whole);`;

const wave = (name: string, quarter: number): string => `fn ${name}(x: f32) -> f32 {
  return of_quadrant(x, ${quarter});
}`;

const functions: Readonly<Record<string, Function>> = {
  from_bits: {
    needs: [],
    text: `fn from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}`,
  },
  floor_divide: {
    needs: [],
    text: `fn floor_divide(a: i32, b: i32) -> i32 {
  let quotient = a / b;
  return quotient - select(0, 1, a - quotient * b < 0);
}`,
  },
  truncate: {
    needs: [],
    text: `fn truncate(x: f32) -> i32 {
  let inside = select(select(i32(x), 2147483647, x >= 2147483648f), i32(-2147483648), x <= -2147483648f);
  return select(inside, 0, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u);
}`,
  },
  power_of_two: {
    needs: [],
    text: `fn power_of_two(n: i32) -> f32 {
  return bitcast<f32>((n + 127) << 23u);
}`,
  },
  exp_of: {
    needs: ["power_of_two"],
    text: `fn exp_of(x: f32) -> f32 {
${split}
  let p = ${polynomial("r", expTail)} * (r * r) + (r + 1f);
  let half = n >> 1u;
  return p * power_of_two(half) * power_of_two(n - half);
}`,
  },
  expm1_of: {
    needs: ["power_of_two"],
    text: `fn expm1_of(x: f32) -> f32 {
${split}
  let p = ${polynomial("r", expm1Tail)} * (r * r) + r;
  let scale = power_of_two(max(n - 1, -126));
  let sum = (scale * p + (scale - 0.5f)) * 2f;
  return select(sum, p, n == 0);
}`,
  },
  log_near: {
    needs: [],
    text: `fn log_near(f: f32, e: f32) -> f32 {
  let square = f * f;
  let tail = ${polynomial("f", log1pTail)} * (square * f) + e * ${literal(-2.12194440054691e-4)};
  return e * ${literal(0.693359375)} + (f + (square * (-0.5f) + tail));
}`,
  },
  log_edges: {
    needs: ["from_bits"],
    text: `fn log_edges(x: f32, pole: f32, value: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let right = select(value, x, (bits & 0x7f800000u) == 0x7f800000u);
  let at = select(right, from_bits(0xff800000u), x == pole);
  return select(at, from_bits(0x7fc00000u), x < pole);
}`,
  },
  log_of: {
    needs: ["log_near", "log_edges"],
    text: `fn log_of(x: f32) -> f32 {
  let tiny = x < ${literal(2 ** -126)};
  let scaled = bitcast<i32>(select(x, x * 8388608f, tiny));
  let exponent = (scaled - 0x3f400000) & bitcast<i32>(0xff800000u);
  let f = bitcast<f32>(scaled - exponent) - 1f;
  let e = f32(exponent >> 23u) - select(0f, 23f, tiny);
  return log_edges(x, 0f, log_near(f, e));
}`,
  },
  log1p_of: {
    needs: ["log_near", "log_edges", "log_of"],
    text: `fn log1p_of(x: f32) -> f32 {
  if (x > 1e30f) {
    // the scale below would count as 0
    return log_of(x);
  }
  let exponent = (bitcast<i32>(x + 1f) - 0x3f400000) & bitcast<i32>(0xff800000u);
  let quarter = bitcast<f32>(0x40800000 - exponent) * 0.25f;
  let f = x * quarter + (quarter - 1f);
  return log_edges(x, -1f, log_near(f, f32(exponent >> 23u)));
}`,
  },
  tanh_of: {
    needs: ["exp_of"],
    text: `fn tanh_of(x: f32) -> f32 {
  let square = x * x;
  let near = x * square * ${polynomial("square", tanhTail)} + x;
  let size = select(abs(x), 40f, abs(x) > 40f);
  let far = 1f - 2f / (exp_of(size + size) + 1f);
  return select(select(far, -far, x < 0f), near, size < 0.625f);
}`,
  },
  sigmoid_of: {
    needs: ["exp_of"],
    text: `fn sigmoid_of(x: f32) -> f32 {
  let e = exp_of(-abs(x));
  return select(1f, e, x < 0f) / (e + 1f);
}`,
  },
  softplus_of: {
    needs: ["exp_of", "log1p_of"],
    text: `fn softplus_of(x: f32) -> f32 {
  return log1p_of(exp_of(-abs(x))) + select(x, 0f, x < 0f);
}`,
  },
  erf_of: {
    needs: ["exp_of"],
    text: `fn erf_of(x: f32) -> f32 {
  let square = x * x;
  let near = x * (${polynomial("square", erfNear)} + 1f);
  let size = abs(x);
  let t = select(size, 4f, size > 4f);
  let far = 1f - exp_of(-(t * ${polynomial("t", erfFar)}));
  return select(select(far, -far, x < 0f), near, size < 0.9296875f);
}`,
  },
  of_quadrant: {
    needs: [],
    text: `fn of_quadrant(x: f32, quarter: i32) -> f32 {
  let whole = round(x * ${literal(2 / Math.PI)});
  let reduced = whole * ${literal(-7.549789954891882e-8)} + (whole * ${literal(-4.837512969970703125e-4)} + (whole * (-1.5703125f) + x));
  let r = select(select(reduced, -0.7855f, reduced < -0.7855f), 0.7855f, reduced > 0.7855f);
  let square = r * r;
  let sine = r * square * ${polynomial("square", sinTail)} + r;
  let cosine = square * square * ${polynomial("square", cosTail)} + (square * (-0.5f) + 1f);
  let quadrant = i32(whole) + quarter;
  let value = select(sine, cosine, (quadrant & 1) == 1);
  return select(value, -value, (quadrant & 2) == 2);
}`,
  },
  sin_of: { needs: ["of_quadrant"], text: wave("sin_of", 0) },
  cos_of: { needs: ["of_quadrant"], text: wave("cos_of", 1) },
  // 2^(y log2 |x|): the product is rounded, so the error grows with its size
  pow_of: {
    needs: ["log_of", "exp_of", "from_bits"],
    text: `fn pow_of(x: f32, y: f32) -> f32 {
  let size = abs(x);
  var result = exp_of(y * log_of(size));
  let odd = fract(y * 0.5f) != 0f;
  let is_whole = fract(y) == 0f;
  if (size == 0f) {
    result = select(from_bits(0x7f800000u), 0f, y > 0f);
  }
  if (size == 1f) {
    result = 1f;
  }
  if (x < 0f) {
    result = select(from_bits(0x7fc00000u), select(result, -result, odd), is_whole);
  }
  return select(result, 1f, y == 0f);
}`,
  },
};

/** The text of these functions and of what they call, each once, callees first. */
export function functionTexts(used: Iterable<string>): string {
  const done = new Set<string>();
  const texts: string[] = [];
  const add = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const { needs, text } = functions[name]!;
    needs.forEach(add);
    texts.push(text);
  };
  for (const name of [...used].sort()) add(name);
  return texts.join("\n");
}
