/** window_max: the largest number in each window, and where in the window it stands. */
import { isList, listAttribute, numbersOf } from "../ir/attribute.ts";
import * as dim from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import { defineOp } from "../ir/op.ts";
import { affineAdd, affineScale, affineShift, apply, f32 } from "../ir/scalar.ts";
import { tensor } from "../ir/tensor.ts";
import * as build from "./build.ts";
import { transposeIndex } from "./index-gradient.ts";
import { axisMap } from "./index-maps.ts";
import { eachPosition, flatten } from "./positions.ts";
import type { Attributes, ElementContext } from "../ir/op.ts";
import type { Scalar } from "../ir/scalar.ts";

/** One axis of a window; all are numbers of elements, `axis` the axis it lies along. */
export interface Window {
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
}

export function windowsOf(attributes: Attributes): readonly Window[] {
  return listAttribute(attributes, "windows").map((each) => {
    const [axis, size, stride, before, after] = numbersOf(isList(each) ? each : [], "windows");
    return { axis: axis!, size: size!, stride: stride!, before: before!, after: after! };
  });
}

/** The lowest finite f32: no finite number is below it, so padding never wins. */
const lowest = -3.4028234663852886e38;

/** The element of the operand that a window at the wanted result has at position `inner`. */
function windowed(
  context: ElementContext,
  windows: readonly Window[],
  inner: readonly Parameters<typeof affineShift>[0][],
): Scalar {
  const at = [...context.index];
  windows.forEach(({ axis, stride, before }, i) => {
    at[axis] = affineShift(affineAdd(affineScale(at[axis]!, stride), inner[i]!), -before);
  });
  const value = context.read(0, at);
  const padded = windows.some(({ before, after }) => before > 0 || after > 0);
  return padded ? apply("select", context.inside(0, at), value, f32(lowest)) : value;
}

export const windowMax = defineOp({
  name: "window_max",
  summary:
    "The largest number in each window, and its row-major position in the window as u8: the first one where several are equal; padding never wins.",
  operands: ["x"],
  attributes: { windows: "for each windowed axis [axis, size, stride, before, after], axes rising" },
  infer([x], attributes) {
    if (x!.dtype !== "f32") return { mismatch: `window_max takes f32, not ${x!.dtype}` };
    const windows = windowsOf(attributes);
    const shape = [...x!.shape];
    for (const [i, { axis, size, stride, before, after }] of windows.entries()) {
      if (!shape[axis] || (i > 0 && axis <= windows[i - 1]!.axis))
        return { mismatch: "axes must rise and exist" };
      if (!(size >= 1 && stride >= 1 && before >= 0 && after >= 0 && before < size && after < size))
        return {
          mismatch: "a window needs a size and a stride of at least 1, and less padding than its size",
        };
      if (dim.constantOf(shape[axis]!) === 0) return { mismatch: "there is no largest of nothing" };
      const room = dim.add(shape[axis]!, dim.constant(before + after - size));
      if ((dim.constantOf(room) ?? 0) < 0)
        return { mismatch: `a window of ${size} does not fit axis ${axis}` };
      shape[axis] = dim.add(dim.floorDivide(room, dim.constant(stride)), dim.one);
    }
    if (windows.reduce((count, { size }) => count * size, 1) > 256)
      return { mismatch: "a window has at most 256 positions" };
    return [
      { dtype: "f32", shape },
      { dtype: "u8", shape },
    ];
  },
  evaluate([x], attributes, { results }) {
    const windows = windowsOf(attributes);
    const values = tensor("f32", results[0]!.shape);
    const places = tensor("u8", results[0]!.shape);
    const sizes = windows.map(({ size }) => size);
    eachPosition(values.shape, (position, flat) => {
      let found = false;
      eachPosition(sizes, (inner, place) => {
        const at = [...position];
        windows.forEach(
          ({ axis, stride, before }, i) => (at[axis] = at[axis]! * stride + inner[i]! - before),
        );
        if (at.some((p, axis) => p < 0 || p >= x!.shape[axis]!)) return;
        const value = x!.data[flatten(at, x!.shape)]!;
        if (found && !(value > values.data[flat]!)) return;
        values.data[flat] = value;
        places.data[flat] = place;
        found = true;
      });
      if (!found) throw new InternalError("evaluate", "a window holds nothing but padding", undefined);
    });
    return [values, places];
  },
  element(context, attributes, result) {
    const windows = windowsOf(attributes);
    const sizes = windows.map(({ size }) => dim.constant(size));
    return context.reduce(result === 0 ? "max" : "argmax", sizes, (inner) =>
      windowed(context, windows, inner),
    );
  },
  /** The cotangent, put at the chosen position of each window, goes back through the view that made windows of the operand. */
  gradient({ builder: b, node, cotangents }, attributes) {
    const ct = cotangents[0];
    if (!ct) return [undefined];
    const windows = windowsOf(attributes);
    const { shape } = node.results[0]!.type;
    const sizes = windows.map(({ size }) => dim.constant(size));
    const axes = [...shape, ...sizes];
    const own = shape.map((_, axis) => axis);
    const last = sizes.map((_, i) => shape.length + i);
    const numbers =
      sizes.length === 0 ? build.constantScalar(b, 0, "i32") : build.iota(b, [dim.product(sizes)], 0);
    const places = sizes.length === 0 ? numbers : build.split(b, numbers, 0, sizes);
    const chosen = build.expandTo(b, build.cast(b, node.results[1]!, "i32"), axes, own);
    const here = build.eq(b, chosen, build.expandTo(b, places, axes, last));
    const spread = build.expandTo(b, ct, axes, own);
    const placed = build.select(b, here, spread, build.fullLike(b, 0, spread));
    const maps = shape.map((_, axis) => {
      const i = windows.findIndex((window) => window.axis === axis);
      const window = windows[i];
      if (!window) return axisMap(axes.length, [[axis, 1]]);
      const terms = [
        [axis, window.stride],
        [shape.length + i, 1],
      ] as const;
      return axisMap(axes.length, terms, -window.before);
    });
    return [transposeIndex(b, { axes, result: axes.length, maps: [maps] }, node.operands, 0, placed)];
  },
  examples: [
    {
      operands: [tensor("f32", [4, 4], [1, 2, 5, 5, 3, 4, 5, 5, -1, -2, -3, -3, -4, -5, -1, -9])],
      attributes: {
        windows: [
          [0, 2, 2, 0, 0],
          [1, 2, 2, 0, 0],
        ],
      },
      results: [tensor("f32", [2, 2], [4, 5, -1, -1]), tensor("u8", [2, 2], [3, 0, 0, 2])],
    },
    {
      operands: [tensor("f32", [4], [-1, -2, -3, -4])],
      attributes: { windows: [[0, 3, 2, 1, 1]] },
      results: [tensor("f32", [2], [-1, -2]), tensor("u8", [2], [1, 0])],
    },
  ],
  cheap: false,
});
