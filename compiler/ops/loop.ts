/** loop: a graph run once a step, its carries handed from one step to the next. */
import { constant } from "../ir/dim.ts";
import * as dim from "../ir/dim.ts";
import { graphBuilder } from "../ir/builder.ts";
import { evaluateNodes } from "../ir/evaluate-nodes.ts";
import { InternalError } from "../ir/internal-error.ts";
import { loopAttributes, loopOf } from "../ir/loop.ts";
import { defineOp } from "../ir/op.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import { sameShape, sameType, showType } from "../ir/type.ts";
import { add } from "./add.ts";
import { loopGradient } from "./loop-gradient.ts";
import type { Attributes } from "../ir/op.ts";
import type { Loop } from "../ir/loop.ts";
import type { Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";

function loopIn(attributes: Attributes): Loop {
  const loop = loopOf({ attributes });
  if (!loop) throw new InternalError("loop", "a loop has no body", undefined);
  return loop;
}

/** A running sum of two numbers: each step yields the sum so far. */
function exampleBody(): Loop["body"] {
  const b = graphBuilder();
  const total = b.input("x0", "input", { dtype: "f32", shape: [] });
  const x = b.input("x1", "input", { dtype: "f32", shape: [] });
  const sum = b.emit(add, [total, x]);
  return b.finish({
    name: "step",
    dims: [],
    outputs: [
      { name: "y0", value: sum },
      { name: "y1", value: sum },
    ],
    writes: [],
  });
}

export const loop = defineOp({
  name: "loop",
  summary:
    "A graph run once a step: carries go from step to step, sequences are read and yields are stacked step by step.",
  operands: ["...values"],
  attributes: {
    length: "how many steps",
    carries: "how many operands, from the first, are the starts of carries",
    sequences: "how many operands after these are read one element of their first axis a step",
    reverse: "true: the last element comes first",
    body: "the graph of one step: outputs are the next carries, then the yields",
  },
  infer(operands, attributes) {
    const found = loopOf({ attributes });
    if (!found) return { mismatch: "body must be a graph" };
    const { length, body, carries, sequences } = found;
    if (operands.length !== body.inputs.length)
      return {
        mismatch: `the body has ${body.inputs.length} inputs, and there are ${operands.length} operands`,
      };
    if (carries + sequences > operands.length)
      return { mismatch: "there are fewer operands than carries and sequences" };
    if (body.outputs.length < carries)
      return { mismatch: "the body does not give every carry its next value" };
    if (body.writes.length > 0) return { mismatch: "a body writes nothing" };
    for (const [i, type] of operands.entries()) {
      const inner = body.inputs[i]!.type;
      const sequence = i >= carries && i < carries + sequences;
      const shape = sequence ? [length, ...inner.shape] : inner.shape;
      if (type.dtype !== inner.dtype || !sameShape(type.shape, shape))
        return { mismatch: `operand ${i} is ${showType(type)}, not ${showType({ ...inner, shape })}` };
    }
    for (let i = 0; i < carries; i++)
      if (!sameType(body.outputs[i]!.value.type, operands[i]!))
        return { mismatch: `carry ${i} becomes ${showType(body.outputs[i]!.value.type)}` };
    return body.outputs.map(({ value: { type } }, i) =>
      i < carries ? type : { dtype: type.dtype, shape: [length, ...type.shape] },
    );
  },
  evaluate(operands, attributes, { results, sizes }) {
    const { body, carries, sequences, reverse, length } = loopIn(attributes);
    const steps = dim.evaluate(length, sizes);
    let state: readonly Tensor[] = operands.slice(0, carries);
    const stacked = results.slice(carries).map(({ dtype, shape }) => tensor(dtype, shape));
    for (let step = 0; step < steps; step++) {
      const at = reverse ? steps - 1 - step : step;
      const values = new Map<Value, Tensor>();
      body.inputs.forEach((input, i) => {
        const given = operands[i]!;
        if (i < carries) values.set(input, state[i]!);
        else if (i >= carries + sequences) values.set(input, given);
        else {
          const shape = given.shape.slice(1);
          const count = elementCount(shape);
          values.set(input, tensor(given.dtype, shape, given.data.slice(at * count, (at + 1) * count)));
        }
      });
      evaluateNodes(body.nodes, values, sizes);
      const given = body.outputs.map(({ value }) => values.get(value)!);
      state = given.slice(0, carries);
      stacked.forEach((all, i) => {
        const one = given[carries + i]!;
        all.data.set(one.data, at * one.data.length);
      });
    }
    return [...state, ...stacked];
  },
  element() {
    throw new InternalError("loop", "a loop is steps of a program, and no code of one element", undefined);
  },
  gradient: (context, attributes) => loopGradient(context, loopIn(attributes)),
  examples: [
    {
      operands: [tensor("f32", [], [1]), tensor("f32", [3], [10, 20, 30])],
      attributes: loopAttributes({
        length: constant(3),
        carries: 1,
        sequences: 1,
        reverse: false,
        body: exampleBody(),
      }),
      results: [tensor("f32", [], [61]), tensor("f32", [3], [11, 31, 61])],
    },
    {
      operands: [tensor("f32", [], [1]), tensor("f32", [3], [10, 20, 30])],
      attributes: loopAttributes({
        length: constant(3),
        carries: 1,
        sequences: 1,
        reverse: true,
        body: exampleBody(),
      }),
      results: [tensor("f32", [], [61]), tensor("f32", [3], [61, 51, 31])],
    },
  ],
  cheap: false,
});
