/** Graph nodes for values: nothing is emitted where no graph is built, or where an operand has no node. */
import { positionOf } from "../../grammar/source.ts";
import type { Span } from "../../grammar/source.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { tensor } from "../ir/tensor.ts";
import * as dim from "../ir/dim.ts";
import * as build from "../ops/build.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { userSpan } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { isUserSpan, nearestSpans } from "./origin.ts";
import { checkType } from "./type.ts";
import type { Axis, CheckType } from "./type.ts";
import type { ListValue, NumberValue, TensorValue } from "./values.ts";

/** A node, or undefined where there is no graph or an operand is missing in it. */
export function emit(
  frame: Frame,
  span: Span,
  operands: readonly (Value | undefined)[],
  make: (builder: GraphBuilder, operands: readonly Value[]) => Value | undefined,
): Value | undefined {
  const { builder } = frame.elaboration;
  if (!builder) return undefined;
  const present: Value[] = [];
  for (const operand of operands) {
    if (!operand) return undefined;
    present.push(operand);
  }
  const at = userSpan(frame, span);
  builder.origin = {
    path: frame.path.prefix.replace(/\.$/, ""),
    at: isUserSpan(at) ? { file: at.source.path, ...positionOf(at.source, at.start) } : undefined,
  };
  const { step } = frame.elaboration;
  const before = builder.nodes.length;
  const value = make(builder, present);
  if (step) for (const node of builder.nodes.slice(before)) step.spans.set(node, at);
  return value;
}

export function tensorOf(type: CheckType, value: Value | undefined, span: Span): TensorValue {
  return { kind: "tensor", type, value, span };
}

/** What operands know of themselves and the result keeps, where the op only moves elements. */
export function moved(from: TensorValue, type: CheckType, value: Value | undefined, span: Span): TensorValue {
  return { kind: "tensor", type, value, span, probability: from.probability, learned: from.learned };
}

export function computed(
  from: readonly TensorValue[],
  type: CheckType,
  value: Value | undefined,
  span: Span,
): TensorValue {
  const learned = from.find((each) => each.learned)?.learned;
  return { kind: "tensor", type, value, span, learned };
}

/** Finite as a 32-bit float too. */
export function isFiniteFloat(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** A number as a tensor of rank 0: a constant, or a size that is known when the program runs. */
export function scalarTensor(frame: Frame, number: NumberValue, span: Span): TensorValue {
  const type = checkType("f32", []);
  const { solver, session } = frame.elaboration;
  if (number.value !== undefined && !isFiniteFloat(number.value)) {
    session.report(frame, unfit, {
      span: nearestSpans(number.origin, 1)[0] ?? span,
      expected: "a number that a float can hold",
      found: String(number.value),
      helps: [],
    });
    return tensorOf(type, undefined, span);
  }
  const value = emit(frame, span, [], (b) => {
    if (number.value !== undefined) return build.constantScalar(b, number.value);
    if (number.dim) return build.size(b, solver.normalise(number.dim));
    if (number.quotient)
      return build.div(
        b,
        build.size(b, solver.normalise(number.quotient.left)),
        build.size(b, solver.normalise(number.quotient.right)),
      );
    return undefined;
  });
  return tensorOf(type, value, span);
}

/** A list of numbers known before running as a tensor of rank 1; undefined where it holds anything else. */
export function listTensor(frame: Frame, list: ListValue, span: Span): TensorValue | undefined {
  const numbers = list.items.map((item) => (item.kind === "number" ? item.value : undefined));
  if (numbers.length === 0 || !numbers.every((each) => each !== undefined)) return undefined;
  const size = {
    dim: dim.constant(numbers.length),
    origin: { kind: "written", span, name: undefined },
  } as const;
  const value = emit(frame, span, [], (b) =>
    build.constantTensor(b, tensor("f32", [numbers.length], numbers)),
  );
  return tensorOf(checkType("f32", [{ label: undefined, size }]), value, span);
}

/** `x` repeated so that it has the axes of `type`; `axes[i]` is the place of its axis i. */
export function expandTo(
  frame: Frame,
  x: TensorValue,
  axes: readonly Axis[],
  places: readonly number[],
  span: Span,
): Value | undefined {
  if (places.length === axes.length) return x.value;
  return emit(frame, span, [x.value], (b, [v]) =>
    build.expandTo(
      b,
      v!,
      axes.map((axis) => axis.size.dim),
      places,
    ),
  );
}
