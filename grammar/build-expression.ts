// Concrete tree -> expressions of the syntax tree: pipelines, and operators by their precedence.
import type { CstNode, IToken } from "chevrotain";
import type { BinaryOperator, Expression, Name, Stage, Statement } from "./ast.ts";
import { buildBody } from "./build-ast.ts";
import { buildPostfix } from "./build-postfix.ts";
import { endOf, hole, nameOf, node, nodes, spanBetween, spanOf, startOf, token, tokens } from "./cst.ts";
import type { BuildContext } from "./cst.ts";

type StageOperator = Extract<Stage, { kind: "operator" }>["operator"];

// ---------------------------------------------------------------- pipelines

/** A missing `expression` is a Hole at the end of `parent`. */
export function buildExpression(
  context: BuildContext,
  expression: CstNode | undefined,
  parent: CstNode,
  label?: Name,
): Expression {
  if (expression === undefined) return hole(context, parent);
  const first = node(expression, "logical");
  const value = buildLogical(context, first, expression);
  const stages = nodes(expression, "stage").map((stage) => buildStage(context, stage));
  // an arrow whose stage could not be read at all
  while (stages.length < tokens(expression, "Arrow").length) {
    const end = hole(context, expression);
    stages.push({ kind: "value", span: end.span, label: undefined, value: end });
  }
  if (stages.length === 0 && label === undefined) return value;
  const headSpan = first ? spanOf(context, first) : value.span;
  const start = label?.span.start ?? headSpan.start;
  const whole = spanOf(context, expression);
  return {
    kind: "pipeline",
    span: { ...whole, start: Math.min(start, whole.start) },
    head: { kind: "value", span: { ...headSpan, start: Math.min(start, headSpan.start) }, label, value },
    stages,
  };
}

function buildStage(context: BuildContext, stage: CstNode): Stage {
  const span = spanOf(context, stage);
  const word = token(stage, "Colon") && token(stage, "Identifier");
  const label = word && nameOf(context, word);
  const operator = token(stage, "operator");
  if (operator) {
    return {
      kind: "operator",
      span,
      label,
      operator: operator.image as StageOperator,
      operatorSpan: spanOf(context, operator),
      operand: buildUnary(context, node(stage, "unary"), stage),
    };
  }
  const body = node(stage, "body");
  if (body) return { kind: "block", span, label, body: buildBody(context, body, stage) };
  return { kind: "value", span, label, value: buildPostfix(context, node(stage, "postfix"), stage) };
}

/** A statement `[label:] expression [+= value]`. */
export function buildFlow(context: BuildContext, flow: CstNode): Statement {
  const span = spanOf(context, flow);
  const word = token(flow, "Colon") && token(flow, "Identifier");
  const target = buildExpression(context, node(flow, "expression"), flow, word && nameOf(context, word));
  if (token(flow, "Accumulates") === undefined) return { kind: "expression", span, value: target };
  return { kind: "accumulate", span, target, value: buildExpression(context, node(flow, "value"), flow) };
}

// ---------------------------------------------------------------- operators

const levels: readonly (readonly string[])[] = [
  ["<", "<=", "==", "!=", ">", ">=", "in", "divides"],
  [".."],
  ["+", "-"],
  ["*", "/", "@", "mod"],
];
const levelOf: ReadonlyMap<string, number> = new Map(
  levels.flatMap((operators, level) => operators.map((operator) => [operator, level] as const)),
);

interface Operand {
  readonly value: Expression;
  /** with parentheses, which the value's own span leaves out */
  readonly start: number;
  readonly end: number;
}

function operandOf(value: Expression, element: CstNode | undefined): Operand {
  const start = element ? startOf(element) : NaN;
  if (element === undefined || Number.isNaN(start))
    return { value, start: value.span.start, end: value.span.end };
  return { value, start, end: endOf(element) };
}

