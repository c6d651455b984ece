// Concrete tree -> primary expressions and what follows them: calls, brackets, members, forms with a body.
import type { CstNode, IToken } from "chevrotain";
import type { Argument, Expression } from "./ast.ts";
import { buildBody, buildSettings } from "./build-ast.ts";
import { buildExpression, buildLogical, buildSum } from "./build-expression.ts";
import { buildItems } from "./build-type.ts";
import {
  endOf,
  hole,
  identifier,
  nameOf,
  node,
  nodes,
  spanBetween,
  spanOf,
  startOf,
  stringValue,
  token,
  tokens,
} from "./cst.ts";
import type { BuildContext } from "./cst.ts";

// ---------------------------------------------------------------- suffixes

export function buildPath(context: BuildContext, path: CstNode): Expression {
  const [first, ...rest] = tokens(path, "Identifier").map((part) => nameOf(context, part));
  if (first === undefined) return hole(context, path);
  return rest.reduce<Expression>(
    (base, name) => ({
      kind: "member",
      span: spanBetween(context, first.span.start, name.span.end),
      base,
      name,
    }),
    { kind: "name", ...first },
  );
}

export function buildPostfix(
  context: BuildContext,
  postfix: CstNode | undefined,
  parent: CstNode,
): Expression {
  const primary = node(postfix, "primary");
  if (postfix === undefined || primary === undefined) return hole(context, postfix ?? parent);
  const suffixes = nodes(postfix, "suffix");
  const rearranges = (suffix: CstNode | undefined): boolean => token(suffix, "Rearranges") !== undefined;
  const start = startOf(primary);
  let base = buildPrimary(context, primary, rearranges(suffixes[0]));
  suffixes.forEach((suffix, i) => {
    const span = spanBetween(context, Number.isNaN(start) ? base.span.start : start, endOf(suffix));
    base = buildSuffix(context, base, suffix, span, rearranges(suffixes[i + 1]));
  });
  return base;
}

function buildSuffix(
  context: BuildContext,
  base: Expression,
  suffix: CstNode,
  span: Expression["span"],
  groups: boolean,
): Expression {
  const call = node(suffix, "callArguments");
  if (call) {
    return {
      kind: "call",
      span,
      callee: base,
      arguments: withGroups(context, false, () =>
        nodes(call, "argument").map((argument) => buildArgument(context, argument)),
      ),
      argumentsSpan: spanOf(context, call),
    };
  }
  if (token(suffix, "over")) return buildOver(context, base, suffix, span);
  const bracket = node(suffix, "bracket");
  if (bracket) {
    const items = withGroups(context, groups, () => buildItems(context, bracket));
    return { kind: "brackets", span, base, items, itemsSpan: spanOf(context, bracket) };
  }
  if (token(suffix, "Dot")) return { kind: "member", span, base, name: identifier(context, suffix) };
  if (token(suffix, "Rearranges")) {
    const to = node(suffix, "primary");
    return {
      kind: "rearrange",
      span,
      from: base,
      to: to ? buildPrimary(context, to, true) : hole(context, suffix),
    };
  }
  const file = token(suffix, "String");
  if (token(suffix, "from")) {
    const settings = node(suffix, "settings");
    return {
      kind: "from",
      span,
      base,
      file: file ? stringValue(file) : "",
      fileSpan: file ? spanOf(context, file) : hole(context, suffix).span,
      settings: settings && buildSettings(context, settings, suffix),
    };
  }
  return { kind: "hole", span };
}

function buildOver(
  context: BuildContext,
  base: Expression,
  suffix: CstNode,
  span: Expression["span"],
): Expression {
  const bracket = node(suffix, "axes");
  if (bracket) {
    return {
      kind: "over",
      span,
      base,
      axes: buildItems(context, bracket),
      axesSpan: spanOf(context, bracket),
    };
  }
  const axis = token(suffix, "axis");
  if (axis === undefined) {
    const end = hole(context, suffix);
    return {
      kind: "over",
      span,
      base,
      axes: [{ kind: "axis", span: end.span, label: undefined, size: end }],
      axesSpan: end.span,
    };
  }
  const name = nameOf(context, axis);
  return {
    kind: "over",
    span,
    base,
    axes: [{ kind: "axis", span: name.span, label: undefined, size: { kind: "name", ...name } }],
    axesSpan: name.span,
  };
}

export function buildArgument(context: BuildContext, argument: CstNode): Argument {
  const name = token(argument, "Identifier");
  const alias = token(argument, "alias");
  return {
    span: spanOf(context, argument),
    name: name && nameOf(context, name),
    value: buildExpression(context, node(argument, "expression"), argument),
    alias: alias && nameOf(context, alias),
  };
}

/** Whether `(heads E)` is an axis group here: only directly between the brackets of a rearrange. */
function withGroups<Result>(context: BuildContext, allowed: boolean, build: () => Result): Result {
  const before = context.groupsAllowed;
  context.groupsAllowed = allowed;
  const result = build();
  context.groupsAllowed = before;
  return result;
}

