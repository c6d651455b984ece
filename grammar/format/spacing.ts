// Which tokens stand directly behind the one before, without a space.
import type { CstNode, IToken } from "chevrotain";
import { inOrder, isNode, nodes, token, tokens } from "../cst.ts";
import * as t from "../tokens.ts";

export function firstToken(node: CstNode): IToken | undefined {
  for (const element of inOrder(node)) {
    const found = isNode(element) ? firstToken(element) : element;
    if (found) return found;
  }
  return undefined;
}

/** The tokens of a tree that are set tight to the one before; between all others there is one space. */
export function tightTokens(cst: CstNode): Set<IToken> {
  const tight = new Set<IToken>();
  const add = (element: CstNode | IToken | undefined): void => {
    const found = element && isNode(element) ? firstToken(element) : element;
    if (found) tight.add(found);
  };
  const behind = (parent: CstNode, mark: IToken | undefined): void => {
    if (mark === undefined) return;
    const elements = inOrder(parent);
    add(elements[elements.indexOf(mark) + 1]);
  };
  const visit = (node: CstNode, parent: CstNode | undefined): void => {
    for (const key of ["Comma", "CloseRound", "CloseSquare"]) tokens(node, key).forEach(add);
    for (const key of ["OpenRound", "OpenSquare"]) behind(node, token(node, key));
    switch (node.name) {
      case "path":
        for (const dot of tokens(node, "Dot")) {
          add(dot);
          behind(node, dot);
        }
        break;
      case "suffix":
        if (token(node, "Dot")) {
          add(token(node, "Dot"));
          behind(node, token(node, "Dot"));
        }
        if (!token(node, "over")) nodes(node, "bracket").forEach(add);
        nodes(node, "callArguments").forEach(add);
        break;
      case "namedType":
        for (const key of ["Less", "Greater", "Assign"]) {
          add(token(node, key));
          if (key !== "Greater") behind(node, token(node, key));
        }
        nodes(node, "callArguments").forEach(add);
        nodes(node, "bracket").forEach(add);
        break;
      case "callable":
      case "optimizer":
        nodes(node, "parameters").forEach(add);
        break;
      case "let":
      case "parameter":
      case "recordField":
      case "flow":
      case "stage":
        add(token(node, "Colon"));
        break;
      case "item":
        behind(node, token(node, "Dots"));
        break;
      case "argument":
        // `H=28` between brackets and in axis groups, `size = 3` among arguments
        if (parent?.name === "item" || (parent?.name === "round" && isGroup(parent))) {
          add(token(node, "Assign"));
          behind(node, token(node, "Assign"));
        }
        break;
      case "unary":
        tokens(node, "Minus").forEach((sign) => behind(node, sign));
        break;
      case "comparison":
      case "sum":
        for (const operator of tokens(node, "operator")) {
          if (
            operator.tokenType === t.Dots ||
            (operator.tokenType === t.Slash && isFraction(node, operator))
          ) {
            add(operator);
            behind(node, operator);
          }
        }
        break;
      default:
    }
    for (const element of inOrder(node)) if (isNode(element)) visit(element, node);
  };
  visit(cst, undefined);
  return tight;
}

function isGroup(round: CstNode): boolean {
  return nodes(round, "argument").length > 1 && tokens(round, "Comma").length === 0;
}

/** `1/255`, a number written as a fraction */
function isFraction(node: CstNode, operator: IToken): boolean {
  const elements = inOrder(node);
  const at = elements.indexOf(operator);
  const isNumber = (element: (typeof elements)[number] | undefined): boolean => {
    if (element === undefined || !isNode(element)) return false;
    const all = leaves(element);
    return all.length === 1 && all[0]?.tokenType === t.Number;
  };
  return isNumber(elements[at - 1]) && isNumber(elements[at + 1]);
}

/** All tokens of a tree in order. */
export function leaves(node: CstNode): IToken[] {
  return inOrder(node).flatMap((element) => (isNode(element) ? leaves(element) : [element]));
}
