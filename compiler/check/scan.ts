/** `scan x over T with h = start { ... }`: one body for all steps along an axis, checked once. */
import type { AxisItem, Expression, Name } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { Value } from "../ir/graph.ts";
import { tensorType } from "../ir/type.ts";
import * as build from "../ops/build.ts";
import { makeLoop, stepInput } from "../ops/make-loop.ts";
import { asTensor } from "./arithmetic.ts";
import { evaluateBody } from "./body.ts";
import { carryChanges } from "./diagnostics/dlm0210-carry-changes.ts";
import { nameTaken } from "./diagnostics/dlm0105-name-taken.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { emit } from "./emit.ts";
import { evaluate } from "./evaluate.ts";
import { innerScope, stepAlong } from "./frame.ts";
import type { Frame, StepProgram, Yielded } from "./frame.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import { sameSizes } from "./control.ts";
import { resolveOver } from "./over.ts";
import { checkType, showType } from "./type.ts";
import type { Axis } from "./type.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue, TensorValue } from "./values.ts";

type Scan = Extract<Expression, { kind: "scan" }>;

interface Carry {
  readonly name: Name;
  readonly start: TensorValue;
  readonly span: Span;
  /** its value inside a step */
  readonly inner: TensorValue;
}

export function evaluateScan(frame: Frame, expression: Scan): CheckValue {
  const { session, solver, builder } = frame.elaboration;
  const { sequence } = expression;
  const x = evaluate(frame, { kind: "name", span: sequence.span, text: sequence.text });
  const started = expression.carries.map(({ name, start }) => ({
    name,
    span: start.span,
    value: evaluate(frame, start),
  }));
  if (x.kind === "unknown") return unknown;
  if (x.kind !== "tensor") {
    session.report(frame, unfit, {
      span: sequence.span,
      expected: "a tensor to scan",
      found: kindInWords(x),
      helps: [],
    });
    return unknown;
  }
  const axisItem: AxisItem = {
    kind: "axis",
    span: expression.axis.span,
    label: undefined,
    size: { kind: "name", span: expression.axis.span, text: expression.axis.text },
  };
  const over = { items: [axisItem], span: expression.axis.span, frame };
  const [place] = resolveOver(frame, over, x.type, sequence.span) ?? [];
  if (place === undefined) return unknown;
  const axis = x.type.axes[place]!;

  // a step program goes on where the last one ended
  const step = frame.elaboration.steps.length === 0 ? stepAlong(frame, axis.size.dim) : undefined;

  // what the loop reads: the axis of the steps comes first
  const from = emit(frame, sequence.span, [x.value], (b, [v]) =>
    build.reorder(b, v!, [place, ...x.type.axes.map((_, i) => i).filter((i) => i !== place)]),
  );
  const starts = started.map(({ name, span, value }): TensorValue | undefined => {
    if (value.kind === "unknown") return undefined;
    const tensor = asTensor(frame, value, span);
    if (!tensor)
      session.report(frame, unfit, {
        span,
        expected: `a tensor at the start of \`${name.text}\``,
        found: kindInWords(value),
        helps: ["zeros[B, D]"],
      });
    return tensor;
  });
  const mark = builder?.nodes.length ?? 0;
  const element = from && stepInput("x", { ...from.type, shape: from.type.shape.slice(1) });
  const number = builder && stepInput("step", tensorType("i32", []));
  const carries: Carry[] = [];
  for (const [i, { name, span }] of started.entries()) {
    const first = expression.carries.find((each) => each.name.text === name.text)!.name;
    if (first !== name) {
      session.report(frame, nameTaken, {
        span: name.span,
        name: name.text,
        first: first.span,
        path: undefined,
      });
      return unknown;
    }
    const start = starts[i];
    if (!start) continue;
    const value = start.value && stepInput(name.text, start.value.type);
    carries.push({ name, start, span, inner: { ...start, value } });
  }
  const yields: Yielded[] = [];
  const inner: Frame = {
    ...innerScope(frame),
    yields,
    elaboration: {
      ...frame.elaboration,
      steps: [...frame.elaboration.steps, number],
    },
  };
  const rest = x.type.axes.filter((_, i) => i !== place);
  inner.locals.values.set(sequence.text, { ...x, type: { ...x.type, axes: rest }, value: element });
  for (const { name } of started) inner.locals.values.set(name.text, unknown);
  for (const carry of carries) inner.locals.values.set(carry.name.text, carry.inner);
  const errors = session.diagnostics.length;
  evaluateBody(inner, expression.body);
  frame.elaboration.passes = inner.elaboration.passes;
  if (carries.length < started.length) return unknown;

  const nexts: TensorValue[] = [];
  for (const { name, start, span } of carries) {
    const last = inner.locals.values.get(name.text)!;
    if (last.kind === "unknown") return unknown;
    const next = asTensor(inner, last, expression.body.span);
    const end = "span" in last ? last.span : expression.body.span;
    const same = next && sameSizes(frame, start.type, next.type) && next.type.element === start.type.element;
    if (!same) {
      session.report(frame, carryChanges, {
        name: name.text,
        start: span,
        before: showType(start.type, solver.show),
        end,
        after: next ? showType(next.type, solver.show) : kindInWords(last),
      });
      return unknown;
    }
    nexts.push(next);
  }
  const given = yields.map(({ value, span }) => tensorsOf(inner, value, span));
  if (given.some((each) => each === undefined) || session.diagnostics.length > errors) return unknown;
  const yielded = given.flatMap((each) => each!);

  // the graph, where everything has a node
  const stacked = (value: Value, type: TensorValue["type"]): Value | undefined =>
    emit(frame, expression.span, [value], (b, [v]) => {
      const to = Math.min(place, type.axes.length);
      const order = type.axes.map((_, i) => i + 1);
      return build.reorder(b, v!, order.toSpliced(to, 0, 0));
    });
  let results: ReturnType<typeof makeLoop> | undefined;
  const built = carries.every((carry, i) => carry.start.value && carry.inner.value && nexts[i]!.value);
  if (builder && from && element && number && built && yielded.every((each) => each.value)) {
    const length = from.type.shape[0]!;
    const count = build.iota(builder, [length], 0);
    const kept = carries.map(({ start }) => {
      const { path } = frame;
      return step && step.begin(path.prefix, start.value!.type);
    });
    results = makeLoop(builder, mark, {
      length,
      reverse: false,
      carries: carries.map(({ start, inner: { value } }, i) => ({
        input: value!,
        start: startOfStep(builder, start.value!, step, kept[i]?.old),
        next: nexts[i]!.value!,
      })),
      sequences: [
        { input: element, from },
        { input: number, from: count },
      ],
      yields: yielded.map((each) => each.value!),
      keep: true,
    });
    for (const [i, each] of kept.entries()) each?.end(results.finals[i]!);
  }
  if (yields.length === 0) {
    const [first] = carries;
    return { ...first!.start, value: results?.finals[0], span: expression.span, learned: nexts[0]!.learned };
  }
  const outputs = yielded.map((each, i): TensorValue => {
    const axes: Axis[] = each.type.axes.toSpliced(Math.min(place, each.type.axes.length), 0, axis);
    const value = results && stacked(results.yields[i]!, each.type);
    return {
      ...each,
      type: checkType(each.type.element, axes, each.type.bound),
      value,
      span: expression.span,
    };
  });
  return restored(yields, outputs, expression.span);
}

