/** Constant and random tensors: as a shape (`zeros[B, H]`), like a tensor, or as the first value of a weight. */
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import { tensorType } from "../../ir/type.ts";
import * as build from "../../ops/build.ts";
import { asTensor } from "../arithmetic.ts";
import { emit } from "../emit.ts";
import { stepSeed } from "../scan.ts";
import type { Frame } from "../frame.ts";
import { checkType } from "../type.ts";
import type { Axis } from "../type.ts";
import { unknown } from "../values.ts";
import type { CheckValue } from "../values.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Builtin, BuiltinCall } from "./builtin.ts";
import { numberArgument, tensorArgument } from "./helpers.ts";

const like = { name: "like" } as const;

/** A scalar of the control block; declared where it is first read. */
function control(builder: GraphBuilder, name: string): Value {
  const known = builder.inputs.find((input) => !("op" in input.source) && input.source.name === name);
  return known ?? builder.input(name, "control", tensorType("i32", []));
}

/** FNV-1a, as a signed 32-bit integer: tells one use of randomness from all others. */
export function keyOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function nextKey(frame: Frame): number {
  const { draws, salt } = frame.elaboration;
  const place = `${salt}${frame.model}:${frame.path.prefix}`;
  const count = draws.get(place) ?? 0;
  draws.set(place, count + 1);
  return keyOf(`${place}#${count}`);
}

/** What tells the numbers of one use apart: the seed of this step of the scans around, the iteration, the key of the use. */
function sourceOf(frame: Frame, b: GraphBuilder): readonly [seed: Value, iteration: Value, key: number] {
  const iteration = frame.elaboration.once ? build.constantScalar(b, 0, "i32") : control(b, "iteration");
  return [stepSeed(frame, b, control(b, "seed")), iteration, nextKey(frame)];
}

/** Uniform numbers in [0, 1). */
function uniform01(frame: Frame, b: GraphBuilder, shape: readonly Dim[]): Value {
  return build.uniform(b, ...sourceOf(frame, b), shape);
}

/** Box and Muller (1958): two uniform numbers make a normal one. */
function normal01(frame: Frame, b: GraphBuilder, shape: readonly Dim[]): Value {
  // in (0, 1], so that the logarithm is finite
  const positive = build.sub(b, build.full(b, 1, shape), uniform01(frame, b, shape));
  const radius = build.sqrt(b, build.scale(b, build.log(b, positive), -2));
  return build.mul(b, radius, build.cos(b, build.scale(b, uniform01(frame, b, shape), 2 * Math.PI)));
}

type Make = (
  frame: Frame,
  b: GraphBuilder,
  shape: readonly Dim[],
  call: BuiltinCall | undefined,
) => Value | undefined;

function filled(
  name: string,
  signature: string,
  doc: string,
  configuration: Builtin["configuration"],
  make: Make,
): Builtin {
  const tensor = (
    frame: Frame,
    axes: readonly Axis[],
    span: Span,
    call: BuiltinCall | undefined,
  ): CheckValue => ({
    kind: "tensor",
    type: checkType("f32", axes),
    value: emit(frame, span, [], (b) => make(frame, b, normalised(frame, axes), call)),
    span,
  });
  return {
    name,
    signature,
    doc,
    configuration,
    tensors: [like],
    over: "none",
    run: (call) => {
      const other = tensorArgument(call, "like", name);
      return other ? tensor(call.frame, other.type.axes, call.span, call) : unknown;
    },
    brackets: (frame, { axes, span }) => tensor(frame, axes, span, undefined),
  };
}

function normalised(frame: Frame, axes: readonly Axis[]): Dim[] {
  return axes.map((axis) => frame.elaboration.solver.normalise(axis.size.dim));
}

/** A number given as configuration, as a value of the graph. */
function scalar(
  call: BuiltinCall | undefined,
  name: string,
  otherwise: number,
  b: GraphBuilder,
): Value | undefined {
  const given = call?.configuration.get(name);
  if (!given) return build.constantScalar(b, otherwise);
  return asTensor(call!.frame, given.value, given.span)?.value;
}

const bernoulli: Builtin = {
  name: "bernoulli",
  signature: "bernoulli(chance, like = x)",
  doc: "1 with this chance, else 0; drawn anew for every element and step.",
  configuration: [{ name: "chance" }],
  tensors: [like],
  over: "none",
  run: (call) => {
    const other = tensorArgument(call, "like", "bernoulli");
    const chance = numberArgument(call, "chance", undefined);
    if (!other || !chance) return unknown;
    const { axes } = other.type;
    const value = emit(call.frame, call.span, [], (b) => {
      const shape = normalised(call.frame, axes);
      const bits = build.randomBits(b, ...sourceOf(call.frame, b), shape);
      const limit = Math.round((chance.value ?? 0) * 2 ** 24);
      return build.cast(b, build.lt(b, bits, build.constantScalar(b, limit, "i32")), "f32");
    });
    return { kind: "tensor", type: checkType("f32", axes), value, span: call.span };
  },
};

export const randomBuiltins: readonly Builtin[] = [
  filled("zeros", "zeros[B, H]", "0 everywhere.", [], (_, b, shape) => build.full(b, 0, shape)),
  filled("ones", "ones[B, H]", "1 everywhere.", [], (_, b, shape) => build.full(b, 1, shape)),
  filled(
    "uniform",
    "uniform(low = 0, high = 1, like = x), uniform[B, Z]",
    "Random numbers, all equally likely between low and high.",
    [
      { name: "low", optional: true },
      { name: "high", optional: true },
    ],
    (frame, b, shape, call) => {
      const low = scalar(call, "low", 0, b);
      const high = scalar(call, "high", 1, b);
      return (
        low && high && build.add(b, build.mul(b, uniform01(frame, b, shape), build.sub(b, high, low)), low)
      );
    },
  ),
  filled(
    "normal",
    "normal(deviation = 1, mean = 0, like = x), normal[B, Z]",
    "Random numbers of a normal distribution.",
    [
      { name: "deviation", optional: true },
      { name: "mean", optional: true },
    ],
    (frame, b, shape, call) => {
      const deviation = scalar(call, "deviation", 1, b);
      const mean = scalar(call, "mean", 0, b);
      return deviation && mean && build.add(b, build.mul(b, normal01(frame, b, shape), deviation), mean);
    },
  ),
  bernoulli,
];