function binary(context: BuildContext, left: Operand, operator: IToken, right: Operand): Operand {
  const span = spanBetween(context, left.start, right.end);
  const value: Expression = {
    kind: "binary",
    span,
    operator: operator.image as BinaryOperator,
    operatorSpan: spanOf(context, operator),
    left: left.value,
    right: right.value,
  };
  return { value, start: span.start, end: span.end };
}

/** Left-associative; `operands` has one more element than `operators`. */
function climb(
  context: BuildContext,
  operands: readonly Operand[],
  operators: readonly IToken[],
): Expression {
  let position = 0;
  const parse = (lowest: number): Operand => {
    let left = operands[position]!;
    for (;;) {
      const operator = operators[position];
      const level = operator && (levelOf.get(operator.image) ?? 0);
      if (operator === undefined || level === undefined || level < lowest) return left;
      position++;
      left = binary(context, left, operator, parse(level + 1));
    }
  };
  return parse(0).value;
}

function operandsOf(
  context: BuildContext,
  parent: CstNode,
  key: string,
  build: (context: BuildContext, element: CstNode | undefined, parent: CstNode) => Expression,
  count: number,
): Operand[] {
  const elements = nodes(parent, key);
  return Array.from({ length: count }, (_, i) => operandOf(build(context, elements[i], parent), elements[i]));
}

export function buildLogical(
  context: BuildContext,
  logical: CstNode | undefined,
  parent: CstNode,
): Expression {
  if (logical === undefined) return hole(context, parent);
  const operators = tokens(logical, "operator");
  if (operators.length === 0) return buildNegation(context, node(logical, "negation"), logical);
  const operands = operandsOf(context, logical, "negation", buildNegation, operators.length + 1);
  // `and` binds more tightly than `or`
  const alternatives: Operand[] = [];
  const ors: IToken[] = [];
  let current = operands[0]!;
  operators.forEach((operator, i) => {
    const right = operands[i + 1]!;
    if (operator.image === "and") current = binary(context, current, operator, right);
    else {
      alternatives.push(current);
      ors.push(operator);
      current = right;
    }
  });
  alternatives.push(current);
  return alternatives.reduce((left, right, i) => binary(context, left, ors[i - 1]!, right)).value;
}

function prefixed(context: BuildContext, signs: readonly IToken[], operand: Operand): Expression {
  let { value } = operand;
  for (let i = signs.length - 1; i >= 0; i--) {
    const sign = signs[i]!;
    const span = spanBetween(context, sign.startOffset, operand.end);
    value = { kind: "unary", span, operator: sign.image === "not" ? "not" : "-", operand: value };
  }
  return value;
}

function buildNegation(context: BuildContext, negation: CstNode | undefined, parent: CstNode): Expression {
  if (negation === undefined) return hole(context, parent);
  const comparison = node(negation, "comparison");
  const value = buildSum(context, comparison, negation);
  const signs = tokens(negation, "not");
  return signs.length === 0 ? value : prefixed(context, signs, operandOf(value, comparison));
}

/** A `sum` or a `comparison`: unary operands and operators. */
export function buildSum(context: BuildContext, sum: CstNode | undefined, parent: CstNode): Expression {
  if (sum === undefined) return hole(context, parent);
  const operators = tokens(sum, "operator");
  if (operators.length === 0) return buildUnary(context, node(sum, "unary"), sum);
  return climb(context, operandsOf(context, sum, "unary", buildUnary, operators.length + 1), operators);
}

function buildUnary(context: BuildContext, unary: CstNode | undefined, parent: CstNode): Expression {
  if (unary === undefined) return hole(context, parent);
  const postfix = node(unary, "postfix");
  const signs = tokens(unary, "Minus");
  const power = token(unary, "Power");
  const plain = buildPostfix(context, postfix, unary);
  if (signs.length === 0 && power === undefined) return plain;
  let operand = operandOf(plain, postfix);
  if (power) {
    const exponent = node(unary, "unary");
    operand = binary(context, operand, power, operandOf(buildUnary(context, exponent, unary), exponent));
  }
  return prefixed(context, signs, operand);
}
