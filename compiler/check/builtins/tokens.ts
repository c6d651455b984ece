/** Integers and masks: one_hot, mask, select. */
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { alreadyFloat } from "../diagnostics/dlm0302-already-float.ts";
import { align } from "../elementwise.ts";
import { computed, emit } from "../emit.ts";
import { readsData } from "../frame.ts";
import { checkType, showType } from "../type.ts";
import { unknown } from "../values.ts";
import type { TensorValue } from "../values.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { isTrue, refuse, tensorArgument } from "./helpers.ts";

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
        fromData: readsData(call.frame),
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

/** Of f32. Not infinity: a row that is masked as a whole stays finite. */
export const masked = -1e30;

const mask: Builtin = {
  name: "mask",
  signature: "mask(keep)(x)",
  doc: "x where the mask is true, else -1e30: nothing is left of it after a softmax. The word `true` leaves x as it is.",
  configuration: [],
  tensors: [{ name: "x" }, { name: "keep" }],
  over: "none",
  run: (call) => {
    const x = tensorArgument(call, "x", "mask");
    if (x && isTrue(call.tensors.get("keep"))) return x;
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

/** The word `true` as a tensor. */
function everywhere({ frame, span }: BuiltinCall): TensorValue {
  const value = emit(frame, span, [], (b) => build.constantScalar(b, 1, "bool"));
  return { kind: "tensor", type: checkType("bool", []), value, span };
}

const select: Builtin = {
  name: "select",
  signature: "select(condition, a, b)",
  doc: "a where the condition is true, else b.",
  configuration: [],
  tensors: [{ name: "condition" }, { name: "a" }, { name: "b" }],
  over: "none",
  run: (call) => {
    const condition = isTrue(call.tensors.get("condition"))
      ? everywhere(call)
      : tensorArgument(call, "condition", "select");
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
    if (isTrue(call.tensors.get("condition")) && b.type.axes.length === 0) return a;
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

export const tokenBuiltins: readonly Builtin[] = [oneHot, mask, select];
