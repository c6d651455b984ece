/** `table[id]`: rows of a table by number. */
import type { Expression } from "../../grammar/ast.ts";
import * as build from "../ops/build.ts";
import { alreadyFloat } from "./diagnostics/dlm0302-already-float.ts";
import { classesDiffer } from "./diagnostics/dlm0301-classes-differ.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { wrongRank } from "./diagnostics/dlm0211-wrong-rank.ts";
import { computed, emit } from "./emit.ts";
import { evaluate } from "./evaluate.ts";
import { readsData } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { originLabels } from "./origin.ts";
import * as dim from "../ir/dim.ts";
import { showType } from "./type.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue, TensorValue } from "./values.ts";

export function index(
  frame: Frame,
  table: TensorValue,
  expression: Extract<Expression, { kind: "brackets" }>,
): CheckValue {
  const { session, solver } = frame.elaboration;
  const { show } = solver;
  const [item] = expression.items;
  if (expression.items.length !== 1 || item?.kind !== "axis" || item.label) {
    session.report(frame, unfit, {
      span: expression.itemsSpan,
      expected: "one tensor of integers inside `[ ]`",
      found: `${expression.items.length} items`,
      helps: [],
    });
    return unknown;
  }
  const ids = evaluate(frame, item.size);
  if (ids.kind === "unknown") return unknown;
  if (ids.kind !== "tensor") {
    session.report(frame, unfit, {
      span: item.span,
      expected: "a tensor of integers",
      found: kindInWords(ids),
      helps: [],
    });
    return unknown;
  }
  if (ids.type.element !== "int" && ids.type.element !== "i32") {
    session.report(frame, alreadyFloat, {
      span: expression.span,
      name: "[ ]",
      needs: "int<N>[..]",
      value: item.span,
      type: showType(ids.type, show),
      written: undefined,
      fromData: readsData(frame),
    });
    return unknown;
  }
  const [rows, ...rest] = table.type.axes;
  if (!rows) {
    session.report(frame, wrongRank, {
      span: expression.span,
      name: "[ ]",
      expected: "[N, ..]",
      given: showType(table.type, show),
      count: 0,
      value: expression.base.span,
    });
    return unknown;
  }
  const { bound } = ids.type;
  if (bound && solver.equal(bound.dim, rows.size.dim).kind !== "proved") {
    session.report(frame, classesDiffer, {
      span: item.span,
      classes: show(rows.size.dim),
      labels: show(bound.dim),
      output: { span: expression.base.span, text: showType(table.type, show) },
      label: showType(ids.type, show),
      origins: originLabels(show(rows.size.dim), rows.size.origin, [item.span]),
      count: dim.constantOf(bound.dim),
      written: [],
    });
    return unknown;
  }
  const node = emit(frame, expression.span, [table.value, ids.value], (b, [t, i]) => build.gather(b, t!, i!));
  return computed([table], { ...table.type, axes: [...ids.type.axes, ...rest] }, node, expression.span);
}
