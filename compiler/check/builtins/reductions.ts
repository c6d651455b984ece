/** Reductions: the axes must be named by `over`. */
import * as dim from "../../ir/dim.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { computed, emit, moved } from "../emit.ts";
import { dimNumber } from "../numbers.ts";
import { checkType, shapeOf } from "../type.ts";
import { unknown } from "../values.ts";
import type { TensorValue } from "../values.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { overPlaces, refuse, tensorArgument } from "./helpers.ts";

type Reduce = (b: GraphBuilder, x: Value, axes: readonly number[]) => Value;

const x = { name: "x" } as const;

function without<T>(list: readonly T[], places: readonly number[]): T[] {
  return list.filter((_, i) => !places.includes(i));
}

export function reduceBuiltin(name: string, doc: string, make: Reduce): Builtin {
  return {
    name,
    signature: `${name}(x) over axes`,
    doc,
    configuration: [],
    tensors: [x],
    over: "required",
    run: (call) => {
      const tensor = tensorArgument(call, "x", name);
      if (!tensor) return unknown;
      const places = overPlaces(call, name, tensor);
      if (!places) return unknown;
      const counts = tensor.type.element === "bool" && (name === "mean" || name === "sum");
      if (!counts && !arithmeticIsAllowed(call.frame, `\`${name}\``, [tensor])) return unknown;
      const node = emit(call.frame, call.span, [tensor.value], (b, [v]) =>
        make(b, build.cast(b, v!, "f32"), places),
      );
      return computed([tensor], checkType("f32", without(tensor.type.axes, places)), node, call.span);
    },
  };
}

/** The number of elements along axes: known before running unless a dim is free. */
const count: Builtin = {
  name: "count",
  signature: "count(x) over axes",
  doc: "How many elements lie along the axes.",
  configuration: [],
  tensors: [x],
  over: "required",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "count");
    const places = tensor && overPlaces(call, "count", tensor);
    if (!tensor || !places) return unknown;
    const sizes = places.map((place) => shapeOf(tensor.type)[place]!);
    return dimNumber(dim.product(sizes), {
      kind: "rule",
      span: call.span,
      parents: places.map((place) => tensor.type.axes[place]!.size.origin),
    });
  },
};

/** One axis named by `over`; undefined after a message. */
function onlyPlace(call: BuiltinCall, name: string, tensor: TensorValue): number | undefined {
  const places = overPlaces(call, name, tensor);
  if (!places) return undefined;
  if (places.length === 1) return places[0];
  refuse(call.frame, call.over?.span ?? call.span, `one axis for \`${name}\``, `${places.length}`);
  return undefined;
}

function argReduce(name: "argmax" | "argmin", doc: string): Builtin {
  return {
    name,
    signature: `${name}(x) over axis`,
    doc,
    configuration: [],
    tensors: [x],
    over: "required",
    run: (call) => {
      const tensor = tensorArgument(call, "x", name);
      if (!tensor || !arithmeticIsAllowed(call.frame, `\`${name}\``, [tensor])) return unknown;
      const place = onlyPlace(call, name, tensor);
      if (place === undefined) return unknown;
      const axis = tensor.type.axes[place]!;
      const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => build[name](b, v!, place));
      const bound = { ...axis.size, label: axis.label };
      return computed([tensor], checkType("int", without(tensor.type.axes, [place]), bound), node, call.span);
    },
  };
}

function oneOf(name: "first" | "last_of", doc: string): Builtin {
  return {
    name,
    signature: `${name}(x) over axis`,
    doc,
    configuration: [],
    tensors: [x],
    over: "required",
    run: (call) => {
      const tensor = tensorArgument(call, "x", name);
      const place = tensor && onlyPlace(call, name, tensor);
      if (!tensor || place === undefined) return unknown;
      const axis = tensor.type.axes[place]!;
      const { solver } = call.frame.elaboration;
      const node = emit(call.frame, call.span, [tensor.value], (b, [v]) => {
        const size = solver.normalise(axis.size.dim);
        const at = name === "first" ? dim.zero : dim.subtract(size, dim.one);
        return build.dropAxis(b, build.slice(b, v!, place, at, dim.one), place);
      });
      return moved(tensor, { ...tensor.type, axes: without(tensor.type.axes, [place]) }, node, call.span);
    },
  };
}

/** `pick(x, id) over A`: the element of each row that the id names. */
const pick: Builtin = {
  name: "pick",
  signature: "pick(x, id) over axis",
  doc: "The element along one axis that an integer names. `id` has the other axes of `x`.",
  configuration: [],
  tensors: [x, { name: "id" }],
  over: "required",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "pick");
    const id = tensorArgument(call, "id", "pick");
    if (!tensor || !id || !arithmeticIsAllowed(call.frame, "`pick`", [tensor])) return unknown;
    const place = onlyPlace(call, "pick", tensor);
    if (place === undefined) return unknown;
    const rest = without(tensor.type.axes, [place]);
    const { solver } = call.frame.elaboration;
    const scalar = id.type.axes.length === 0 && rest.length > 0;
    const fits =
      scalar ||
      (id.type.axes.length === rest.length &&
        id.type.axes.every((axis, i) => solver.equal(axis.size.dim, rest[i]!.size.dim).kind === "proved"));
    if (!fits) {
      refuse(call.frame, id.span, "an integer for each row of `x`", "other sizes");
      return unknown;
    }
    const node = emit(call.frame, call.span, [tensor.value, id.value], (b, [v, ids]) => {
      const { shape } = v!.type;
      const others = shape.map((_, i) => i).filter((i) => i !== place);
      const wanted = build.expandTo(b, build.cast(b, ids!, "i32"), shape, scalar ? [] : others);
      const chosen = build.eq(b, wanted, build.iota(b, shape, place));
      return build.reduceSum(b, build.select(b, chosen, v!, build.fullLike(b, 0, v!)), [place]);
    });
    return computed([tensor], checkType("f32", rest), node, call.span);
  },
};

export const reductionBuiltins: readonly Builtin[] = [
  reduceBuiltin("sum", "The sum along axes.", build.reduceSum),
  reduceBuiltin("mean", "The mean along axes.", build.reduceMean),
  count,
  argReduce("argmax", "Where the largest number stands along an axis; the first where several are equal."),
  argReduce("argmin", "Where the smallest number stands along an axis; the first where several are equal."),
  oneOf("first", "What stands first along an axis."),
  oneOf("last_of", "What stands last along an axis."),
  pick,
];
