/** Gradient rules against central differences in f64 along a random direction, for every op. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import * as dim from "../compiler/ir/dim.ts";
import { tensor } from "../compiler/ir/tensor.ts";
import { tensorType } from "../compiler/ir/type.ts";
import * as build from "../compiler/ops/build.ts";
import { ops } from "../compiler/ops/index.ts";
import { axisMap } from "../compiler/ops/index-maps.ts";
import { differentiate } from "../compiler/passes/differentiate.ts";
import { optimize } from "../compiler/passes/pipeline.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { check, graphFor, type Case } from "./support/gradient-case.ts";
import type { GraphBuilder } from "../compiler/ir/builder.ts";
import type { Value } from "../compiler/ir/graph.ts";
import type { AxisMap, IndexMaps } from "../compiler/ops/index-maps.ts";
import type { TensorType } from "../compiler/ir/type.ts";

const b8 = dim.symbol("B");

const f = (...shape: (number | dim.Dim)[]): TensorType => tensorType("f32", shape);
const x45 = { x: f(4, 5) };
const d = dim.constant;

/** One or more cases for each op that has a gradient and is not elementwise. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  select: [
    {
      inputs: { c: tensorType("bool", [b8]), x: f(b8), y: f(b8) },
      make: (b, { c, x, y }) => build.select(b, c!, x!, y!),
    },
  ],
  cast: [{ inputs: x45, make: (b, { x }) => build.cast(b, build.cast(b, x!, "f16"), "f32") }],
  expand: [
    { inputs: { x: f(2, 3) }, make: (b, { x }) => build.expandTo(b, x!, [d(4), d(2), b8, d(3)], [1, 3]) },
    { inputs: { x: f() }, make: (b, { x }) => build.expandTo(b, x!, [b8], []) },
    { inputs: { x: f(2) }, make: (b, { x }) => build.expandTo(b, x!, [d(0), d(2)], [1]) },
  ],
  reorder: [{ inputs: { x: f(2, b8, 4) }, make: (b, { x }) => build.reorder(b, x!, [2, 0, 1]) }],
  split: [
    { inputs: { x: f(dim.multiply(b8, d(4))) }, make: (b, { x }) => build.split(b, x!, 0, [b8, d(2), d(2)]) },
    { inputs: { x: f(2, 1, 3) }, make: (b, { x }) => build.dropAxis(b, x!, 1) },
  ],
  merge: [
    { inputs: { x: f(2, b8, 2) }, make: (b, { x }) => build.merge(b, x!, 0, 3) },
    { inputs: { x: f(2, b8) }, make: (b, { x }) => build.insertAxis(b, x!, 2) },
  ],
  slice: [{ inputs: x45, make: (b, { x }) => build.slice(b, x!, 1, d(2), d(2)) }],
  pad: [{ inputs: x45, make: (b, { x }) => build.pad(b, x!, 0, d(2), b8) }],
  concat: [
    {
      inputs: { x: f(2, 3), y: f(2, 0), z: f(2, b8) },
      make: (b, { x, y, z }) => build.concat(b, [x!, y!, z!, x!], 1),
    },
  ],
  reduce: [
    { inputs: { x: f(2, b8, 4) }, make: (b, { x }) => build.reduceSum(b, x!, [0, 2]) },
    { inputs: { x: f(2, b8, 4) }, make: (b, { x }) => build.reduceMax(b, x!, [1]) },
    { inputs: { x: f(2, b8, 4) }, make: (b, { x }) => build.reduceMin(b, x!, [0, 1, 2]) },
    { inputs: { x: f(2, 0, 4) }, make: (b, { x }) => build.reduceSum(b, x!, [1]) },
  ],
  gather: [
    {
      inputs: { x: f(5, 2), ids: tensorType("i32", [b8, 2]) },
      make: (b, { x, ids }) => build.gather(b, x!, ids!),
    },
  ],
  update_slice: [
    {
      inputs: { x: f(2, 6), value: f(2, 3), start: tensorType("i32", []) },
      make: (b, { x, value, start }) => build.updateSlice(b, x!, value!, start!, 1),
    },
    {
      inputs: { x: f(4, b8, 2), value: f(6, b8, 2), start: tensorType("i32", []) },
      make: (b, { x, value, start }) => build.updateSlice(b, x!, value!, start!, 0),
    },
  ],
  scatter_add: [
    {
      inputs: { x: f(4, 2), ids: tensorType("i32", [b8, 2]), rows: f(b8, 2, 2) },
      make: (b, { x, ids, rows }) => build.scatterAdd(b, x!, ids!, rows!),
    },
  ],
  window_max: [
    [4, 2, 2, 0, 0],
    [5, 2, 2, 0, 0],
    [6, 3, 2, 1, 1],
    [7, 3, 1, 1, 1],
    [7, 2, 3, 0, 0],
    [3, 3, 2, 2, 2],
    [8, 3, 3, 0, 2],
    [6, 1, 2, 0, 0],
    [9, 5, 4, 0, 3],
  ].flatMap(([length, size, stride, before, after]): Case[] => {
    const window = { size: size!, stride: stride!, before: before!, after: after! };
    return [
      {
        inputs: { x: f(2, length!) },
        make: (b, { x }) => build.windowMax(b, x!, [{ axis: 1, ...window }])[0],
      },
      {
        inputs: { x: f(2, length!, length! + 1, 2) },
        make: (b, { x }) =>
          build.windowMax(b, x!, [
            { axis: 1, ...window },
            { axis: 2, size: 2, stride: 1, before: 1, after: 0 },
          ])[0],
      },
    ];
  }),
};

/** index: x read at the maps, times w where there is one. */
function indexCase(
  axes: IndexMaps["axes"],
  result: number,
  x: readonly (number | dim.Dim)[],
  mapsOfX: readonly AxisMap[],
  w?: readonly (number | dim.Dim)[],
  mapsOfW: readonly AxisMap[] = [],
  sizes: Readonly<Record<string, number>> = {},
): Case {
  return {
    inputs: w ? { x: f(...x), w: f(...w) } : { x: f(...x) },
    make: (b, inputs) =>
      build.index(b, w ? [inputs["x"]!, inputs["w"]!] : [inputs["x"]!], {
        axes,
        result,
        maps: w ? [mapsOfX, mapsOfW] : [mapsOfX],
      }),
    sizes,
  };
}

