/** Functions that change axes: squeeze, expand, split, concat, flatten, flip; and number types: float, scale, normalize. */
import * as dim from "../../ir/dim.ts";
import { tensor as hostTensor } from "../../ir/tensor.ts";
import * as build from "../../ops/build.ts";
import { asTensor } from "../arithmetic.ts";
import { differentSizes } from "../diagnostics/dlm0401-different-sizes.ts";
import { integerArithmetic } from "../diagnostics/dlm0303-not-mixed.ts";
import { computed, emit, expandTo, moved } from "../emit.ts";
import { mergeAxis } from "../elementwise.ts";
import { originLabels } from "../origin.ts";
import { resolveOver } from "../over.ts";
import { isEmpty, reportQuotient } from "../sizes.ts";
import { symbolicNumber } from "../numbers.ts";
import { checkType, dtypeOf, showType } from "../type.ts";
import type { Axis } from "../type.ts";
import { unknown } from "../values.ts";
import type { CheckValue, TensorValue } from "../values.ts";
import type { Builtin, BuiltinCall, Given } from "./builtin.ts";
import { numberArgument, refuse, sizeArgument, tensorArgument, tensorOfGiven } from "./helpers.ts";

const x = { name: "x" } as const;

const squeeze: Builtin = {
  name: "squeeze",
  signature: "squeeze(x), squeeze(x) over axis",
  doc: "Drops the axes of size 1, or those that `over` names.",
  configuration: [],
  tensors: [x],
  over: "optional",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "squeeze");
    if (!tensor) return unknown;
    const { solver } = call.frame.elaboration;
    const isOne = (axis: Axis): boolean => dim.constantOf(solver.normalise(axis.size.dim)) === 1;
    const named = call.over && resolveOver(call.frame, call.over, tensor.type, tensor.span);
    if (call.over && !named) return unknown;
    const places = named ?? tensor.type.axes.flatMap((axis, i) => (isOne(axis) ? [i] : []));
    const wrong = places.find((place) => !isOne(tensor.type.axes[place]!));
    if (places.length === 0 || wrong !== undefined) {
      refuse(call.frame, call.span, "an axis of size 1 to drop", showType(tensor.type, solver.show));
      return unknown;
    }
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) =>
      places.toReversed().reduce((value, place) => build.dropAxis(b, value, place), v!),
    );
    const axes = tensor.type.axes.filter((_, i) => !places.includes(i));
    return moved(tensor, { ...tensor.type, axes }, node, call.span);
  },
};

const expand: Builtin = {
  name: "expand",
  signature: "expand(Size, at = place)(x)",
  doc: "Repeats a tensor along a new axis, which stands at place `at` (counted from 0); without it before the last axis.",
  configuration: [{ name: "Size" }, { name: "at", optional: true }],
  tensors: [x],
  over: "none",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "expand");
    const size = sizeArgument(call, "Size");
    if (!tensor || !size || isEmpty(call.frame, size, call.span)) return unknown;
    const rank = tensor.type.axes.length;
    const at = numberArgument(call, "at", Math.max(0, rank - 1))?.value;
    if (at === undefined || !Number.isInteger(at) || at < 0 || at > rank) {
      if (at !== undefined) refuse(call.frame, call.span, `a place from 0 to ${rank}`, String(at));
      return unknown;
    }
    const axes = [...tensor.type.axes];
    axes.splice(at, 0, { label: size.label, size });
    const places = tensor.type.axes.map((_, i) => (i < at ? i : i + 1));
    return moved(
      tensor,
      { ...tensor.type, axes },
      expandTo(call.frame, tensor, axes, places, call.span),
      call.span,
    );
  },
};

/** The axis that `over` names, else the last one. */
function axisOrLast(call: BuiltinCall, tensor: TensorValue): number | undefined {
  if (call.over) return resolveOver(call.frame, call.over, tensor.type, tensor.span)?.[0];
  if (tensor.type.axes.length > 0) return tensor.type.axes.length - 1;
  refuse(call.frame, tensor.span, "a tensor with an axis", "a single number");
  return undefined;
}

