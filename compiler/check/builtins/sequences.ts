/**
 * Where in a sequence a program is: position, causal, cache. On whole sequences they need no memory. In a step program,
 * which sees a few new positions at a time, they know how many came before.
 */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { cacheBound } from "../diagnostics/dlm0503-cache-bound.ts";
import { axisMissing } from "../diagnostics/dlm0403-no-such-axis.ts";
import { emit, moved } from "../emit.ts";
import { stepAlong, userSpan } from "../frame.ts";
import type { Frame } from "../frame.ts";
import { nearest } from "../names.ts";
import { labelsOf } from "../over.ts";
import { sizeOf } from "../sizes.ts";
import { checkType, graphType, showType } from "../type.ts";
import type { Axis, Size } from "../type.ts";
import { unknown } from "../values.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { isTrue, refuse, sizeArgument, tensorArgument } from "./helpers.ts";

/** An axis that is given by its name or its size. */
function axisArgument(call: BuiltinCall, name: string): Axis | undefined {
  const given = call.tensors.get(name);
  const size = given && sizeOf(call.frame, given.value, given.span);
  return size && { label: given.value.kind === "number" ? given.value.label : undefined, size };
}

const position: Builtin = {
  name: "position",
  signature: "position(T, max = bound)",
  doc: "0, 1, 2, ... along an axis, as integers below `max`. A step program goes on where the last step ended.",
  configuration: [],
  tensors: [{ name: "T" }, { name: "max", optional: true }],
  over: "none",
  run: (call) => {
    const axis = axisArgument(call, "T");
    if (!axis) return unknown;
    const most = call.tensors.get("max");
    const bound = most ? sizeOf(call.frame, most.value, most.span) : axis.size;
    if (!bound) return unknown;
    const { solver } = call.frame.elaboration;
    const step = stepAlong(call.frame, axis.size.dim);
    if (most) step?.limit(solver.normalise(bound.dim), userSpan(call.frame, call.span));
    const node = emit(call.frame, call.span, [], (b) => {
      const own = build.iota(b, [solver.normalise(axis.size.dim)], 0);
      return step ? build.add(b, own, step.offset()) : own;
    });
    return { kind: "tensor", type: checkType("int", [axis], bound), value: node, span: call.span };
  },
};

const causal: Builtin = {
  name: "causal",
  signature: "causal(T, S)",
  doc: "True where position S is not after position T.",
  configuration: [],
  tensors: [{ name: "T" }, { name: "S" }],
  over: "none",
  run: (call) => {
    const rows = axisArgument(call, "T");
    const columns = axisArgument(call, "S");
    if (!rows || !columns) return unknown;
    const { solver } = call.frame.elaboration;
    const step = stepAlong(call.frame, rows.size.dim);
    const node = emit(call.frame, call.span, [], (b) => {
      const shape = [solver.normalise(rows.size.dim), solver.normalise(columns.size.dim)];
      const own = build.iota(b, shape, 0);
      const kept = build.le(b, build.iota(b, shape, 1), step ? build.add(b, own, step.offset()) : own);
      step?.causal.add(kept);
      return kept;
    });
    return { kind: "tensor", type: checkType("bool", [rows, columns]), value: node, span: call.span };
  },
};

const cache: Builtin = {
  name: "cache",
  signature: "cache(T as S, max = bound)(x)",
  doc: "x at all positions so far, along an axis of its own. On whole sequences it only renames the axis; a step program keeps what it computed for earlier positions, up to `max` of them.",
  configuration: [{ name: "axis" }, { name: "max", optional: true }],
  tensors: [{ name: "x" }],
  over: "none",
  run: (call) => {
    const { frame } = call;
    const { session, solver } = frame.elaboration;
    const every = call.tensors.get("x");
    // it holds at all positions, those so far too
    if (every && isTrue(every)) return every.value;
    const x = tensorArgument(call, "x", "cache");
    const given = call.configuration.get("axis");
    const size = sizeArgument(call, "axis");
    if (!x || !size || !given) return unknown;
    const { alias } = given;
    if (alias === undefined || size.label === undefined) {
      refuse(frame, given.span, "the axis and its new name, as `T as S`", "one name alone");
      return unknown;
    }
    // what goes wrong here is said here, not where the name is used
    frame.locals.values.set(alias, unknown);
    if (!call.configuration.has("max")) {
      session.report(frame, cacheBound, { span: call.span, axis: size.label });
      return unknown;
    }
    const most = sizeArgument(call, "max");
    if (!most) return unknown;
    const place = x.type.axes.findIndex((axis) => axis.label === size.label);
    if (place < 0) {
      session.report(frame, axisMissing, {
        span: given.span,
        axis: size.label,
        type: showType(x.type, solver.show),
        near: nearest(size.label, labelsOf(x.type)),
        axes: labelsOf(x.type),
        tensor: x.span,
      });
      return unknown;
    }
    const whole = x.type.axes[place]!;
    const sofar: Size = {
      dim: entriesSoFar(frame, whole.size.dim, alias),
      origin: { kind: "written", span: given.span, name: alias },
    };
    const type = { ...x.type, axes: x.type.axes.with(place, { label: alias, size: sofar }) };
    frame.locals.values.set(alias, {
      kind: "number",
      value: dim.constantOf(sofar.dim),
      dim: sofar.dim,
      origin: sofar.origin,
      label: alias,
    });
    const step = stepAlong(frame, whole.size.dim);
    const node = step
      ? emit(frame, call.span, [x.value], (b, [v]) => {
          step.limit(solver.normalise(most.dim), userSpan(frame, call.span));
          return step.keep(frame.path.prefix, graphType(type), (old) =>
            build.updateSlice(b, old, v!, step.offset(), place),
          );
        })
      : x.value;
    return moved(x, type, node, call.span);
  },
};

/**
 * The size of the axis of all positions so far. Where a graph of whole sequences is built it is the axis itself; else it
 * is a size of its own, so that a program that takes one for the other is refused before it is built.
 */
function entriesSoFar(frame: Frame, size: Dim, alias: string): Dim {
  const { builder, solver, soFar } = frame.elaboration;
  const step = stepAlong(frame, size);
  if (step) return step.soFar;
  if (builder) return size;
  const { key } = solver.normalise(size);
  const known = soFar.get(key) ?? solver.fresh(alias);
  soFar.set(key, known);
  return known;
}

export const sequenceBuiltins: readonly Builtin[] = [position, causal, cache];
