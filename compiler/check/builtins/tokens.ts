/** Integers and masks: one_hot, position, causal, mask, select, cache. */
import * as dim from "../../ir/dim.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { alreadyFloat } from "../diagnostics/dlm0302-already-float.ts";
import { align } from "../elementwise.ts";
import { computed, emit } from "../emit.ts";
import { notBuilt } from "../flow/diagnostics/dlm0120-not-built.ts";
import { sizeOf } from "../sizes.ts";
import { checkType, showType } from "../type.ts";
import { unknown } from "../values.ts";
import type { Builtin } from "./builtin.ts";
import { refuse, sizeArgument, tensorArgument } from "./helpers.ts";

const oneHot: Builtin = {
  name: "one_hot",
  signature: "one_hot(id)",
  doc: "1 at the place that an integer names along a new last axis, else 0.",
  configuration: [],
  tensors: [{ name: "id" }],
  over: "none",
  run: (call) => {
    const id = tensorArgument(call, "id", "one_hot");
    if (!id) return unknown;
    const { session, solver } = call.frame.elaboration;
    const { bound } = id.type;
    if (id.type.element !== "int" || !bound) {
      session.report(call.frame, alreadyFloat, {
        span: call.span,
        name: "one_hot",
        needs: "int<N>[..]",
        value: id.span,
        type: showType(id.type, solver.show),
        written: undefined,
      });
      return unknown;
    }
    const node = emit(call.frame, call.span, [id.value], (b, [v]) =>
      build.oneHot(b, v!, solver.normalise(bound.dim)),
    );
    const axes = [...id.type.axes, { label: bound.label, size: bound }];
    return computed([id], checkType("f32", axes), node, call.span);
  },
};

const position: Builtin = {
  name: "position",
  signature: "position(T, max = bound)",
  doc: "0, 1, 2, ... along an axis, as integers below `max`.",
  configuration: [],
  tensors: [{ name: "T" }, { name: "max", optional: true }],
  over: "none",
  run: (call) => {
    const given = call.tensors.get("T");
    const size = given && sizeOf(call.frame, given.value, given.span);
    if (!given || !size) return unknown;
    const most = call.tensors.get("max");
    const bound = most ? sizeOf(call.frame, most.value, most.span) : size;
    if (!bound) return unknown;
    const label = given.value.kind === "number" ? given.value.label : undefined;
    const { solver } = call.frame.elaboration;
    const node = emit(call.frame, call.span, [], (b) => build.iota(b, [solver.normalise(size.dim)], 0));
    return { kind: "tensor", type: checkType("int", [{ label, size }], bound), value: node, span: call.span };
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
    const [rows, columns] = ["T", "S"].map((name) => {
      const given = call.tensors.get(name);
      const size = given && sizeOf(call.frame, given.value, given.span);
      const label = given?.value.kind === "number" ? given.value.label : undefined;
      return size && { label, size };
    });
    if (!rows || !columns) return unknown;
    const { solver } = call.frame.elaboration;
    const node = emit(call.frame, call.span, [], (b) => {
      const shape = [solver.normalise(rows.size.dim), solver.normalise(columns.size.dim)];
      return build.le(b, build.iota(b, shape, 1), build.iota(b, shape, 0));
    });
    return { kind: "tensor", type: checkType("bool", [rows, columns]), value: node, span: call.span };
  },
};

/** Not infinity: a row that is masked as a whole stays finite. */
const masked = -1e30;

const mask: Builtin = {
  name: "mask",
  signature: "mask(keep)(x)",
  doc: "x where the mask is true, else -1e30: nothing is left of it after a softmax.",
  configuration: [],
  tensors: [{ name: "x" }, { name: "keep" }],
  over: "none",
  run: (call) => {
    const x = tensorArgument(call, "x", "mask");
    const keep = tensorArgument(call, "keep", "mask");
    if (!x || !keep || !arithmeticIsAllowed(call.frame, "`mask`", [x])) return unknown;
    if (keep.type.element !== "bool") {
      refuse(
        call.frame,
        keep.span,
        "a tensor of true and false",
        showType(keep.type, call.frame.elaboration.solver.show),
      );
      return unknown;
    }
    const aligned = align(call.frame, "`mask`", x, keep, call.span);
    if (!aligned) return unknown;
    const node = emit(call.frame, call.span, [aligned.left, aligned.right], (b, [v, k]) =>
      build.select(b, k!, v!, build.fullLike(b, masked, v!)),
    );
    return computed([x], checkType("f32", aligned.axes), node, call.span);
  },
};

const select: Builtin = {
  name: "select",
  signature: "select(condition, a, b)",
  doc: "a where the condition is true, else b.",
  configuration: [],
  tensors: [{ name: "condition" }, { name: "a" }, { name: "b" }],
  over: "none",
  run: (call) => {
    const condition = tensorArgument(call, "condition", "select");
    const a = tensorArgument(call, "a", "select");
    const b = tensorArgument(call, "b", "select");
    if (!condition || !a || !b || !arithmeticIsAllowed(call.frame, "`select`", [a, b])) return unknown;
    if (condition.type.element !== "bool") {
      refuse(
        call.frame,
        condition.span,
        "a condition",
        showType(condition.type, call.frame.elaboration.solver.show),
      );
      return unknown;
    }
    const both = align(call.frame, "`select`", a, b, call.span);
    if (!both) return unknown;
    const pair = computed([a, b], checkType("f32", both.axes), both.left, call.span);
    const first = align(call.frame, "`select`", condition, pair, call.span);
    const second =
      first && align(call.frame, "`select`", condition, { ...pair, value: both.right }, call.span);
    if (!first || !second) return unknown;
    const node = emit(call.frame, call.span, [first.left, first.right, second.right], (builder, [c, x, y]) =>
      build.select(builder, c!, x!, y!),
    );
    return computed([a, b], checkType("f32", first.axes), node, call.span);
  },
};

/** Renames the axis, as on whole sequences; step by step decoding is not built. */
const cache: Builtin = {
  name: "cache",
  signature: "cache(T as S, max = bound)(x)",
  doc: "Keeps what was computed for earlier positions. On whole sequences it only renames the axis.",
  configuration: [{ name: "axis" }, { name: "max", optional: true }],
  tensors: [{ name: "x" }],
  over: "none",
  run: (call) => {
    const x = tensorArgument(call, "x", "cache");
    call.frame.elaboration.session.report(call.frame, notBuilt, { what: "`cache`", span: call.span });
    const alias = call.configuration.get("axis")?.alias;
    const size = sizeArgument(call, "axis");
    if (!x || !size || alias === undefined) return unknown;
    const axes = x.type.axes.map((axis) =>
      axis.label === size.label ? { label: alias, size: axis.size } : axis,
    );
    call.frame.locals.values.set(alias, {
      kind: "number",
      value: dim.constantOf(size.dim),
      dim: size.dim,
      origin: size.origin,
      label: alias,
    });
    return { ...x, type: { ...x.type, axes } };
  },
};

export const tokenBuiltins: readonly Builtin[] = [oneHot, position, causal, mask, select, cache];