const split: Builtin = {
  name: "split",
  signature: "split(parts)(x), ... over axis",
  doc: "Equal parts of the last axis, or of the one that `over` names.",
  configuration: [{ name: "parts" }],
  tensors: [x],
  over: "optional",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "split");
    const parts = numberArgument(call, "parts", undefined)?.value;
    const place = tensor && axisOrLast(call, tensor);
    if (!tensor || parts === undefined || place === undefined) return unknown;
    if (!Number.isInteger(parts) || parts < 1 || parts > 10_000) {
      refuse(call.frame, call.span, "a number of parts from 1 to 10,000", String(parts));
      return unknown;
    }
    const { solver } = call.frame.elaboration;
    const axis = tensor.type.axes[place]!;
    const divisor = dim.constant(parts);
    if (solver.divides(divisor, axis.size.dim).kind !== "proved") {
      const quotient = { left: axis.size.dim, right: divisor, span: call.span };
      reportQuotient(call.frame, symbolicNumber(axis.size.origin, quotient), call.span);
      return unknown;
    }
    const size = solver.quotient(axis.size.dim, divisor);
    const origin = { kind: "rule", span: call.span, parents: [axis.size.origin] } as const;
    const label = parts === 1 ? axis.label : undefined;
    const axes = tensor.type.axes.map((each, i): Axis =>
      i === place ? { label, size: { dim: size, origin } } : each,
    );
    const items = Array.from({ length: parts }, (_, i) => {
      const node = emit(call.frame, call.span, [tensor.value], (b, [v]) =>
        build.slice(b, v!, place, dim.multiply(size, dim.constant(i)), size),
      );
      return moved(tensor, { ...tensor.type, axes }, node, call.span);
    });
    return { kind: "list", items, span: call.span };
  },
};

const concat: Builtin = {
  name: "concat",
  signature: "concat(a, b, ...), ... over axis",
  doc: "Tensors one behind the other, along the last axis or the one that `over` names. All other axes have equal sizes.",
  configuration: [],
  tensors: [{ name: "parts", rest: true }],
  over: "optional",
  run: (call) => {
    const given = call.rest.flatMap((each): Given[] =>
      each.value.kind === "list" ? each.value.items.map((value) => ({ ...each, value })) : [each],
    );
    if (given.some((each) => each.value.kind === "unknown")) return unknown;
    const tensors: TensorValue[] = [];
    for (const each of given) {
      const own = each.value.kind === "tensor" ? each.value : tensorOfGiven(call.frame, each, "concat");
      if (!own) return unknown;
      tensors.push(own);
    }
    const [first, ...others] = tensors;
    if (!first) return unknown;
    const place = axisOrLast(call, first);
    if (place === undefined) return unknown;
    const { solver, session } = call.frame.elaboration;
    const axes = [...first.type.axes];
    const sizes = [axes[place]!.size];
    let { label } = axes[place]!;
    for (const other of others) {
      const bad = other.type.axes.findIndex(
        (axis, i) =>
          i !== place && (!axes[i] || solver.equal(axis.size.dim, axes[i].size.dim).kind !== "proved"),
      );
      if (dtypeOf(other.type) !== dtypeOf(first.type)) {
        session.report(call.frame, integerArithmetic, {
          span: other.span,
          what: "`concat`",
          element: other.type.element,
          type: showType(other.type, solver.show),
          others: [first.type.element],
        });
        return unknown;
      }
      if (other.type.axes.length !== axes.length || bad >= 0) {
        const odd = other.type.axes[bad];
        session.report(call.frame, differentSizes, {
          span: other.span,
          name: "concat",
          this: showType(other.type, solver.show),
          other: { span: first.span, text: showType(first.type, solver.show) },
          origins: odd
            ? originLabels(solver.show(odd.size.dim), odd.size.origin, [other.span, first.span])
            : [],
          one: false,
        });
        return unknown;
      }
      other.type.axes.forEach((axis, i) => {
        if (i !== place) axes[i] = mergeAxis(axes[i]!, axis);
      });
      sizes.push(other.type.axes[place]!.size);
      if (other.type.axes[place]!.label !== label) label = undefined;
    }
    const total = sizes.map((size) => size.dim).reduce(dim.add);
    axes[place] = {
      label,
      size: {
        dim: total,
        origin: { kind: "rule", span: call.span, parents: sizes.map((size) => size.origin) },
      },
    };
    const node = emit(
      call.frame,
      call.span,
      tensors.map((tensor) => tensor.value),
      (b, values) => build.concat(b, values, place),
    );
    const bound = tensors.length === 1 ? first.type.bound : undefined;
    return computed(tensors, checkType(first.type.element, axes, bound), node, call.span);
  },
};

const flatten: Builtin = {
  name: "flatten",
  signature: "flatten(x)",
  doc: "All axes but the first as one.",
  configuration: [],
  tensors: [x],
  over: "none",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "flatten");
    if (!tensor) return unknown;
    const [batch, ...rest] = tensor.type.axes;
    if (!batch) {
      refuse(call.frame, tensor.span, "a tensor with axes", "a single number");
      return unknown;
    }
    const size = dim.product(rest.map((axis) => axis.size.dim));
    const origin = { kind: "rule", span: call.span, parents: rest.map((axis) => axis.size.origin) } as const;
    const label = rest.length === 1 ? rest[0]!.label : undefined;
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => build.merge(b, v!, 1, rest.length));
    return moved(
      tensor,
      { ...tensor.type, axes: [batch, { label, size: { dim: size, origin } }] },
      node,
      call.span,
    );
  },
};