/** A convolution over one spatial axis: x [n, length, 2], w [size, 2, 3] -> [n, out, 3]. */
function convolution(length: number, size: number, stride: number, dilation: number, before: number): Case {
  const out = Math.floor((length + 2 * before - dilation * (size - 1) - 1) / stride) + 1;
  // loops: n, o, k, i, c
  return indexCase(
    [b8, d(out), d(3), d(size), d(2)],
    3,
    [b8, length, 2],
    [
      axisMap(5, [[0, 1]]),
      axisMap(
        5,
        [
          [1, stride],
          [3, dilation],
        ],
        -before,
      ),
      axisMap(5, [[4, 1]]),
    ],
    [size, 2, 3],
    [axisMap(5, [[3, 1]]), axisMap(5, [[4, 1]]), axisMap(5, [[2, 1]])],
  );
}

const indexCases: Readonly<Record<string, Case>> = {
  matmul: { inputs: { x: f(b8, 5), w: f(5, 2) }, make: (b, { x, w }) => build.matmul(b, x!, w!) },
  "batched, transposed": {
    inputs: { x: f(4, b8, 5), w: f(2, 5, b8) },
    make: (b, { x, w }) => build.contract(b, x!, w!, { batch: [[1, 2]], inner: [[2, 1]] }),
  },
  "a vector with itself": {
    inputs: { x: f(b8) },
    make: (b, { x }) => build.contract(b, x!, x!, { inner: [[0, 0]] }),
  },
  "outer product": {
    inputs: { x: f(b8), w: f(2) },
    make: (b, { x, w }) => build.contract(b, x!, w!, { inner: [] }),
  },
  "a loop that nothing reads": indexCase([b8, d(3)], 1, [b8], [axisMap(2, [[0, 1]])]),
  "a loop longer than the operand": indexCase([d(6)], 1, [4], [axisMap(1, [[0, 1]], -1)]),
  "a summed loop longer than one operand": indexCase(
    [d(6)],
    0,
    [4],
    [axisMap(1, [[0, 1]], -1)],
    [9],
    [axisMap(1, [[0, 1]], 2)],
  ),
  "a summed loop shorter than both operands": indexCase(
    [d(3)],
    0,
    [6],
    [axisMap(1, [[0, 1]], 1)],
    [7],
    [axisMap(1, [[0, 2]], 0)],
  ),
  "a diagonal": indexCase([d(4)], 1, [4, 4], [axisMap(1, [[0, 1]]), axisMap(1, [[0, 1]])]),
  "a diagonal with strides": indexCase([d(4)], 1, [7, 10], [axisMap(1, [[0, 2]]), axisMap(1, [[0, 3]], 1)]),
  flip: indexCase([d(5)], 1, [5], [axisMap(1, [[0, -1]], 4)]),
  "flip with a stride": indexCase([d(3)], 1, [7], [axisMap(1, [[0, -3]], 6)]),
  "flip of a free size": indexCase([b8], 1, [b8], [axisMap(1, [[0, -1]], dim.subtract(b8, dim.one))]),
  "an axis that is always read at one place": indexCase(
    [b8],
    1,
    [b8, 3],
    [axisMap(1, [[0, 1]]), axisMap(1, [], 2)],
  ),
  "two loops with strides and one more": indexCase(
    [d(3), d(2), d(4)],
    2,
    [24],
    [
      axisMap(
        3,
        [
          [0, 6],
          [1, 4],
          [2, 2],
        ],
        -2,
      ),
    ],
  ),
  "a stride with a start that is not known": indexCase(
    [d(3), d(2)],
    1,
    [dim.add(b8, d(4))],
    [
      axisMap(
        2,
        [
          [0, 2],
          [1, 3],
        ],
        dim.subtract(dim.one, b8),
      ),
    ],
  ),
  "a negative stride with a start that is not known": indexCase(
    [d(3)],
    1,
    [dim.add(b8, d(4))],
    [axisMap(1, [[0, -2]], dim.add(b8, d(2)))],
  ),
  "strides of free sizes": indexCase(
    [b8, d(2), d(2)],
    2,
    [dim.add(dim.multiply(b8, d(2)), d(1)), 2],
    [
      axisMap(3, [
        [0, 2],
        [2, 1],
      ]),
      axisMap(3, [[1, 1]]),
    ],
    [2],
    [axisMap(3, [[2, 1]])],
    { B: 5 },
  ),
  "sums over windows": indexCase(
    [d(3), d(3)],
    1,
    [8],
    [
      axisMap(
        2,
        [
          [0, 3],
          [1, 1],
        ],
        -1,
      ),
    ],
  ),
  "windows side by side": indexCase(
    [b8, d(3), d(2), d(4)],
    2,
    [9, 8],
    [
      axisMap(4, [[1, 3]]),
      axisMap(4, [
        [2, 4],
        [3, 1],
      ]),
    ],
  ),
  "windows side by side that begin later and do not fill": indexCase(
    [d(3), d(2), d(2), d(3)],
    2,
    [10, 8],
    [
      axisMap(
        4,
        [
          [0, 2],
          [2, 1],
        ],
        2,
      ),
      axisMap(
        4,
        [
          [1, 3],
          [3, 1],
        ],
        -3,
      ),
    ],
    [2, 3],
    [axisMap(4, [[2, 1]]), axisMap(4, [[3, 1]])],
  ),
  "windows side by side of a free size": indexCase(
    [b8, d(2)],
    1,
    [dim.multiply(b8, d(2))],
    [
      axisMap(2, [
        [0, 2],
        [1, 1],
      ]),
    ],
  ),
  "a gap between windows": indexCase(
    [d(3), d(2)],
    1,
    [12],
    [
      axisMap(2, [
        [0, 4],
        [1, 1],
      ]),
    ],
  ),
  "no element": indexCase([d(0), d(2)], 1, [0, 2], [axisMap(2, [[0, 1]]), axisMap(2, [[1, 1]])]),
  "a sum of nothing": indexCase([d(2), d(0)], 1, [2, 0], [axisMap(2, [[0, 1]]), axisMap(2, [[1, 1]])]),
};
for (const length of [5, 6, 7, 8])
  for (const [size, stride, dilation, before] of [
    [3, 1, 1, 1],
    [3, 2, 1, 1],
    [2, 2, 1, 0],
    [3, 2, 2, 2],
    [3, 3, 2, 1],
    [1, 2, 1, 0],
    [4, 3, 1, 0],
    [2, 4, 2, 1],
    [3, 4, 2, 3],
  ] as const) {
    (indexCases as Record<string, Case>)[
      `convolution of ${length}, size ${size}, stride ${stride}, dilation ${dilation}, padding ${before}`
    ] = convolution(length, size, stride, dilation, before);
  }

