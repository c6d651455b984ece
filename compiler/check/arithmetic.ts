/** Operators: on numbers known before running, on conditions, and elementwise on tensors. */
import type { BinaryOperator, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import * as build from "../ops/build.ts";
import { align } from "./elementwise.ts";
import { computed, emit, scalarTensor } from "./emit.ts";
import { integerArithmetic } from "./diagnostics/dlm0303-not-mixed.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { matrixProduct } from "./dot.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { compareNumbers, numberArithmetic, numberOf, symbolicNumber } from "./numbers.ts";
import { checkType, isFloat, showType } from "./type.ts";
import type { ElementType } from "./type.ts";
import { kindInWords, unknown } from "./values.ts";
import type { BooleanValue, CheckValue, TensorValue } from "./values.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

export function evaluateBinary(frame: Frame, expression: Binary): CheckValue {
  const { operator } = expression;
  const left = evaluate(frame, expression.left);
  if ((operator === "and" || operator === "or") && left.kind === "boolean") {
    if (operator === "and" && left.value === false) return left;
    if (operator === "or" && left.value === true) return left;
  }
  const right = evaluate(frame, expression.right);
  return binary(frame, operator, expression.operatorSpan, left, right, expression.span);
}

const comparisons: ReadonlySet<BinaryOperator> = new Set(["<", "<=", "==", "!=", ">", ">=", "divides"]);

export function binary(
  frame: Frame,
  operator: BinaryOperator,
  operatorSpan: Span,
  left: CheckValue,
  right: CheckValue,
  span: Span,
): CheckValue {
  if (left.kind === "unknown" || right.kind === "unknown") return unknown;
  const { session, solver } = frame.elaboration;
  if (left.kind === "number" && right.kind === "number") {
    if (operator === "..") return { kind: "range", from: left, to: right };
    if (comparisons.has(operator)) return compareNumbers(solver, operator, left, right);
    const result = numberArithmetic(solver, operator, left, right, span);
    if (result) return result;
  }
  if (operator === "and" || operator === "or") return logical(frame, operator, left, right, span);
  if (operator === "in") return contains(left, right);
  if ((operator === "==" || operator === "!=") && !isNumeric(left) && !isNumeric(right)) {
    const same = sameValue(left, right);
    return { kind: "boolean", value: same === undefined ? undefined : operator === "==" ? same : !same };
  }
  if ((operator === "==" || operator === "!=") && (isWord(left) || isWord(right)))
    // a padding is a word or a number: they never agree
    return { kind: "boolean", value: isOpen(left) || isOpen(right) ? undefined : operator === "!=" };
  const a = asTensor(frame, left, span);
  const b = asTensor(frame, right, span);
  if (!a || !b) {
    const wrong = a ? right : left;
    session.report(frame, unfit, {
      span: operatorSpan,
      expected: `numbers or tensors on both sides of \`${operator}\``,
      found: kindInWords(wrong),
      helps: [],
    });
    return unknown;
  }
  if (operator === "@") return matrixProduct(frame, a, b, span);
  return elementwise(frame, operator, operatorSpan, a, b, span);
}

function isNumeric(value: CheckValue): boolean {
  return value.kind === "number" || value.kind === "tensor";
}

function isWord(value: CheckValue): boolean {
  return value.kind === "word" || value.kind === "boolean" || value.kind === "string";
}

function isOpen(value: CheckValue): boolean {
  return value.kind === "number" && value.open === true;
}

/** A tensor, or a number as one of rank 0. */
export function asTensor(frame: Frame, value: CheckValue, span: Span): TensorValue | undefined {
  if (value.kind === "tensor") return value;
  return value.kind === "number" ? scalarTensor(frame, value, span) : undefined;
}

const emitters: Partial<Record<BinaryOperator, (b: GraphBuilder, x: Value, y: Value) => Value>> = {
  "+": build.add,
  "-": build.sub,
  "*": build.mul,
  "/": build.div,
  "^": power,
  "<": build.lt,
  "<=": build.le,
  ">": (b, x, y) => build.lt(b, y, x),
  ">=": (b, x, y) => build.le(b, y, x),
  "==": build.eq,
  "!=": build.ne,
};

/** Small whole powers are products: the same for negative numbers, and with a derivative at 0. */
function power(b: GraphBuilder, x: Value, y: Value): Value {
  const { source } = y;
  const value = "op" in source ? source.attributes.value : undefined;
  const known =
    typeof value === "object" &&
    "data" in value &&
    value.data instanceof Float64Array &&
    value.data.length === 1
      ? value.data[0]
      : undefined;
  if (known === 1) return x;
  if (known === 2) return build.mul(b, x, x);
  if (known === 3) return build.mul(b, build.mul(b, x, x), x);
  if (known === 0.5) return build.sqrt(b, x);
  return build.pow(b, x, y);
}

/** x OP y, element by element. */
export function elementwise(
  frame: Frame,
  operator: BinaryOperator,
  operatorSpan: Span,
  a: TensorValue,
  b: TensorValue,
  span: Span,
): CheckValue {
  const { session } = frame.elaboration;
  const compares = comparisons.has(operator);
  const make = emitters[operator];
  if (!make) {
    session.report(frame, unfit, {
      span: operatorSpan,
      expected: `numbers known before running on both sides of \`${operator}\``,
      found: "a tensor",
      helps: [],
    });
    return unknown;
  }
  if (!compares && !arithmeticIsAllowed(frame, `\`${operator}\``, [a, b])) return unknown;
  if (compares && !comparable(frame, operator, a, b)) return unknown;
  const aligned = align(frame, `\`${operator}\``, a, b, span);
  if (!aligned) return unknown;
  const element: ElementType = compares ? "bool" : "f32";
  const target = comparisonType(a, b);
  const value = emit(frame, span, [aligned.left, aligned.right], (builder, [x, y]) =>
    make(
      builder,
      compares ? build.cast(builder, x!, target) : x!,
      compares ? build.cast(builder, y!, target) : y!,
    ),
  );
  return computed([a, b], checkType(element, aligned.axes), value, span);
}

function comparisonType(a: TensorValue, b: TensorValue): "f32" | "i32" {
  return isFloat(a.type) || isFloat(b.type) ? "f32" : "i32";
}

/** Floats only; says which operand is not one. */
export function arithmeticIsAllowed(frame: Frame, what: string, operands: readonly TensorValue[]): boolean {
  const { session, solver } = frame.elaboration;
  const wrong = operands.find((operand) => !isFloat(operand.type));
  if (!wrong) return true;
  session.report(frame, integerArithmetic, {
    span: wrong.span,
    what,
    element: wrong.type.element,
    type: showType(wrong.type, solver.show),
    others: operands.filter((operand) => operand !== wrong).map((operand) => operand.type.element),
  });
  return false;
}

function comparable(frame: Frame, operator: string, a: TensorValue, b: TensorValue): boolean {
  const literal = (x: TensorValue): boolean => x.type.axes.length === 0;
  if (isFloat(a.type) === isFloat(b.type) || literal(a) || literal(b)) return true;
  return arithmeticIsAllowed(frame, `\`${operator}\` between floats and integers`, [a, b]);
}

function logical(
  frame: Frame,
  operator: "and" | "or",
  left: CheckValue,
  right: CheckValue,
  span: Span,
): CheckValue {
  if (left.kind === "boolean" && right.kind === "boolean") {
    const { value: x } = left;
    const { value: y } = right;
    if (operator === "and") {
      const value =
        x === false || y === false ? false : x === undefined || y === undefined ? undefined : true;
      return { kind: "boolean", value, equal: [...(left.equal ?? []), ...(right.equal ?? [])] };
    }
    const value = x === true || y === true ? true : x === undefined || y === undefined ? undefined : false;
    return { kind: "boolean", value };
  }
  const a = left.kind === "tensor" && left.type.element === "bool" ? left : undefined;
  const b = right.kind === "tensor" && right.type.element === "bool" ? right : undefined;
  if (a && b) {
    const aligned = align(frame, `\`${operator}\``, a, b, span);
    if (!aligned) return unknown;
    const make = operator === "and" ? build.and : build.or;
    const value = emit(frame, span, [aligned.left, aligned.right], (builder, [x, y]) =>
      make(builder, x!, y!),
    );
    return computed([a, b], checkType("bool", aligned.axes), value, span);
  }
  const wrong = left.kind === "boolean" || a ? right : left;
  frame.elaboration.session.report(frame, unfit, {
    span,
    expected: `conditions on both sides of \`${operator}\``,
    found: kindInWords(wrong),
    helps: [],
  });
  return unknown;
}

function contains(left: CheckValue, right: CheckValue): BooleanValue {
  if (right.kind === "list") {
    const found = right.items.map((item) => sameValue(left, item));
    return {
      kind: "boolean",
      value: found.includes(true) ? true : found.includes(undefined) ? undefined : false,
    };
  }
  if (right.kind === "range" && left.kind === "number") {
    const [x, low, high] = [left.value, right.from.value, right.to.value];
    if (x !== undefined && low !== undefined && high !== undefined)
      return { kind: "boolean", value: x >= low && x <= high };
  }
  return { kind: "boolean", value: undefined };
}

function sameValue(a: CheckValue, b: CheckValue): boolean | undefined {
  if (isOpen(a) || isOpen(b)) return undefined;
  if (a.kind === "number" && b.kind === "number")
    return a.value === undefined || b.value === undefined ? undefined : a.value === b.value;
  if (a.kind === "word" && b.kind === "word") return a.text === b.text;
  if (a.kind === "string" && b.kind === "string") return a.value === b.value;
  if (a.kind === "boolean" && b.kind === "boolean")
    return a.value === undefined || b.value === undefined ? undefined : a.value === b.value;
  if (a.kind === "callable" && b.kind === "callable") return a.declaration === b.declaration;
  if (a.kind === "builtin" && b.kind === "builtin") return a.builtin === b.builtin;
  return false;
}

/** `-x` and `not x` */
export function negate(frame: Frame, expression: Extract<Expression, { kind: "unary" }>): CheckValue {
  const operand = evaluate(frame, expression.operand);
  const { session } = frame.elaboration;
  const { span } = expression;
  if (operand.kind === "unknown") return unknown;
  if (expression.operator === "not") {
    if (operand.kind === "boolean")
      return { kind: "boolean", value: operand.value === undefined ? undefined : !operand.value };
    if (operand.kind === "tensor" && operand.type.element === "bool")
      return computed(
        [operand],
        operand.type,
        emit(frame, span, [operand.value], (b, [x]) => build.not(b, x!)),
        span,
      );
  } else if (operand.kind === "number") {
    const zero = numberOf(0, operand.origin);
    if (operand.value !== undefined)
      return { ...numberOf(-operand.value, operand.origin), unit: operand.unit };
    return (
      numberArithmetic(frame.elaboration.solver, "-", zero, operand, span) ?? symbolicNumber(operand.origin)
    );
  } else if (operand.kind === "tensor") {
    if (!arithmeticIsAllowed(frame, "`-`", [operand])) return unknown;
    return computed(
      [operand],
      operand.type,
      emit(frame, span, [operand.value], (b, [x]) => build.neg(b, x!)),
      span,
    );
  }
  session.report(frame, unfit, {
    span: expression.operand.span,
    expected: expression.operator === "not" ? "a condition after `not`" : "a number or a tensor after `-`",
    found: kindInWords(operand),
    helps: [],
  });
  return unknown;
}