/** Reversed along an axis: read by an index that falls. */
const flip: Builtin = {
  name: "flip",
  signature: "flip(x) over axis",
  doc: "The same elements in reverse order along an axis.",
  configuration: [],
  tensors: [x],
  over: "required",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "flip");
    if (!tensor) return unknown;
    if (!call.over) {
      refuse(call.frame, call.span, "an axis: `flip over T`", "none");
      return unknown;
    }
    const place = resolveOver(call.frame, call.over, tensor.type, tensor.span)?.[0];
    if (place === undefined) return unknown;
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => {
      const { shape } = v!.type;
      return build.index(b, [v!], {
        axes: shape,
        result: shape.length,
        maps: [
          shape.map((size, axis) => ({
            constant: axis === place ? dim.subtract(size, dim.one) : dim.zero,
            coefficients: shape.map((_, loop) => (loop !== axis ? 0 : axis === place ? -1 : 1)),
          })),
        ],
      });
    });
    return moved(tensor, tensor.type, node, call.span);
  },
};

const float: Builtin = {
  name: "float",
  signature: "float(x)",
  doc: "The same numbers as floats; true is 1, false is 0.",
  configuration: [],
  tensors: [x],
  over: "none",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "float");
    if (!tensor) return unknown;
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => build.cast(b, v!, "f32"));
    return computed([tensor], checkType("f32", tensor.type.axes), node, call.span);
  },
};

const scale: Builtin = {
  name: "scale",
  signature: "scale(factor, shift = 0)(x)",
  doc: "factor * x + shift, as floats: bytes become numbers that a network likes.",
  configuration: [{ name: "factor" }, { name: "shift", optional: true }],
  tensors: [x],
  over: "none",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "scale");
    const factor = numberArgument(call, "factor", undefined);
    const shift = numberArgument(call, "shift", 0);
    if (!tensor || !factor || !shift) return unknown;
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => {
      const scaled = build.scale(b, build.cast(b, v!, "f32"), factor.value ?? 1);
      return shift.value ? build.shift(b, scaled, shift.value) : scaled;
    });
    return computed([tensor], checkType("f32", tensor.type.axes), node, call.span);
  },
};

/** A number, or a list with one number for each place of the last axis, as a tensor that goes with `like`. */
function perFeature(call: BuiltinCall, name: string, like: TensorValue): TensorValue | undefined {
  const given = call.configuration.get(name);
  if (!given) return undefined;
  const value: CheckValue = given.value;
  if (value.kind !== "list") return asTensor(call.frame, value, given.span);
  const last = like.type.axes.at(-1);
  const numbers = value.items.flatMap((item) =>
    item.kind === "number" && item.value !== undefined ? [item.value] : [],
  );
  if (!last || dim.constantOf(last.size.dim) !== numbers.length) {
    refuse(call.frame, given.span, "one number for each place of the last axis", `${numbers.length}`);
    return undefined;
  }
  const node = emit(call.frame, call.span, [], (b) =>
    build.expandTo(
      b,
      build.constantTensor(b, hostTensor("f32", [numbers.length], numbers)),
      like.type.axes.map((axis) => axis.size.dim),
      [like.type.axes.length - 1],
    ),
  );
  return { kind: "tensor", type: checkType("f32", like.type.axes), value: node, span: given.span };
}

const normalize: Builtin = {
  name: "normalize",
  signature: "normalize(mean, deviation)(x)",
  doc: "(x - mean) / deviation, as floats; both are a number, or a list with one for each channel.",
  configuration: [{ name: "mean" }, { name: "deviation" }],
  tensors: [x],
  over: "none",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "normalize");
    if (!tensor) return unknown;
    const mean = perFeature(call, "mean", tensor);
    const deviation = perFeature(call, "deviation", tensor);
    if (!mean || !deviation) {
      if (!call.configuration.has("mean") || !call.configuration.has("deviation"))
        refuse(call.frame, call.span, "`normalize(mean, deviation)`", "one of them");
      return unknown;
    }
    const node = emit(call.frame, call.span, [tensor.value, mean.value, deviation.value], (b, [v, m, d]) =>
      build.div(b, build.sub(b, build.cast(b, v!, "f32"), m!), d!),
    );
    return computed([tensor], checkType("f32", tensor.type.axes), node, call.span);
  },
};

export const shapeBuiltins: readonly Builtin[] = [
  squeeze,
  expand,
  split,
  concat,
  flatten,
  flip,
  float,
  scale,
  normalize,
];
