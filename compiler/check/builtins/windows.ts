/** Windows that slide over two spatial axes, and whether one fits. */
import * as dim from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { dot } from "../dot.ts";
import { computed, emit } from "../emit.ts";
import { reportOverNeeded } from "../over.ts";
import { checkType } from "../type.ts";
import type { Axis } from "../type.ts";
import { unknown } from "../values.ts";
import type { CheckValue } from "../values.ts";
import type { Builtin } from "./builtin.ts";
import { numberArgument, sizeArgument, tensorArgument } from "./helpers.ts";

/**
 * The largest number in each window of [B, H, W, C]. P and Q are the sizes of the result; top and left what is added
 * before the first row and column.
 */
const windowMax: Builtin = {
  name: "window_max",
  signature: "window_max(size, stride, top, left, P, Q)(x)",
  doc: "The largest number in each window of `size` by `size` that slides over H and W of [B, H, W, C].",
  configuration: ["size", "stride", "top", "left", "P", "Q"].map((name) => ({ name })),
  tensors: [{ name: "x" }],
  over: "none",
  run: (call) => {
    const x = tensorArgument(call, "x", "window_max");
    const [size, stride, top, left] = ["size", "stride", "top", "left"].map((name) => numberArgument(call, name, undefined));
    const p = sizeArgument(call, "P");
    const q = sizeArgument(call, "Q");
    if (!x || !size || !stride || !top || !left || !p || !q) return unknown;
    if (!arithmeticIsAllowed(call.frame, "`window_max`", [x])) return unknown;
    const [batch, height, width, channels] = x.type.axes;
    if (!batch || !height || !width || !channels) return unknown;
    const { solver } = call.frame.elaboration;
    const axes: Axis[] = [
      batch,
      { ...height, size: { dim: p.dim, origin: rule(call.span, height) } },
      { ...width, size: { dim: q.dim, origin: rule(call.span, width) } },
      channels,
    ];
    const node = emit(call.frame, call.span, [x.value], (b, [v]) => {
      const window = (axis: number, before: number, result: dim.Dim) => {
        const span = { size: size.value ?? 1, stride: stride.value ?? 1 };
        return { axis, ...span, before, after: paddingAfter(v!.type.shape[axis]!, result, before, span) };
      };
      return build.windowMax(b, v!, [
        window(1, top.value ?? 0, solver.normalise(p.dim)),
        window(2, left.value ?? 0, solver.normalise(q.dim)),
      ])[0];
    });
    return computed([x], checkType("f32", axes), node, call.span);
  },
};

function rule(span: BuiltinSpan, axis: Axis): Axis["size"]["origin"] {
  return { kind: "rule", span, parents: [axis.size.origin] };
}

type BuiltinSpan = Parameters<typeof emit>[1];

/** What must follow the last row so that there are `result` windows; for sizes that are free the same as before. */
function paddingAfter(
  n: dim.Dim,
  result: dim.Dim,
  before: number,
  { size, stride }: { readonly size: number; readonly stride: number },
): number {
  const known = dim.constantOf(n);
  const wanted = dim.constantOf(result);
  if (known === undefined || wanted === undefined) return before;
  return Math.max(0, (wanted - 1) * stride + size - before - known);
}

/** `fits(n, size, pad)`: whether a window of this size has a place. */
const fits: Builtin = {
  name: "fits",
  signature: "fits(n, size, pad)",
  doc: "True where a window of this size fits into n with this padding.",
  configuration: ["n", "size", "pad"].map((name) => ({ name })),
  tensors: [],
  over: "none",
  run: (call): CheckValue => {
    const [n, size, pad] = ["n", "size", "pad"].map((name) => call.configuration.get(name)?.value);
    if (pad?.kind === "word" && pad.text !== "valid") return { kind: "boolean", value: true };
    if (n?.kind !== "number" || size?.kind !== "number") return { kind: "boolean", value: undefined };
    const around = pad?.kind === "number" ? pad.value : 0;
    if (n.value === undefined || size.value === undefined || around === undefined)
      // a free size is promised to be large enough
      return { kind: "boolean", value: call.frame.elaboration.alone ? undefined : true };
    return { kind: "boolean", value: size.value <= n.value + 2 * around };
  },
};

const contraction: Builtin = {
  name: "dot",
  signature: "dot(a, b) over axes",
  doc: "The sum of products along axes that both have. Other common labels are paired; the rest follow, a's then b's.",
  configuration: [],
  tensors: [{ name: "a" }, { name: "b" }],
  over: "required",
  run: (call) => {
    const a = tensorArgument(call, "a", "dot");
    const b = tensorArgument(call, "b", "dot");
    if (!a || !b) return unknown;
    if (!call.over) {
      reportOverNeeded(call.frame, "dot", a.type, call.nameSpan);
      return unknown;
    }
    return dot(call.frame, a, b, call.over, call.span);
  },
};

export const windowBuiltins: readonly Builtin[] = [windowMax, fits, contraction];
