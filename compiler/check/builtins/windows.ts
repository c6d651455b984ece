/** Windows that slide over two spatial axes, and whether one fits. */
import * as dim from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { dot } from "../dot.ts";
import { roomFor } from "../fits.ts";
import { computed, emit } from "../emit.ts";
import { reportOverNeeded } from "../over.ts";
import { checkType } from "../type.ts";
import type { Axis, Size } from "../type.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CheckValue, NumberValue } from "../values.ts";
import { dimNumber } from "../numbers.ts";
import { nearestSpans } from "../origin.ts";
import type { SizeOrigin } from "../origin.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { numberArgument, refuse, sizeArgument, tensorArgument } from "./helpers.ts";

/** The place of the largest number is kept in one byte. */
const mostPositions = 256;

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
    const [size, stride, top, left] = ["size", "stride", "top", "left"].map((name) =>
      numberArgument(call, name, undefined),
    );
    const p = sizeArgument(call, "P");
    const q = sizeArgument(call, "Q");
    if (!x || !size || !stride || !top || !left || !p || !q) return unknown;
    if (!arithmeticIsAllowed(call.frame, "`window_max`", [x])) return unknown;
    const side = size.value ?? 1;
    if (side * side > mostPositions) {
      refuse(call.frame, call.span, "a window of at most 16 by 16", `${side} by ${side}`);
      return unknown;
    }
    if (Math.max(top.value ?? 0, left.value ?? 0) >= side) {
      refuse(
        call.frame,
        call.span,
        "less padding than the window is wide",
        String(Math.max(top.value ?? 0, left.value ?? 0)),
      );
      return unknown;
    }
    const [batch, height, width, channels] = x.type.axes;
    if (!batch || !height || !width || !channels) return unknown;
    const { solver } = call.frame.elaboration;
    const axes: Axis[] = [batch, { ...height, size: p }, { ...width, size: q }, channels];
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

/** Numbers of n, size and stride, and the padding; undefined after a message. */
function windowArguments(call: BuiltinCall):
  | {
      readonly n: Dim;
      readonly size: Dim;
      readonly stride: Dim;
      readonly pad: CheckValue;
      readonly kept: SizeOrigin;
      readonly origin: SizeOrigin;
    }
  | undefined {
  const [n, size, stride] = ["n", "size", "stride"].map((name) => sizeArgument(call, name));
  const pad = call.configuration.get("pad");
  if (!n || !size || !stride || !pad) return undefined;
  if (!atLeast(call, size, 1, "a window") || !atLeast(call, stride, 1, "a stride")) return undefined;
  const { value } = pad;
  const cells = cellsOf(value);
  if (cells?.some((each) => !atLeast(call, { dim: each.dim, origin: each.origin }, 0, "padding")))
    return undefined;
  const isWord =
    value.kind === "word" && (value.text === "same" || value.text === "same_upper" || value.text === "valid");
  if (!cells && !isWord) {
    refuse(
      call.frame,
      pad.span,
      "`same`, `same_upper`, `valid`, a number, or a pair `(before, after)` as padding",
      kindInWords(value),
    );
    return undefined;
  }
  const origin = { kind: "rule", span: call.span, parents: [stride.origin, size.origin, n.origin] } as const;
  return { n: n.dim, size: size.dim, stride: stride.dim, pad: value, kept: n.origin, origin };
}

/** Padding that is given in cells: before the first one and after the last. */
function cellsOf(pad: CheckValue): readonly [KnownNumber, KnownNumber] | undefined {
  const [before, after] = pad.kind === "list" && pad.items.length === 2 ? pad.items : [pad, pad];
  return isKnown(before) && isKnown(after) ? [before, after] : undefined;
}

type KnownNumber = NumberValue & { readonly dim: Dim };

function isKnown(value: CheckValue | undefined): value is KnownNumber {
  return value?.kind === "number" && value.dim !== undefined;
}

/** Says where a number is too small; one that is not known yet is promised to be large enough. */
function atLeast(call: BuiltinCall, size: Size, least: number, what: string): boolean {
  const known = dim.constantOf(size.dim);
  if (known === undefined || known >= least) return true;
  const span = nearestSpans(size.origin, 1)[0] ?? call.span;
  refuse(call.frame, span, `${what} of at least ${least}`, String(known));
  return false;
}

/** How many cells a window of `size` reaches before the first cell. */
function cellsBefore(n: Dim, size: Dim, stride: Dim, pad: CheckValue): Dim {
  const cells = cellsOf(pad);
  if (cells) return cells[0].dim;
  if (pad.kind !== "word" || pad.text === "valid") return dim.zero;
  if (pad.text === "same") return dim.floorDivide(dim.subtract(size, dim.one), dim.constant(2));
  // (ceil(n / stride) - 1) * stride + size - n cells are missing; the odd one stands at the end
  const last = dim.multiply(dim.subtract(dim.ceilDivide(n, stride), dim.one), stride);
  const missing = dim.subtract(dim.add(last, size), n);
  const known = dim.constantOf(missing);
  return known === undefined
    ? dim.floorDivide(missing, dim.constant(2))
    : dim.constant(Math.max(0, Math.floor(known / 2)));
}

const windowArgumentNames = ["n", "size", "stride", "pad"].map((name) => ({ name }));

const padding: Builtin = {
  name: "padding",
  signature: "padding(n, size, stride, pad)",
  doc: "How many cells of zeros stand before the first one, for a window that slides over n cells.",
  configuration: windowArgumentNames,
  tensors: [],
  over: "none",
  run: (call) => {
    const given = windowArguments(call);
    if (!given) return unknown;
    return dimNumber(cellsBefore(given.n, given.size, given.stride, given.pad), given.origin);
  },
};

const windows: Builtin = {
  name: "windows",
  signature: "windows(n, size, stride, pad)",
  doc: "How many places a window has that slides over n cells.",
  configuration: windowArgumentNames,
  tensors: [],
  over: "none",
  run: (call) => {
    const given = windowArguments(call);
    if (!given) return unknown;
    const { n, size, stride, pad, kept, origin } = given;
    if (pad.kind === "word" && pad.text === "same_upper") return dimNumber(dim.ceilDivide(n, stride), origin);
    const before = cellsBefore(n, size, stride, pad);
    const after = cellsOf(pad)?.[1].dim ?? before;
    const room = dim.subtract(dim.add(n, dim.add(before, after)), size);
    const result = dim.add(dim.floorDivide(room, stride), dim.one);
    // a size that stays comes from where it came from before
    return dimNumber(result, dim.equal(result, n) ? kept : origin);
  },
};

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
    if (n?.kind !== "number" || size?.kind !== "number" || !pad) return { kind: "boolean", value: undefined };
    const room = n.dim && size.dim && roomFor(n.dim, size.dim, pad);
    if (!size.dim || !room) return { kind: "boolean", value: undefined };
    const verdict = call.frame.elaboration.solver.atMost(size.dim, room);
    const never = verdict.kind === "refuted" && verdict.witness.size === 0;
    return { kind: "boolean", value: verdict.kind === "proved" ? true : never ? false : undefined };
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

export const windowBuiltins: readonly Builtin[] = [windowMax, padding, windows, fits, contraction];
