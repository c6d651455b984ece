/** `[B, T, (heads E)] => [B, heads, T, E]`: split, reorder, merge, checked by names and sizes. */
import type { Expression } from "../../grammar/ast.ts";
import * as build from "../ops/build.ts";
import type { Given } from "./builtins/builtin.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { emit, moved } from "./emit.ts";
import type { Frame } from "./frame.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue } from "./values.ts";

import { bindNames, takeApart } from "./rearrange-left.ts";
import { arrange } from "./rearrange-right.ts";

type Rearrange = Extract<Expression, { kind: "rearrange" }>;

export function applyRearrange(frame: Frame, input: Given, expression: Rearrange, at: Frame): CheckValue {
  const { session, solver } = frame.elaboration;
  const { value } = input;
  if (value.kind === "unknown") return unknown;
  if (value.kind !== "tensor") {
    session.report(at, unfit, {
      span: expression.span,
      expected: "a tensor to rearrange",
      found: kindInWords(value),
      helps: [],
    });
    return unknown;
  }
  if (expression.from.kind !== "list" || expression.to.kind !== "list") return unknown;
  const left = takeApart(frame, expression, expression.from.items, value, input.span);
  if (!left) return unknown;
  bindNames(frame, left.pieces);
  const right = arrange(frame, expression, expression.to, left, value, input.span);
  if (!right) return unknown;
  bindNames(
    frame,
    right.axes.flatMap((axis) =>
      axis.label === undefined ? [] : [{ name: axis.label, span: expression.span, axis }],
    ),
  );
  const node = emit(at, expression.span, [value.value], (b, [x]) => {
    let result = x!;
    // splits from the last axis, so that earlier places stay
    for (let i = left.splits.length - 1; i >= 0; i--) {
      const split = left.splits[i]!;
      if (split.length !== 1) result = build.split(b, result, i, split.map(solver.normalise));
    }
    result = build.reorder(b, result, right.order);
    right.merges.forEach((count, place) => {
      if (count !== 1) result = build.merge(b, result, place, count);
    });
    return result;
  });
  return moved(value, { ...value.type, axes: right.axes }, node, expression.span);
}