/** A carry as it is before the first of the new positions: its start, or what the last call left. */
function startOfStep(
  b: GraphBuilder,
  start: Value,
  step: StepProgram | undefined,
  old: Value | undefined,
): Value {
  if (!step || !old) return start;
  const first = build.eq(b, step.offset(), build.constantScalar(b, 0, "i32"));
  return build.select(b, build.expandTo(b, first, start.type.shape, []), start, old);
}

/** The tensors of what a step yields; undefined after a message. */
function tensorsOf(frame: Frame, value: CheckValue, span: Span): TensorValue[] | undefined {
  if (value.kind === "unknown") return undefined;
  if (value.kind === "list" || value.kind === "record") {
    const parts = value.kind === "list" ? value.items : [...value.fields.values()];
    const found = parts.map((part) => tensorsOf(frame, part, span));
    return found.every((part) => part !== undefined) ? found.flat() : undefined;
  }
  const tensor = asTensor(frame, value, span);
  if (tensor) return [tensor];
  frame.elaboration.session.report(frame, unfit, {
    span,
    expected: "a tensor after `yield`",
    found: kindInWords(value),
    helps: [],
  });
  return undefined;
}

/** What the steps yield, as it was written: one tensor, a list or a record. */
function restored(yields: readonly Yielded[], tensors: readonly TensorValue[], span: Span): CheckValue {
  let at = 0;
  const shape = (value: CheckValue): CheckValue => {
    if (value.kind === "list") return { ...value, items: value.items.map(shape), span };
    if (value.kind === "record")
      return {
        ...value,
        fields: new Map([...value.fields].map(([name, each]) => [name, shape(each)])),
        span,
      };
    return tensors[at++]!;
  };
  const values = yields.map(({ value }) => shape(value));
  return values.length === 1 ? values[0]! : { kind: "list", items: values, span };
}

/** A number that differs from step to step, mixed into a seed so that every step draws its own numbers. */
export function stepSeed(frame: Frame, b: GraphBuilder, seed: Value): Value {
  const factor = build.constantScalar(b, 0x01000193, "i32");
  const one = build.constantScalar(b, 1, "i32");
  return frame.elaboration.steps.reduce<Value>(
    (sum, step) => build.add(b, build.mul(b, sum, factor), build.add(b, step!, one)),
    seed,
  );
}
