/**
 * The gradient of a loop: a loop in the other direction whose carries are the cotangents of the carries. Of the forward
 * steps it reads what they kept (the carries as each step found them, and results that cost more than to load them);
 * everything cheap is computed again from that. Gradients of what all steps see whole are summed in carries of their own.
 */
import { InternalError } from "../ir/internal-error.ts";
import { isNode } from "../ir/graph.ts";
import { partsOfLoop } from "../ir/loop.ts";
import { copyNodes } from "../ir/rewrite.ts";
import { scalarTypeOf } from "../ir/type.ts";
import * as build from "./build.ts";
import { makeLoop, stepInput } from "./make-loop.ts";
import type { Value } from "../ir/graph.ts";
import type { Loop } from "../ir/loop.ts";
import type { GradientContext } from "../ir/op.ts";

const isFloat = (value: Value): boolean => scalarTypeOf(value.type.dtype) === "f32";

export function loopGradient(context: GradientContext, loop: Loop): readonly (Value | undefined)[] {
  const { builder: b, node, cotangents, wanted, pullBack } = context;
  const { body } = loop;
  const operands = partsOfLoop(loop, node.operands);
  const inputs = partsOfLoop(loop, body.inputs);
  const firstWhole = loop.carries + loop.sequences;
  const mark = b.nodes.length;

  // one forward step, over inputs of this step
  const now = new Map<Value, Value>();
  const fresh = (value: Value): Value => stepInput("step", value.type);
  for (const value of [...inputs.carries, ...inputs.sequences]) now.set(value, fresh(value));
  inputs.whole.forEach((value, i) => {
    // of its own where its gradient is wanted, so that it is not mixed up with what it depends on outside
    const own = wanted(firstWhole + i) && isFloat(value);
    now.set(value, own ? fresh(value) : operands.whole[i]!);
  });
  const of = (value: Value): Value => now.get(value)!;
  copyNodes(b, body.nodes, now);
  b.origin = node.origin;

  // the step backwards
  const carries = inputs.carries.map((value, i) => ({
    i,
    input: of(value),
    next: of(body.outputs[i]!.value),
    cotangent: isFloat(value) ? fresh(value) : undefined,
  }));
  const seeds = new Map<Value, Value>();
  const seed = (value: Value, cotangent: Value): void => {
    const before = seeds.get(value);
    seeds.set(value, before ? build.add(b, before, cotangent) : cotangent);
  };
  for (const { next, cotangent } of carries) if (cotangent) seed(next, cotangent);
  const sequences: { input: Value; from: Value }[] = [];
  body.outputs.slice(loop.carries).forEach(({ value }, i) => {
    const from = cotangents[loop.carries + i];
    if (!from || !isFloat(value)) return;
    const input = fresh(value);
    sequences.push({ input, from });
    seed(of(value), input);
  });
  const read = inputs.sequences.map((value, i) => ({ input: of(value), from: operands.sequences[i]! }));
  sequences.push(...read);
  const wholes = inputs.whole.flatMap((value, i) =>
    of(value) === operands.whole[i] ? [] : [{ i, input: of(value), from: operands.whole[i]! }],
  );
  const wrt = [
    ...carries.flatMap(({ input, cotangent }) => (cotangent ? [input] : [])),
    ...read.flatMap(({ input }, i) => (wanted(loop.carries + i) && isFloat(input) ? [input] : [])),
    ...wholes.map(({ input }) => input),
  ];
  const found = new Map(pullBack(seeds, wrt).map((value, i) => [wrt[i]!, value]));

  // values of the forward step are read where they were kept, or computed again
  const kept = new Map<Value, Value>();
  const keep = (value: Value, inner: Value): void => {
    const at = body.outputs.findIndex((output, i) => i >= loop.carries && output.value === inner);
    if (at < 0)
      throw new InternalError("differentiate", "a loop did not keep what its gradient needs", undefined);
    const input = fresh(inner);
    sequences.push({ input, from: node.results[at]! });
    kept.set(value, input);
  };
  const inner = new Map<Value, Value>([...now].map(([from, to]) => [to, from]));
  const carriesIn = new Set(carries.map(({ input }) => input));
  const made = new Set(b.nodes.slice(mark));
  const settle = (value: Value): Value => {
    const known = kept.get(value);
    if (known) return known;
    const { source } = value;
    const forward = inner.get(value);
    if (forward && (carriesIn.has(value) || (isNode(forward.source) && !forward.source.op.cheap))) {
      keep(value, forward);
      return kept.get(value)!;
    }
    if (!isNode(source) || !made.has(source)) return value;
    const settled = source.operands.map(settle);
    if (settled.every((operand, i) => operand === source.operands[i])) {
      for (const result of source.results) kept.set(result, result);
    } else {
      b.origin = source.origin;
      const results = b.node(source.op, settled, source.attributes);
      source.results.forEach((result, i) => kept.set(result, results[i]!));
    }
    return kept.get(value)!;
  };
  const gradientOf = (value: Value): Value | undefined => {
    const cotangent = found.get(value);
    return cotangent && settle(cotangent);
  };
  const zero = (like: Value): Value => build.fullLike(b, 0, like);

  const backward = carries.flatMap(({ i, input, cotangent }) => {
    if (!cotangent) return [];
    const start = cotangents[i] ?? zero(operands.carries[i]!);
    return [{ i, input: cotangent, start, next: gradientOf(input) ?? zero(cotangent) }];
  });
  const sums = wholes.flatMap(({ i, input, from }) => {
    const gradient = gradientOf(input);
    if (!gradient) return [];
    const sum = fresh(input);
    return [{ i: firstWhole + i, input: sum, start: zero(from), next: build.add(b, sum, gradient) }];
  });
  const yields = read.flatMap(({ input }, i) => {
    const gradient = gradientOf(input);
    return gradient ? [{ i: loop.carries + i, gradient }] : [];
  });
  b.origin = node.origin;
  // what was computed from the carries of the forward step has been replaced
  const replaced = new Set<Value>(carriesIn);
  const current = b.nodes.slice(mark).filter((each) => {
    const old = each.operands.some((operand) => replaced.has(operand));
    if (old) for (const result of each.results) replaced.add(result);
    return !old;
  });
  b.nodes.splice(mark, b.nodes.length - mark, ...current);
  const results = makeLoop(b, mark, {
    length: loop.length,
    reverse: !loop.reverse,
    carries: [...backward, ...sums],
    sequences,
    whole: wholes,
    yields: yields.map(({ gradient }) => gradient),
    keep: false,
  });
  const answer: (Value | undefined)[] = node.operands.map(() => undefined);
  [...backward, ...sums].forEach(({ i }, at) => (answer[i] = results.finals[at]));
  yields.forEach(({ i }, at) => (answer[i] = results.yields[at]));
  return answer;
}