// ---------------------------------------------------------------- primaries

function buildPrimary(context: BuildContext, primary: CstNode, groups: boolean): Expression {
  const span = spanOf(context, primary);
  const [key] = Object.keys(primary.children);
  const word = key === undefined ? undefined : token(primary, key);
  const inner = key === undefined ? undefined : node(primary, key);
  if (word) return buildLiteral(context, key, word);
  if (inner === undefined) return { kind: "hole", span };
  switch (key) {
    case "bracket":
      return { kind: "list", span, items: withGroups(context, groups, () => buildItems(context, inner)) };
    case "round":
      return buildRound(context, inner);
    default:
      return withGroups(context, false, () => buildBlock(context, key, inner));
  }
}

function buildLiteral(context: BuildContext, key: string | undefined, word: IToken): Expression {
  const span = spanOf(context, word);
  const plain = word.image.replaceAll("_", "");
  switch (key) {
    case "Number":
      return { kind: "number", span, value: Number(plain), integer: /^[0-9]+$/.test(plain) };
    case "Percent":
      // the decimal point is moved in the text: 55 / 100 would not always round like 0.55
      return { kind: "percent", span, value: Number(shiftedByHundred(plain.slice(0, -1))) };
    case "Quantity": {
      const unit = /[A-Za-z]+$/.exec(plain)?.[0] ?? "";
      return { kind: "quantity", span, value: Number(plain.slice(0, plain.length - unit.length)), unit };
    }
    case "String":
      return { kind: "string", span, value: stringValue(word) };
    case "true":
    case "false":
      return { kind: "boolean", span, value: key === "true" };
    default:
      return { kind: "name", span, text: word.image };
  }
}

function shiftedByHundred(text: string): string {
  const [digits = "0", exponent = "0"] = text.toLowerCase().split("e");
  return `${digits}e${Number(exponent) - 2}`;
}

function buildRound(context: BuildContext, round: CstNode): Expression {
  const span = spanOf(context, round);
  const elements = nodes(round, "argument");
  const commas = tokens(round, "Comma").length;
  const [only] = elements;
  if (only && elements.length === 1 && !token(only, "Identifier") && !token(only, "alias")) {
    return withGroups(context, false, () => buildExpression(context, node(only, "expression"), only));
  }
  if (commas === 0 && elements.length > 1) {
    if (context.groupsAllowed) {
      return { kind: "group", span, members: elements.map((element) => buildArgument(context, element)) };
    }
    const [first, second] = elements;
    context.sideBySide(spanOf(context, first!), spanOf(context, second!), span);
    return { kind: "hole", span };
  }
  if (commas < elements.length - 1) {
    const loose = elements.findIndex(
      (element, i) => i > 0 && !commaBetween(round, elements[i - 1]!, element),
    );
    if (loose > 0)
      context.sideBySide(spanOf(context, elements[loose - 1]!), spanOf(context, elements[loose]!), span);
  }
  return withGroups(context, false, () => ({
    kind: "tuple",
    span,
    elements: elements.map((element) => buildArgument(context, element)),
  }));
}

function commaBetween(round: CstNode, left: CstNode, right: CstNode): boolean {
  return tokens(round, "Comma").some(
    (comma) => comma.startOffset >= endOf(left) && comma.startOffset < startOf(right),
  );
}

/** The forms with a body: `if`, `repeat`, `for`, `recompute`, `residual`, `branch`, `scan`. */
function buildBlock(context: BuildContext, key: string | undefined, from: CstNode): Expression {
  const span = spanOf(context, from);
  const body = buildBody(context, node(from, "body"), from);
  switch (key) {
    case "if": {
      const otherwise = node(from, "otherwise");
      return {
        kind: "if",
        span,
        condition: buildLogical(context, node(from, "logical"), from),
        then: body,
        else: otherwise && buildBody(context, otherwise, from),
      };
    }
    case "repeat":
      return {
        kind: "repeat",
        span,
        count: buildSum(context, node(from, "sum"), from),
        shared: token(from, "shared") !== undefined,
        body,
      };
    case "for":
      return {
        kind: "for",
        span,
        variable: identifier(context, from),
        values: buildSum(context, node(from, "comparison"), from),
        body,
      };
    case "recompute":
    case "branch":
      return { kind: key, span, body };
    case "residual": {
      const via = node(from, "postfix");
      return {
        kind: "residual",
        span,
        keywordSpan: { ...span, end: span.start + "residual".length },
        via: via && buildPostfix(context, via, from),
        body,
      };
    }
    case "scan":
      return {
        kind: "scan",
        span,
        sequence: identifier(context, from, "sequence"),
        axis: identifier(context, from, "axis"),
        carries: nodes(from, "carry").map((carry) => ({
          name: identifier(context, carry),
          start: buildSum(context, node(carry, "sum"), carry),
        })),
        body,
      };
    default:
      return { kind: "hole", span };
  }
}
