/** How random programs use each op: one recipe an op, by its name. A recipe returns what it made, or nothing. */
import * as dim from "../../compiler/ir/dim.ts";
import { tensor } from "../../compiler/ir/tensor.ts";
import type { DType } from "../../compiler/ir/type.ts";
import * as build from "../../compiler/ops/build.ts";
import { opNamed, ops } from "../../compiler/ops/index.ts";
import { axisMap, type AxisMap } from "../../compiler/ops/index-maps.ts";
import type { Value } from "../../compiler/ir/graph.ts";
import { loopRecipe } from "./loop-recipe.ts";
import type { Kitchen } from "./random-program.ts";

export type Recipe = (kitchen: Kitchen) => readonly Value[] | undefined;

const d = dim.constant;
const isConstant = (size: dim.Dim): boolean => dim.constantOf(size) !== undefined;
const hasAxis = (shape: readonly dim.Dim[]): boolean => shape.length > 0;
const anyDtype: readonly DType[] = ["f32", "f32", "f32", "i32", "u8", "bool"];

/** Not continuous: on inputs and views alone. */
const steps = new Set(["floor", "eq", "ne", "lt", "le", "is_finite"]);

function elementwise(name: string): Recipe {
  const op = opNamed(name)!;
  return (k) => {
    const integers = op.infer(
      op.operands.map(() => ({ dtype: "i32", shape: [] })),
      {},
    );
    const dtype: DType = !("mismatch" in integers) && k.r.chance(0.25) ? "i32" : "f32";
    const first = steps.has(name) ? k.raw(dtype) : k.pick(dtype);
    const operands = op.operands.map((_, i) => {
      if (i === 0) return first;
      if (steps.has(name)) return k.r.chance(0.2) ? first : k.rawLike(dtype, first.type.shape);
      return k.like(dtype, first.type.shape);
    });
    const inDomain = operands.map((value, i) =>
      dtype === "f32" && !steps.has(name) ? k.within(value, op.domain?.[i] ?? [-2, 2]) : value,
    );
    return [k.b.emit(op, inDomain)];
  };
}

/** A part of the row-major positions of an axis: [start, size]. */
function range(k: Kitchen, size: dim.Dim): readonly [dim.Dim, dim.Dim] {
  const whole = dim.constantOf(size);
  if (whole === undefined)
    return k.r.pick([
      [dim.zero, size],
      [dim.zero, dim.one],
      [dim.subtract(size, dim.one), dim.one],
    ]);
  const start = k.r.below(whole + 1);
  return [d(start), d(k.r.below(whole - start + 1))];
}

/** Sizes whose product is this size. */
function factors(k: Kitchen, size: dim.Dim): readonly dim.Dim[] {
  if (dim.constantOf(size) === 1 && k.r.chance(0.5)) return [];
  const found: dim.Dim[][] = [
    [size, dim.one],
    [dim.one, size],
  ];
  for (const factor of [d(2), d(3), d(5), dim.symbol("B"), dim.symbol("T")]) {
    const quotient = dim.divideExactly(size, factor);
    if (quotient && !dim.equal(quotient, dim.zero)) found.push([factor, quotient], [quotient, factor]);
  }
  return k.r.pick(found);
}

/** Any maps of any operands: reads outside, diagonals, strides, loops that nothing reads. */
function anyIndex(k: Kitchen): readonly Value[] | undefined {
  const sizes = [1, 2, 3, 4].map(d).concat(dim.symbol("B"), dim.symbol("T"));
  const axes = Array.from({ length: 1 + k.r.below(4) }, () => k.r.pick(sizes));
  const work = axes.reduce((n, size) => n * k.known(size), 1);
  if (work > 300) return undefined;
  const operands = Array.from({ length: 1 + k.r.below(3) }, () => k.within(k.pick("f32"), [-2, 2]));
  const maps = operands.map(({ type }) =>
    type.shape.map((): AxisMap => {
      const terms = Array.from(
        { length: k.r.pick([0, 1, 1, 1, 1, 2]) },
        () => [k.r.below(axes.length), k.r.pick([1, 1, 1, 2, 3, -1, -2])] as const,
      );
      const start = k.r.chance(0.1)
        ? dim.subtract(dim.symbol("B"), dim.one)
        : d(k.r.pick([0, 0, 0, 1, 2, -1]));
      return axisMap(axes.length, terms, start);
    }),
  );
  return [build.index(k.b, operands, { axes, result: k.r.below(axes.length + 1), maps })];
}

/** rows of x times a weight */
function matmul(k: Kitchen): readonly Value[] | undefined {
  const x = k.within(
    k.pick("f32", (shape) => hasAxis(shape) && isConstant(shape.at(-1)!) && k.known(shape.at(-1)!) <= 12),
    [-2, 2],
  );
  const inner = k.known(x.type.shape.at(-1)!);
  // at most 12 * 5 of the 60 weights that a program has
  const product = build.matmul(k.b, x, k.weight([inner, k.r.pick([1, 2, 3, 5])]));
  if (k.r.chance(0.5)) return [product];
  const last = product.type.shape.length - 1;
  const shift = k.weight([k.known(product.type.shape[last]!)]);
  return [build.add(k.b, product, build.expandTo(k.b, shift, product.type.shape, [last]))];
}