describe("elementwise", () => {
  for (const op of ops.filter((each) => each.cheap && typeof each.gradient === "function")) {
    if (op.name in cases) continue;
    test(op.name, () => {
      const names = op.operands.map((_, i) => `x${i}`);
      const single: Case = {
        inputs: Object.fromEntries(names.map((name) => [name, f(b8, 5)])),
        make: (b, inputs) =>
          b.emit(
            op,
            names.map((name) => inputs[name]!),
          ),
        ranges: Object.fromEntries(names.map((name, i) => [name, op.domain?.[i] ?? [-2, 2]])),
        ...(op.kinks ? { avoid: op.kinks } : {}),
      };
      for (let salt = 0; salt < 5; salt++) check(single, salt);
      check({ ...single, sizes: { B: 1 } }, 5);
    });
  }
});

describe("views, reductions, tables", () => {
  for (const [name, each] of Object.entries(cases))
    test(name, () => each.forEach((one, salt) => check(one, salt)));
});

describe("index", () => {
  for (const [name, each] of Object.entries(indexCases)) test(name, () => check(each, 0));

  test("windows side by side need no classes", () => {
    const b = graphBuilder();
    const x = b.input("x", "input", f(b8, 4, 6));
    const window = { size: 2, stride: 2, before: 0, after: 0 };
    const [y] = build.windowMax(b, x, [
      { axis: 1, ...window },
      { axis: 2, ...window },
    ]);
    const [dx] = differentiate(b, build.reduceSum(b, y, [0, 1, 2]), [x]);
    const outputs = [{ name: "dx", value: dx! }];
    const graph = b.finish({ name: "t", dims: [{ name: "B", max: undefined }], outputs, writes: [] });
    const names = optimize(graph).nodes.map((node) => node.op.name);
    for (const name of ["concat", "index", "slice"]) expect(names).not.toContain(name);
  });

  test("a strided gradient has one dense class per remainder, and no mask", () => {
    const graph = graphFor(convolution(8, 3, 2, 1, 1));
    const classes = graph.nodes.filter((node) => node.op.name === "index");
    // forward, two classes of x, one of w; each reads the cotangent and one operand
    expect(classes.length).toBe(4);
    for (const node of classes) expect(node.operands.length).toBe(2);
  });
});

