/** Margins along axes that `over` names: pad adds zeros, crop cuts off. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { computed, emit, moved } from "../emit.ts";
import { reportTooSmall } from "../fits.ts";
import { checkType } from "../type.ts";
import type { Axis, Size } from "../type.ts";
import { unknown } from "../values.ts";
import type { TensorValue } from "../values.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { numberArgument, overPlaces, refuse, sizeArgument, tensorArgument } from "./helpers.ts";

const x = { name: "x" } as const;
const before = { name: "before" } as const;
const after = { name: "after", optional: true } as const;

interface Margins {
  readonly before: Size;
  readonly after: Size;
}

/** `before` and `after` of the call, `after` being the same where it is left out; undefined after a message. */
function marginsOf(call: BuiltinCall): Margins | undefined {
  const first = marginOf(call, "before");
  const second = first && call.configuration.has("after") ? marginOf(call, "after") : first;
  return first && second && { before: first, after: second };
}

/** A size of at least 0, a free one too; undefined after a message, or where it is left out. */
function marginOf(call: BuiltinCall, name: "before" | "after"): Size | undefined {
  const given = call.configuration.get(name);
  if (!given) return undefined;
  const { solver, alone } = call.frame.elaboration;
  const wanted = "a whole number that is not negative";
  const isFree = given.value.kind === "number" && given.value.value === undefined && given.value.dim;
  if (!isFree) {
    const number = numberArgument(call, name, undefined)?.value;
    if (number !== undefined && !(Number.isInteger(number) && number >= 0)) {
      refuse(call.frame, given.span, wanted, String(number));
      return undefined;
    }
  }
  const size = sizeArgument(call, name);
  if (!size || alone || solver.atMost(dim.zero, size.dim).kind === "proved") return size;
  refuse(call.frame, given.span, wanted, `${solver.show(size.dim)}, which may be`);
  return undefined;
}

function resized(
  tensor: TensorValue,
  place: number,
  size: Dim,
  call: BuiltinCall,
  parts: readonly Size[],
): Axis {
  const axis = tensor.type.axes[place]!;
  const parents = [...parts, axis.size].map((each) => each.origin);
  return { ...axis, size: { dim: size, origin: { kind: "rule", span: call.span, parents } } };
}

const pad: Builtin = {
  name: "pad",
  signature: "pad(before, after = before)(x) over axes",
  doc: "Zeros before the first and after the last element of each axis that `over` names.",
  configuration: [before, after],
  tensors: [x],
  over: "required",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "pad");
    const margins = tensor && marginsOf(call);
    const places = margins && overPlaces(call, "pad", tensor);
    if (!places || !arithmeticIsAllowed(call.frame, "`pad`", [tensor])) return unknown;
    const both = [margins.before, margins.after];
    const [low, high] = [margins.before.dim, margins.after.dim];
    const axes = tensor.type.axes.map((axis, place) =>
      places.includes(place)
        ? resized(tensor, place, dim.add(dim.add(low, axis.size.dim), high), call, both)
        : axis,
    );
    const node = emit(call.frame, call.span, [tensor.value], (b, [v]) =>
      places.reduce((value, place) => build.pad(b, value, place, low, high), v!),
    );
    return computed([tensor], checkType("f32", axes), node, call.span);
  },
};

/** What is left of an axis: where it begins and its size. */
interface Part {
  readonly start: Dim;
  readonly count: Dim;
  readonly from: readonly Size[];
}

function partOf(call: BuiltinCall, tensor: TensorValue, place: number): Part | undefined {
  const { solver } = call.frame.elaboration;
  const { label, size } = tensor.type.axes[place]!;
  const whole = solver.normalise(size.dim);
  if (!call.tensors.has("like")) {
    const margins = marginsOf(call);
    if (!margins) return undefined;
    const cut = dim.add(margins.before.dim, margins.after.dim);
    const from = [margins.before, margins.after];
    return { start: margins.before.dim, count: dim.subtract(whole, cut), from };
  }
  const like = tensorArgument(call, "like", "crop");
  if (!like) return undefined;
  const sameRank = like.type.axes.length === tensor.type.axes.length;
  const named = like.type.axes.find((axis) => label !== undefined && axis.label === label);
  const other = named ?? (sameRank ? like.type.axes[place] : undefined);
  if (!other) {
    refuse(call.frame, like.span, `a tensor with the axis ${label ?? place}`, "one without");
    return undefined;
  }
  const count = solver.normalise(other.size.dim);
  const start = dim.floorDivide(dim.subtract(whole, count), dim.constant(2));
  return { start, count, from: [other.size] };
}

/** Says of an axis that it is too small for what is cut off, or for what is left. */
function reportCut(call: BuiltinCall, places: readonly number[], tensor: TensorValue, at: number): void {
  const { solver } = call.frame.elaboration;
  const demands = places.flatMap((place) => {
    const part = partOf(call, tensor, place);
    const size = tensor.type.axes[place]!.size;
    const right = solver.normalise(size.dim);
    if (!part) return [];
    const needed = call.tensors.has("like") ? part.count : dim.add(dim.subtract(right, part.count), dim.one);
    return [{ place, size, needed, fact: { kind: "at-most", left: needed, right } as const }];
  });
  const { size, needed, fact } = demands.find(({ place }) => place === at)!;
  reportTooSmall(call.frame, call.span, {
    axis: tensor.type.axes[at]!.label ?? `axis ${at + 1}`,
    needed,
    size,
    demanded: fact,
    facts: demands.map((each) => each.fact),
    pads: false,
  });
}

const crop: Builtin = {
  name: "crop",
  signature: "crop(before, after = before)(x) over axes, crop(like = y)(x) over axes",
  doc: "Cuts off the first and the last elements of each axis that `over` names; with `like` the middle is left, of y's size.",
  configuration: [{ name: "before", optional: true }, after],
  tensors: [x, { name: "like", optional: true }],
  over: "required",
  run: (call) => {
    const tensor = tensorArgument(call, "x", "crop");
    const places = tensor && overPlaces(call, "crop", tensor);
    if (!places) return unknown;
    if (call.configuration.has("before") === call.tensors.has("like")) {
      refuse(call.frame, call.span, "either `crop(before, after)` or `crop(like = y)`", "both or none");
      return unknown;
    }
    const { solver, alone } = call.frame.elaboration;
    let node = tensor.value;
    const axes = [...tensor.type.axes];
    for (const place of places) {
      const part = partOf(call, tensor, place);
      if (!part) return unknown;
      const { start, count } = part;
      const whole = axes[place]!.size.dim;
      const fits =
        solver.atMost(dim.one, count).kind === "proved" && solver.atMost(count, whole).kind === "proved";
      const known =
        dim.constantOf(solver.normalise(count)) !== undefined && dim.constantOf(whole) !== undefined;
      if (!fits && (known || !alone)) {
        reportCut(call, places, tensor, place);
        return unknown;
      }
      axes[place] = resized(tensor, place, count, call, part.from);
      node = emit(call.frame, call.span, [node], (b, [v]) => build.slice(b, v!, place, start, count));
    }
    return moved(tensor, { ...tensor.type, axes }, node, call.span);
  },
};

export const marginBuiltins: readonly Builtin[] = [pad, crop];
