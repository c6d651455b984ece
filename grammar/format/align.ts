// Columns: how many spaces stand before a token so that it lines up with its neighbours above and below.
import type { CstNode, IToken } from "chevrotain";
import { inOrder, isNode, node, nodes, token } from "../cst.ts";
import { textWidth } from "../text-width.ts";
import * as t from "../tokens.ts";
import { firstToken } from "./spacing.ts";

export interface Columns {
  /** spaces before a token that is not the first of its line */
  gap(token: IToken): number;
  /** column of a token behind the first token of its source line, in the canonical spacing */
  offset(token: IToken): number;
}

/** What may line up with what: values of any form with each other, every other token with its own kind. */
function family(token: IToken): string {
  const type = token.tokenType;
  const value =
    [t.Number, t.Percent, t.Quantity, t.String, t.OpenSquare, t.OpenRound, t.OpenCurly].includes(type) ||
    /^[A-Za-z]/.test(token.image);
  return value ? "value" : type.name;
}

/**
 * Two rules. The values of the settings of a block form a column. Elsewhere the author decides: tokens that stand
 * in one column of neighbouring lines, at least one of them behind more than one space, are kept in one column.
 */
export function alignColumns(
  elements: readonly IToken[],
  tight: ReadonlySet<IToken>,
  trees: readonly CstNode[],
): Columns {
  const gaps = new Map<IToken, number>();
  for (const tree of trees) alignSettings(tree, gaps);
  const fixed = new Set(gaps.keys());
  const gap = (token: IToken): number => gaps.get(token) ?? (tight.has(token) ? 0 : 1);

  const lines = new Map<number, IToken[]>();
  for (const element of elements) {
    const line = element.startLine ?? 0;
    const known = lines.get(line);
    if (known) known.push(element);
    else lines.set(line, [element]);
  }
  const offset = (token: IToken): number => {
    let column = 0;
    for (const [index, other] of (lines.get(token.startLine ?? 0) ?? []).entries()) {
      if (index > 0) column += gap(other);
      if (other === token) break;
      column += textWidth(other.image);
    }
    return column;
  };

  const padded = elements.filter((element) => !fixed.has(element) && spacesBefore(element, lines) > 1);
  padded.sort((a, b) => (a.startColumn ?? 0) - (b.startColumn ?? 0));
  const done = new Set<IToken>();
  for (const start of padded) {
    if (done.has(start)) continue;
    const column = neighbours(start, lines).filter((element) => !fixed.has(element));
    column.forEach((element) => done.add(element));
    if (column.length < 2) continue;
    const target = Math.max(...column.map(offset));
    for (const element of column) gaps.set(element, gap(element) + target - offset(element));
  }
  return { gap, offset };
}

function spacesBefore(element: IToken, lines: ReadonlyMap<number, IToken[]>): number {
  const line = lines.get(element.startLine ?? 0) ?? [];
  const before = line[line.indexOf(element) - 1];
  return before ? element.startOffset - ((before.endOffset ?? 0) + 1) : 0;
}

/** The tokens in the column of `start`, in the lines around it that are indented alike, without an empty line between. */
function neighbours(start: IToken, lines: ReadonlyMap<number, IToken[]>): IToken[] {
  const found = [start];
  const indent = lines.get(start.startLine ?? 0)?.[0]?.startColumn;
  for (const step of [-1, 1]) {
    for (let number = (start.startLine ?? 0) + step; ; number += step) {
      const line = lines.get(number);
      if (line === undefined || line[0]?.startColumn !== indent) break;
      const same = line.find((element, i) => i > 0 && element.startColumn === start.startColumn);
      if (same && family(same) === family(start)) found.push(same);
    }
  }
  return found;
}

/** Blocks whose longest setting name has two spaces behind it; in the others it is one. */
const wide: ReadonlySet<string> = new Set(["workflow", "settingCall"]);

function alignSettings(tree: CstNode, gaps: Map<IToken, number>): void {
  const visit = (from: CstNode, parent: CstNode | undefined): void => {
    if (from.name === "settings") alignBlock(from, parent, gaps);
    for (const element of inOrder(from)) if (isNode(element)) visit(element, from);
  };
  visit(tree, undefined);
}

function alignBlock(settings: CstNode, parent: CstNode | undefined, gaps: Map<IToken, number>): void {
  const isCheck = token(parent, "keyword")?.tokenType === t.Check;
  const space = parent && wide.has(parent.name) && !isCheck ? 2 : 1;
  let run: { name: IToken; value: IToken }[] = [];
  const flush = (): void => {
    const width = Math.max(0, ...run.map(({ name }) => textWidth(name.image)));
    for (const { name, value } of run) gaps.set(value, width + space - textWidth(name.image));
    run = [];
  };
  for (const setting of nodes(settings, "setting")) {
    const name = token(setting, "Identifier");
    const call = node(setting, "settingCall");
    const [argument] = nodes(call, "argument");
    const value = argument && firstToken(argument);
    if (name === undefined || value === undefined || node(call, "settings")) {
      flush();
      continue;
    }
    // of weight files, only the lines that name tensors form the column
    if (parent?.name === "suffix" && value.tokenType !== t.String) continue;
    run.push({ name, value });
  }
  flush();
}