describe("every op with a gradient", () => {
  test("is tested above", () => {
    // in test/loops.test.ts
    const elsewhere = ["loop"];
    const missing = ops.filter(
      ({ name, gradient, cheap }) =>
        typeof gradient === "function" &&
        !cheap &&
        !(name in cases) &&
        ![...elsewhere, "index"].includes(name),
    );
    expect(missing.map((op) => op.name)).toEqual([]);
  });
});

describe("subgradients and what stops", () => {
  const gradientAt = (make: (b: GraphBuilder, x: Value) => Value, data: readonly number[]): number[] => {
    const b = graphBuilder();
    const x = b.input("x", "input", f(data.length));
    const y = make(b, x);
    const loss = build.reduceSum(
      b,
      y,
      y.type.shape.map((_, axis) => axis),
    );
    const [gradient] = differentiate(b, loss, [x]);
    if (!gradient) return [];
    const graph = b.finish({ name: "t", dims: [], outputs: [{ name: "g", value: gradient }], writes: [] });
    const { outputs } = evaluate(graph, new Map([["x", tensor("f32", [data.length], data)]]), new Map());
    return [...outputs.get("g")!.data];
  };

  test("relu and abs have derivative 0 at 0", () => {
    expect(gradientAt((b, x) => build.relu(b, x), [-1, 0, 2])).toEqual([0, 0, 1]);
    expect(gradientAt((b, x) => build.abs(b, x), [-1, 0, 2])).toEqual([-1, 0, 1]);
  });

  test("reduce max shares evenly among equals, window_max takes the first", () => {
    expect(gradientAt((b, x) => build.reduceMax(b, x, [0]), [1, 3, 3, 2])).toEqual([0, 0.5, 0.5, 0]);
    const window = { axis: 0, size: 2, stride: 1, before: 0, after: 0 };
    expect(gradientAt((b, x) => build.windowMax(b, x, [window])[0], [3, 3, 3, 2])).toEqual([1, 1, 1, 0]);
  });

  test("detach, floor and comparisons give no cotangent at all", () => {
    expect(gradientAt((b, x) => build.detach(b, x), [1])).toEqual([]);
    expect(gradientAt((b, x) => build.floor(b, x), [1])).toEqual([]);
    expect(gradientAt((b, x) => build.cast(b, build.lt(b, x, build.fullLike(b, 0, x)), "f32"), [1])).toEqual(
      [],
    );
  });

  test("a value between is a valid wrt, and one of another counts both ways", () => {
    const b = graphBuilder();
    const x = b.input("x", "input", f(2));
    const part = build.slice(b, x, 0, d(1), d(1));
    const loss = build.add(b, build.reduceSum(b, build.mul(b, part, part), [0]), build.reduceSum(b, x, [0]));
    const [ofX, ofPart, ofLoss] = differentiate(b, loss, [x, part, loss]);
    const outputs = [
      { name: "x", value: ofX! },
      { name: "part", value: ofPart! },
      { name: "loss", value: ofLoss! },
    ];
    const graph = b.finish({ name: "t", dims: [], outputs, writes: [] });
    const found = evaluate(graph, new Map([["x", tensor("f32", [2], [5, 3])]]), new Map()).outputs;
    expect([...found.values()].map((each) => [...each.data])).toEqual([[1, 7], [6], [1]]);
  });
});
