/** Expressions -> values. Total: a hole is unknown, and an unknown swallows what is made of it. */
import type { AxisItem, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { evaluateBinary, negate } from "./arithmetic.ts";
import { evaluateCall } from "./call.ts";
import { evaluateIf } from "./control.ts";
import { evaluateCut, isCut } from "./cut.ts";
import { notBuilt } from "./flow/diagnostics/dlm0120-not-built.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import { index } from "./index-table.ts";
import type { Frame } from "./frame.ts";
import { instanceMember } from "./instance.ts";
import { evaluateName } from "./lookup.ts";
import { nearest } from "./names.ts";
import { numberOf, writtenAt } from "./numbers.ts";
import { evaluatePipeline } from "./pipeline.ts";
import { evaluateScan } from "./scan.ts";
import { evaluateShape } from "./signature.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue } from "./values.ts";

export function evaluate(frame: Frame, expression: Expression): CheckValue {
  switch (expression.kind) {
    case "hole":
    case "group":
      return unknown;
    case "number": {
      const number = numberOf(expression.value, writtenAt(expression.span));
      return expression.integer ? number : { ...number, dim: undefined };
    }
    case "percent":
      return numberOf(expression.value, writtenAt(expression.span));
    case "quantity":
      return { ...numberOf(expression.value, writtenAt(expression.span)), unit: expression.unit };
    case "string":
    case "boolean":
      return { kind: expression.kind, value: expression.value } as CheckValue;
    case "name":
      return evaluateName(frame, expression);
    case "binary":
      return evaluateBinary(frame, expression);
    case "unary":
      return negate(frame, expression);
    case "call":
      return evaluateCall(frame, expression, undefined);
    case "brackets":
      return evaluateBrackets(frame, expression);
    case "list":
      return {
        kind: "list",
        items: expression.items.map((item) => itemValue(frame, item)),
        span: expression.span,
      };
    case "member":
      return evaluateMember(frame, expression);
    case "rearrange":
      return { kind: "rearrange", expression, frame, span: expression.span };
    case "over":
      return evaluateOver(frame, expression);
    case "tuple":
      return evaluateTuple(frame, expression);
    case "if":
      return evaluateIf(frame, expression) ?? unknown;
    case "repeat":
    case "for":
    case "recompute":
    case "residual":
    case "branch":
      return {
        kind: "composition",
        stages: [{ kind: "value", span: expression.span, label: undefined, value: expression }],
        frame,
        span: expression.span,
      };
    case "scan":
      return evaluateScan(frame, expression);
    case "from":
      frame.elaboration.session.report(frame, notBuilt, {
        what: "weights `from` a file",
        span: expression.span,
      });
      return unknown;
    case "pipeline":
      return evaluatePipeline(frame, expression);
  }
}

function itemValue(frame: Frame, item: AxisItem): CheckValue {
  return item.kind === "axis" ? evaluate(frame, item.size) : unknown;
}

/** `table[id]`, `zeros[B, H]` */
function evaluateBrackets(frame: Frame, expression: Extract<Expression, { kind: "brackets" }>): CheckValue {
  const { session } = frame.elaboration;
  const base = evaluate(frame, expression.base);
  if (base.kind === "builtin" && base.builtin.brackets) {
    const axes = evaluateShape(frame, expression.items);
    return axes ? base.builtin.brackets(frame, { axes, span: expression.span }) : unknown;
  }
  if (base.kind === "tensor") return index(frame, base, expression);
  if ((base.kind === "callable" || base.kind === "instance") && isCut(expression.items))
    return evaluateCut(frame, base, expression);
  if (base.kind !== "unknown")
    session.report(frame, unfit, {
      span: expression.base.span,
      expected: "a tensor before `[`",
      found: kindInWords(base),
      helps: [],
    });
  return unknown;
}

function evaluateMember(frame: Frame, expression: Extract<Expression, { kind: "member" }>): CheckValue {
  const { session } = frame.elaboration;
  const base = evaluate(frame, expression.base);
  const { text: name, span } = expression.name;
  if (name === "" || base.kind === "unknown") return unknown;
  if (base.kind === "record") {
    const field = base.fields.get(name);
    if (field) return field;
    if (base.unsound) return unknown;
    const reason = base.missing?.(name, span);
    if (reason) {
      if (!frame.muted) session.add(reason);
    } else unknownMember(frame, expression.base.span, name, span, [...base.fields.keys()]);
    return unknown;
  }
  if (base.kind === "data") {
    if (name === "train" || name === "valid" || name === "test") return { ...base, split: name };
    const exported = base.exports.get(name);
    if (exported) return exported;
    if (!base.unsound)
      unknownMember(frame, expression.base.span, name, span, [
        ...base.exports.keys(),
        "train",
        "valid",
        "test",
      ]);
    return unknown;
  }
  if (base.kind === "instance" || base.kind === "callable" || base.kind === "composition")
    return instanceMember(frame, base, expression);
  session.report(frame, unfit, {
    span: expression.base.span,
    expected: "something with named parts before `.`",
    found: kindInWords(base),
    helps: [],
  });
  return unknown;
}

function unknownMember(frame: Frame, base: Span, name: string, span: Span, known: readonly string[]): void {
  frame.elaboration.session.report(frame, unknownName, {
    span,
    name,
    what: "part",
    where: ` in ${textOf(base)}`,
    near: nearest(name, known),
    notes: known.length > 0 && known.length <= 12 ? [`its parts are ${known.join(", ")}`] : [],
  });
}

/** `mean(x) over D` runs; `softmax over S` waits for its tensor. */
function evaluateOver(frame: Frame, expression: Extract<Expression, { kind: "over" }>): CheckValue {
  const over = { items: expression.axes, span: expression.axesSpan, frame };
  if (expression.base.kind === "call")
    return evaluateCall(frame, expression.base, { over, span: expression.span });
  const base = evaluate(frame, expression.base);
  if (base.kind === "builtin" || base.kind === "callable") return { ...base, over, span: expression.span };
  if (base.kind !== "unknown")
    frame.elaboration.session.report(frame, unfit, {
      span: expression.base.span,
      expected: "a function before `over`",
      found: kindInWords(base),
      helps: [],
    });
  return unknown;
}

/** `(score = x, user = y)` */
function evaluateTuple(frame: Frame, expression: Extract<Expression, { kind: "tuple" }>): CheckValue {
  const values = expression.elements.map((element) => ({ element, value: evaluate(frame, element.value) }));
  if (values.every(({ element }) => element.name !== undefined)) {
    return {
      kind: "record",
      fields: new Map(values.map(({ element, value }) => [element.name!.text, value])),
      span: expression.span,
    };
  }
  return { kind: "list", items: values.map(({ value }) => value), span: expression.span };
}
