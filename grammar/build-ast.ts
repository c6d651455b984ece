// Concrete tree -> declaration of the syntax tree. Total: what recovery left out becomes a Hole or an empty name.
import type { CstNode } from "chevrotain";
import type {
  Argument,
  Body,
  CallableDeclaration,
  Declaration,
  Expression,
  Parameter,
  Setting,
  Settings,
  Statement,
} from "./ast.ts";
import { buildExpression, buildFlow } from "./build-expression.ts";
import { buildArgument, buildPath, buildPostfix } from "./build-postfix.ts";
import { buildOptionalType, buildType } from "./build-type.ts";
import {
  hole,
  identifier,
  inOrder,
  isNode,
  nameOf,
  node,
  nodes,
  spanOf,
  stringValue,
  token,
  tokens,
} from "./cst.ts";
import type { BuildContext } from "./cst.ts";

/** The declaration, or undefined where not even its kind could be read. */
export function buildDeclaration(context: BuildContext, cst: CstNode, doc: string): Declaration | undefined {
  const [kind] = Object.keys(cst.children);
  const from = kind === undefined ? undefined : node(cst, kind);
  if (from === undefined) return undefined;
  const shared = { span: spanOf(context, from), doc };
  switch (kind) {
    case "use":
      return { ...shared, kind: "use", ...useParts(context, from) };
    case "let":
      return {
        ...shared,
        kind: "let",
        name: identifier(context, from),
        type: buildOptionalType(context, from),
        value: buildExpression(context, node(from, "expression"), from),
      };
    case "callable":
      return { ...shared, ...callableParts(context, from) };
    case "optimizer":
      return {
        ...shared,
        kind: "optimizer",
        name: identifier(context, from),
        configuration: buildParameters(context, node(from, "parameters")),
        where: buildWhere(context, from),
        body: buildBody(context, node(from, "body"), from),
      };
    case "data":
      return {
        ...shared,
        kind: "data",
        name: identifier(context, from),
        from: buildPostfix(context, node(from, "postfix"), from),
        settings: buildSettings(context, node(from, "settings"), from),
      };
    case "workflow": {
      const path = node(from, "path");
      return {
        ...shared,
        kind: keywordOf(from, ["train", "tune", "evaluate", "deploy", "check"], "check"),
        name: identifier(context, from),
        on: path && buildPath(context, path),
        settings: buildSettings(context, node(from, "settings"), from),
      };
    }
    default:
      return undefined;
  }
}

/** Also of a keyword that parse.ts put in. */
function keywordOf<Keyword extends string>(
  from: CstNode,
  words: readonly Keyword[],
  otherwise: Keyword,
): Keyword {
  // not by its text: that may be misspelt, and read as what was meant
  const keyword = token(from, "keyword")?.tokenType.name;
  return words.find((word) => word === keyword) ?? otherwise;
}

function useParts(context: BuildContext, from: CstNode) {
  const text = token(from, "String");
  const path = node(from, "path");
  const names = tokens(from, "Identifier");
  return {
    from: text
      ? { text: stringValue(text), span: spanOf(context, text), quoted: true }
      : {
          text: tokens(path, "Identifier")
            .map((part) => part.image)
            .join("."),
          span: path ? spanOf(context, path) : hole(context, from).span,
          quoted: false,
        },
    names: names.length > 0 ? names.map((name) => nameOf(context, name)) : undefined,
  };
}

function callableParts(context: BuildContext, from: CstNode): Omit<CallableDeclaration, "span" | "doc"> {
  const lists = nodes(from, "parameters").map((list) => buildParameters(context, list));
  return {
    kind: keywordOf(from, ["module", "model", "fn", "op"], "module"),
    name: identifier(context, from),
    configuration: lists.length > 1 ? (lists[0] ?? []) : [],
    tensors: (lists.length > 1 ? lists[1] : lists[0]) ?? [],
    result: buildType(context, node(from, "type"), from),
    where: buildWhere(context, from),
    body: buildBody(context, node(from, "body"), from),
  };
}

function buildWhere(context: BuildContext, from: CstNode): Expression[] {
  return nodes(from, "expression").map((condition) => buildExpression(context, condition, from));
}

function buildParameters(context: BuildContext, list: CstNode | undefined): Parameter[] {
  return nodes(list, "parameter")
    .filter((parameter) => token(parameter, "Identifier"))
    .map((parameter) => {
      const value = node(parameter, "expression");
      return {
        span: spanOf(context, parameter),
        name: identifier(context, parameter),
        type: buildOptionalType(context, parameter),
        default: value && buildExpression(context, value, parameter),
      };
    });
}

export function buildBody(context: BuildContext, body: CstNode | undefined, parent: CstNode): Body {
  if (body === undefined) return { span: hole(context, parent).span, statements: [] };
  return {
    span: spanOf(context, body),
    statements: nodes(body, "statement").map((statement) => buildStatement(context, statement)),
  };
}

function buildStatement(context: BuildContext, statement: CstNode): Statement {
  const [kind] = Object.keys(statement.children);
  const from = kind === undefined ? undefined : node(statement, kind);
  if (from === undefined) return hole(context, statement);
  const span = spanOf(context, from);
  if (kind === "flow") return buildFlow(context, from);
  const value = buildExpression(context, node(from, "expression"), from);
  if (kind === "yield") return { kind, span, value };
  const names = tokens(from, "Identifier").map((name) => nameOf(context, name));
  const name = names[0];
  if (name === undefined) return { kind: "hole", span };
  switch (kind) {
    case "weight":
      return {
        kind,
        span,
        name,
        type: buildType(context, node(from, "type"), from),
        random: token(from, "Tilde") !== undefined,
        value,
      };
    case "state":
      return { kind, span, name, type: buildOptionalType(context, from), value };
    case "update":
      return { kind, span, name, value };
    case "bind":
      return { kind, span, names, value };
    default:
      return { kind: "hole", span };
  }
}

export function buildSettings(
  context: BuildContext,
  settings: CstNode | undefined,
  parent: CstNode,
): Settings {
  if (settings === undefined) return { span: hole(context, parent).span, settings: [] };
  return {
    span: spanOf(context, settings),
    settings: nodes(settings, "setting").map((setting) => buildSetting(context, setting)),
  };
}

/** `one batch` is one word of a setting. */
function buildCount(context: BuildContext, count: CstNode): Argument {
  const span = spanOf(context, count);
  const text = `one ${token(count, "of")?.image ?? ""}`;
  return { span, name: undefined, value: { kind: "name", span, text }, alias: undefined };
}

function buildSetting(context: BuildContext, setting: CstNode): Setting {
  const span = spanOf(context, setting);
  const word = token(setting, "Identifier");
  if (word === undefined) return { kind: "hole", span };
  const name = nameOf(context, word);
  if (token(setting, "Assign")) {
    return {
      kind: "binding",
      span,
      name,
      value: buildExpression(context, node(setting, "expression"), setting),
    };
  }
  const call = node(setting, "settingCall");
  const alias = token(call, "Identifier");
  const inner = node(call, "settings");
  return {
    kind: "call",
    span,
    name,
    arguments: (call ? inOrder(call) : []).flatMap((part) =>
      isNode(part) && (part.name === "argument" || part.name === "count")
        ? [part.name === "count" ? buildCount(context, part) : buildArgument(context, part)]
        : [],
    ),
    type: buildOptionalType(context, call),
    alias: alias && nameOf(context, alias),
    settings: inner && call && buildSettings(context, inner, call),
  };
}