/** [batch, length, channels] with a kernel [size, channels, channels of the result] */
function convolution(k: Kitchen): readonly Value[] | undefined {
  const length = k.r.pick([3, 5, 8]);
  const [size, stride, dilation, padding] = k.r.pick([
    [3, 1, 1, 1],
    [3, 2, 1, 1],
    [2, 2, 1, 0],
    [1, 2, 1, 0],
    [2, 3, 2, 1],
    [3, 1, 2, 2],
  ] as const);
  const out = Math.floor((length + 2 * padding - dilation * (size - 1) - 1) / stride) + 1;
  if (out < 1) return undefined;
  const channels = k.r.pick([1, 2]);
  const x = k.like("f32", [dim.symbol("B"), d(length), d(channels)]);
  const w = k.weight([size, channels, 3]);
  const spatial = axisMap(
    5,
    [
      [1, stride],
      [3, dilation],
    ],
    -padding,
  );
  const one = (loop: number): AxisMap => axisMap(5, [[loop, 1]]);
  return [
    build.index(k.b, [k.within(x, [-2, 2]), w], {
      axes: [dim.symbol("B"), d(out), d(3), d(size), d(channels)],
      result: 3,
      maps: [
        [one(0), spatial, one(4)],
        [one(3), one(4), one(2)],
      ],
    }),
  ];
}

