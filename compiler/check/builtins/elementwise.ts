/** Functions of single elements: of tensors, and of numbers known before running. */
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import * as build from "../../ops/build.ts";
import { arithmeticIsAllowed } from "../arithmetic.ts";
import { align } from "../elementwise.ts";
import { computed, emit } from "../emit.ts";
import { numberOf, roundNumber } from "../numbers.ts";
import { checkType } from "../type.ts";
import { unknown } from "../values.ts";
import type { CheckValue } from "../values.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { tensorArgument, tensorOfGiven } from "./helpers.ts";
import { reduceBuiltin } from "./reductions.ts";

type Emit = (b: GraphBuilder, x: Value) => Value;

function unary(name: string, doc: string, compute: ((x: number) => number) | undefined, make: Emit): Builtin {
  return {
    name,
    signature: `${name}(x)`,
    doc,
    configuration: [],
    tensors: [{ name: "x" }],
    over: "none",
    run: (call) => {
      const given = call.tensors.get("x");
      if (given?.value.kind === "number" && given.value.value !== undefined && compute)
        return numberOf(compute(given.value.value), {
          kind: "rule",
          span: call.span,
          parents: [given.value.origin],
        });
      return applyUnary(call, name, make);
    },
  };
}

function applyUnary(call: BuiltinCall, name: string, make: Emit): CheckValue {
  const x = tensorArgument(call, "x", name);
  if (!x || !arithmeticIsAllowed(call.frame, `\`${name}\``, [x])) return unknown;
  const node = emit(call.frame, call.span, [x.value], (b, [v]) => make(b, v!));
  return computed([x], checkType("f32", x.type.axes), node, call.span);
}

function rounding(name: "floor" | "ceil", doc: string): Builtin {
  return {
    name,
    signature: `${name}(x)`,
    doc,
    configuration: [],
    tensors: [{ name: "x" }],
    over: "none",
    run: (call) => {
      const given = call.tensors.get("x");
      if (given?.value.kind === "number")
        return roundNumber(call.frame.elaboration.solver, name === "ceil", given.value, call.span);
      return applyUnary(call, name, (b, x) =>
        name === "floor" ? build.floor(b, x) : build.neg(b, build.floor(b, build.neg(b, x))),
      );
    },
  };
}

/** `max(a, b)` element by element, `max(x) over D` along axes. */
function extremum(name: "max" | "min", doc: string): Builtin {
  const reduction = reduceBuiltin(name, doc, name === "max" ? build.reduceMax : build.reduceMin);
  return {
    ...reduction,
    signature: `${name}(x) over axes, ${name}(a, b)`,
    tensors: [{ name: "x", rest: true }],
    over: "optional",
    run: (call) => {
      const [first, second] = call.rest;
      if (!first) return unknown;
      if (!second) return reduction.run({ ...call, tensors: new Map([["x", first]]) });
      const [a, b] = [first.value, second.value];
      if (a.kind === "number" && b.kind === "number" && a.value !== undefined && b.value !== undefined)
        return numberOf(name === "max" ? Math.max(a.value, b.value) : Math.min(a.value, b.value), {
          kind: "rule",
          span: call.span,
          parents: [a.origin, b.origin],
        });
      const x = tensorOfGiven(call.frame, first, name);
      const y = tensorOfGiven(call.frame, second, name);
      if (!x || !y || !arithmeticIsAllowed(call.frame, `\`${name}\``, [x, y])) return unknown;
      const aligned = align(call.frame, `\`${name}\``, x, y, call.span);
      if (!aligned) return unknown;
      const node = emit(call.frame, call.span, [aligned.left, aligned.right], (builder, [u, v]) =>
        name === "max" ? build.max(builder, u!, v!) : build.min(builder, u!, v!),
      );
      return computed([x, y], checkType("f32", aligned.axes), node, call.span);
    },
  };
}

const identity: Builtin = {
  name: "identity",
  signature: "identity(x)",
  doc: "The same value.",
  configuration: [],
  tensors: [{ name: "x" }],
  over: "none",
  run: (call) => call.tensors.get("x")?.value ?? unknown,
};

const sigmoid: Builtin = {
  ...unary(
    "sigmoid",
    "1 / (1 + exp(-x)): a number between 0 and 1.",
    (x) => 1 / (1 + Math.exp(-x)),
    build.sigmoid,
  ),
  run: (call) => {
    const value = applyUnary(call, "sigmoid", build.sigmoid);
    return value.kind === "tensor" ? { ...value, probability: { by: "sigmoid", span: call.span } } : value;
  },
};

/** The same number, through which no gradient passes. */
const detach: Builtin = unary(
  "detach",
  "The same numbers; no gradient passes through.",
  (x) => x,
  build.detach,
);

export const elementwiseBuiltins: readonly Builtin[] = [
  unary("sqrt", "The square root.", Math.sqrt, build.sqrt),
  unary("rsqrt", "1 / sqrt(x).", (x) => 1 / Math.sqrt(x), build.rsqrt),
  unary("reciprocal", "1 / x.", (x) => 1 / x, build.reciprocal),
  unary("exp", "e to the power of x.", Math.exp, build.exp),
  unary("expm1", "exp(x) - 1, exact near 0.", Math.expm1, build.expm1),
  unary("log", "The natural logarithm.", Math.log, build.log),
  unary("log1p", "log(1 + x), exact near 0.", Math.log1p, build.log1p),
  unary("abs", "The distance from 0; the derivative at 0 is 0.", Math.abs, build.abs),
  unary("tanh", "The hyperbolic tangent.", Math.tanh, build.tanh),
  unary("sin", "The sine of an angle in radians.", Math.sin, build.sin),
  unary("cos", "The cosine of an angle in radians.", Math.cos, build.cos),
  unary("erf", "The error function.", undefined, build.erf),
  unary("softplus", "log(1 + exp(x)), without overflow.", (x) => Math.log1p(Math.exp(x)), build.softplus),
  rounding("floor", "The largest whole number that is not above x."),
  rounding("ceil", "The smallest whole number that is not below x."),
  extremum("max", "The largest number along axes, or the larger of two."),
  extremum("min", "The smallest number along axes, or the smaller of two."),
  sigmoid,
  identity,
  detach,
];
