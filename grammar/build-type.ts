// Concrete tree -> types and bracket items of the syntax tree.
import type { CstNode } from "chevrotain";
import type { AxisItem, NamedTypeSyntax, Type } from "./ast.ts";
import { buildExpression, buildSum } from "./build-expression.ts";
import { buildArgument } from "./build-postfix.ts";
import { hole, identifier, nameOf, node, nodes, spanOf, token, tokens } from "./cst.ts";
import type { BuildContext } from "./cst.ts";

/** The `: type` of `parent`; undefined where there is none. */
export function buildOptionalType(context: BuildContext, parent: CstNode | undefined): Type | undefined {
  const type = node(parent, "type");
  return type && parent && buildType(context, type, parent);
}

export function buildType(context: BuildContext, type: CstNode | undefined, parent: CstNode): Type {
  const bracket = node(type, "bracket");
  if (bracket)
    return { kind: "tensor-type", span: spanOf(context, bracket), axes: buildItems(context, bracket) };
  const record = node(type, "recordType");
  if (record) {
    return {
      kind: "record-type",
      span: spanOf(context, record),
      fields: nodes(record, "recordField").map((field) => ({
        name: identifier(context, field),
        type: buildType(context, node(field, "type"), field),
      })),
    };
  }
  const named = node(type, "namedType");
  return named ? buildNamedType(context, named) : hole(context, type ?? parent);
}

function buildNamedType(context: BuildContext, named: CstNode): NamedTypeSyntax {
  const label = token(named, "Identifier");
  const bound = node(named, "sum");
  const list = node(named, "callArguments");
  const bracket = node(named, "bracket");
  return {
    kind: "named-type",
    span: spanOf(context, named),
    path: tokens(node(named, "path"), "Identifier").map((part) => nameOf(context, part)),
    bound: bound && { name: label && nameOf(context, label), value: buildSum(context, bound, named) },
    arguments: list && nodes(list, "argument").map((argument) => buildArgument(context, argument)),
    axes: bracket && buildItems(context, bracket),
  };
}

/** The items between `[` and `]`. */
export function buildItems(context: BuildContext, bracket: CstNode): AxisItem[] {
  return nodes(bracket, "item").map((item) => buildItem(context, item));
}

function buildItem(context: BuildContext, item: CstNode): AxisItem {
  const span = spanOf(context, item);
  const argument = node(item, "argument");
  if (argument === undefined) {
    const name = token(item, "Identifier");
    if (token(item, "Dots")) return { kind: "pack", span, name: name && nameOf(context, name) };
    return { kind: "axis", span, label: undefined, size: { kind: "hole", span } };
  }
  const label = token(argument, "Identifier");
  return {
    kind: "axis",
    span,
    label: label && nameOf(context, label),
    size: buildExpression(context, node(argument, "expression"), argument),
  };
}