const special: Readonly<Record<string, Recipe>> = {
  constant(k) {
    const dtype = k.r.pick(anyDtype);
    const shape = k.r.pick([[], [3], [2, 5], [4, 6]]);
    const data = Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () =>
      dtype === "f32" ? Math.fround(k.r.uniform(-2, 2)) : k.r.below(2),
    );
    return [build.constantTensor(k.b, tensor(dtype, shape, data))];
  },
  iota(k) {
    const shape = k.randomShape(1 + k.r.below(3));
    return [build.iota(k.b, shape, k.r.below(shape.length))];
  },
  size: (k) => [build.size(k.b, k.r.pick([dim.symbol("B"), dim.multiply(dim.symbol("B"), dim.symbol("T"))]))],
  random_bits(k) {
    const shape = k.randomShape();
    const rows = k.r.next() < 0.5 ? undefined : k.control("first_row");
    const [seed, iteration] = [k.control("seed"), k.control("iteration")];
    const bits = build.randomBits(k.b, seed, iteration, k.r.below(2 ** 31), shape, rows);
    return [bits, build.scale(k.b, build.cast(k.b, bits, "f32"), 2 ** -24)];
  },
  select(k) {
    const dtype = k.r.pick(["f32", "f32", "i32", "bool"] as const);
    const x = k.pick(dtype);
    return [build.select(k.b, k.like("bool", x.type.shape), x, k.like(dtype, x.type.shape))];
  },
  and: (k) => logic(k, build.and),
  or: (k) => logic(k, build.or),
  not: (k) => [build.not(k.b, k.pick("bool"))],
  cast(k) {
    const from = k.r.pick(anyDtype);
    const to = k.r.pick(anyDtype.filter((dtype) => dtype !== from));
    return [build.cast(k.b, k.raw(from), to)];
  },
  detach(k) {
    const value = k.pick(k.r.pick(["i32", "bool"]));
    return [build.detach(k.b, k.r.chance(0.5) ? value : build.cast(k.b, value, "f32"))];
  },
  barrier(k) {
    return [build.barrier(k.b, k.pick(k.r.pick(anyDtype)), k.r.below(2))];
  },
  expand(k) {
    const x = k.pick(k.r.pick(anyDtype), (shape) => shape.length <= 3);
    const shape = [...x.type.shape];
    const axes = shape.map((_, axis) => axis);
    for (let i = 0; i < k.r.pick([1, 1, 2]); i++) {
      const at = k.r.below(shape.length + 1);
      shape.splice(at, 0, k.r.pick([1, 2, 3].map(d).concat(dim.symbol("B"))));
      axes.forEach((axis, j) => (axes[j] = axis >= at ? axis + 1 : axis));
    }
    return [build.expandTo(k.b, x, shape, axes)];
  },
  reorder(k) {
    const x = k.pick(k.r.pick(anyDtype), (shape) => shape.length >= 2);
    const permutation = x.type.shape.map((_, axis) => axis);
    for (let i = permutation.length - 1; i > 0; i--) {
      const j = k.r.below(i + 1);
      [permutation[i], permutation[j]] = [permutation[j]!, permutation[i]!];
    }
    return [build.reorder(k.b, x, permutation)];
  },
  split(k) {
    const x = k.pick(k.r.pick(anyDtype), hasAxis);
    const axis = k.r.below(x.type.shape.length);
    return [build.split(k.b, x, axis, factors(k, x.type.shape[axis]!))];
  },
  merge(k) {
    const x = k.pick(k.r.pick(anyDtype));
    const axis = k.r.below(x.type.shape.length + 1);
    const most = x.type.shape.length - axis;
    return [build.merge(k.b, x, axis, k.r.pick([0, 2, 2, 3].filter((count) => count <= most)))];
  },
  slice(k) {
    const x = k.pick(k.r.pick(anyDtype), hasAxis);
    const axis = k.r.below(x.type.shape.length);
    return [build.slice(k.b, x, axis, ...range(k, x.type.shape[axis]!))];
  },
  pad(k) {
    const x = k.pick(k.r.pick(anyDtype), hasAxis);
    const amounts = [0, 1, 2].map(d).concat(dim.symbol("B"));
    return [build.pad(k.b, x, k.r.below(x.type.shape.length), k.r.pick(amounts), k.r.pick(amounts))];
  },
  concat(k) {
    const x = k.pick(k.r.pick(anyDtype), hasAxis);
    const axis = k.r.below(x.type.shape.length);
    const sizes = [0, 1, 2, 3].map(d).concat(x.type.shape[axis]!, dim.symbol("B"));
    const other = () => x.type.shape.with(axis, k.r.pick(sizes));
    const parts = [x, ...Array.from({ length: 1 + k.r.below(2) }, () => k.pick(x.type.dtype, other()))];
    return [build.concat(k.b, parts, axis)];
  },
  reduce(k) {
    const combine = k.r.pick([build.reduceSum, build.reduceSum, build.reduceMax, build.reduceMin]);
    const x = k.pick("f32", hasAxis);
    const axes = x.type.shape
      .map((_, axis) => axis)
      .filter((axis) => k.r.chance(0.5) && (combine === build.reduceSum || k.known(x.type.shape[axis]!) > 0));
    return [combine(k.b, x, axes)];
  },
  arg_reduce(k) {
    const x = k.raw("f32", (shape) => shape.some((size) => k.known(size) > 0));
    const axes = x.type.shape.map((_, axis) => axis).filter((axis) => k.known(x.type.shape[axis]!) > 0);
    return [k.r.pick([build.argmax, build.argmin])(k.b, x, k.r.pick(axes))];
  },
  index: (k) => k.r.pick([anyIndex, matmul, matmul, convolution])(k),
  window_max(k) {
    const x = k.raw("f32", (shape) => hasAxis(shape) && shape.every((size) => k.known(size) > 0));
    const axes = x.type.shape
      .map((_, axis) => axis)
      .filter((axis) => isConstant(x.type.shape[axis]!) && k.r.chance(0.7))
      .slice(0, 3);
    const windows = axes.map((axis) => {
      const before = k.r.pick([0, 0, 1]);
      const after = k.r.pick([0, 0, 1]);
      const least = Math.max(before, after) + 1;
      const most = Math.min(4, k.known(x.type.shape[axis]!) + before + after);
      const size = least + k.r.below(Math.max(1, most - least + 1));
      return { axis, size, stride: k.r.pick([1, 2, 3]), before, after };
    });
    if (windows.some((w) => w.size > k.known(x.type.shape[w.axis]!) + w.before + w.after)) return undefined;
    return build.windowMax(k.b, x, windows);
  },
  gather(k) {
    const table = k.pick(
      k.r.pick(["f32", "f32", "i32"]),
      (shape) => hasAxis(shape) && k.known(shape[0]!) > 0,
    );
    return [
      build.gather(
        k.b,
        table,
        k.pick("i32", (shape) => shape.length <= 2),
      ),
    ];
  },
  loop: loopRecipe,
  scatter_add(k) {
    const base = k.pick("f32", (shape) => hasAxis(shape) && shape.length < 4 && k.known(shape[0]!) > 0);
    const ids = k.pick("i32", (shape) => shape.length === 1);
    const shape = [...ids.type.shape, ...base.type.shape.slice(1)];
    const rows = k.r.chance(0.5) ? k.input({ dtype: "f32", shape }) : build.gather(k.b, base, ids);
    return [build.scatterAdd(k.b, base, ids, rows)];
  },
  update_slice(k) {
    const base = k.pick(k.r.pick(["f32", "f32", "i32"]), hasAxis);
    const { dtype, shape } = base.type;
    const axis = k.r.below(shape.length);
    const value = k.input({ dtype, shape: shape.with(axis, k.r.pick([d(1), d(2), shape[axis]!])) });
    const start = k.pick("i32", ({ length }) => length === 0);
    return [build.updateSlice(k.b, base, value, start, axis)];
  },
};

function logic(k: Kitchen, make: typeof build.and): readonly Value[] {
  const x = k.pick("bool");
  return [make(k.b, x, k.like("bool", x.type.shape))];
}

export const recipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  ops.map((op) => [op.name, special[op.name] ?? elementwise(op.name)]),
);
