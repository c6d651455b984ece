// Concrete tree -> document of prettier's printer.
import type { CstElement, CstNode, IToken } from "chevrotain";
import { builders, utils } from "prettier/doc";
import type { Doc } from "prettier";
import { inOrder, isNode, node, nodes, token, tokens } from "../cst.ts";
import * as t from "../tokens.ts";
import type { Columns } from "./align.ts";
import type { Comments } from "./comments.ts";
import { firstToken, leaves } from "./spacing.ts";

const { align, breakParent, fill, group, hardline, indent, line, lineSuffix, lineSuffixBoundary, softline } =
  builders;

export interface Printing {
  readonly comments: Comments;
  readonly columns: Columns;
  /** the last tokens of statements: what follows begins a new line anyway */
  readonly statementEnds: ReadonlySet<IToken>;
  /** inside a type, whose axes stay in one line: the lists around it break first */
  readonly inType?: boolean;
}

const arrowWidth = "-> ".length;
/** Shorter lists are never kept in several lines. */
const smallestTable = 5;
const whereWidth = "where ".length;

/** A file: its declarations and the comments between and behind them, with at most one empty line between two. */
export function printFile(trees: readonly CstNode[], printing: Printing): Doc {
  const { comments } = printing;
  const parts: Doc[] = [];
  const add = (first: IToken | undefined, doc: Doc): void => {
    if (parts.length > 0) parts.push(hardline, first && comments.blankBefore(first) ? hardline : "");
    parts.push(doc);
  };
  for (const tree of trees) add(firstElement(tree, comments), print(tree, printing));
  for (const comment of comments.last) add(comment, comment.image.trimEnd());
  return parts.length > 0 ? [...parts, hardline] : [];
}

/** The first thing printed for a tree: a comment above its first token, or that token. */
function firstElement(tree: CstNode, comments: Comments): IToken | undefined {
  const first = firstToken(tree);
  return first && (comments.of(first).leading[0] ?? first);
}

function printToken(word: IToken, { comments, columns, statementEnds }: Printing): Doc {
  const { leading, trailing } = comments.of(word);
  const parts: Doc[] = [];
  const before = comments.before(word);
  // a comment ends the line it is in, also where the layout would go on
  if (before && before.image.startsWith("//")) parts.push(lineSuffixBoundary);
  leading.forEach((comment, index) => {
    const next = leading[index + 1] ?? word;
    parts.push(comment.image.trimEnd(), hardline, comments.blankBefore(next) ? hardline : "");
  });
  parts.push(word.image);
  if (trailing) {
    parts.push(lineSuffix(" ".repeat(columns.gap(trailing)) + trailing.image.trimEnd()));
    const closes = word.tokenType === t.CloseRound || word.tokenType === t.CloseSquare;
    if (!closes && !statementEnds.has(word)) parts.push(breakParent);
  }
  return parts;
}

function print(element: CstElement, printing: Printing): Doc {
  if (!isNode(element)) return printToken(element, printing);
  switch (element.name) {
    case "callable":
    case "optimizer":
      return printCallable(element, printing);
    case "body":
      return printBlock(element, "statement", printing);
    case "settings":
      return printBlock(element, "setting", printing);
    case "expression":
      return printPipeline(element, printing);
    case "type":
      return inSequence(inOrder(element), { ...printing, inType: true });
    case "callArguments":
    case "bracket":
    case "parameters":
    case "recordType":
      return printList(element, printing);
    case "settingCall":
      return printSettingCall(element, printing);
    case "round":
      return tokens(element, "Comma").length > 0
        ? printList(element, printing)
        : group([
            print(token(element, "OpenRound")!, printing),
            indent([softline, inSequence(nodes(element, "argument"), printing, line)]),
            softline,
            print(token(element, "CloseRound")!, printing),
          ]);
    case "logical":
    case "comparison":
    case "sum":
      return printOperators(element, printing);
    default:
      return inSequence(inOrder(element), printing);
  }
}

/** Elements one behind the other, with the spaces of the columns, or with `separator` where there is a space. */
function inSequence(elements: readonly CstElement[], printing: Printing, separator?: Doc): Doc {
  return elements.map((element, index) => [
    index === 0 ? "" : spaceBefore(element, printing, separator),
    print(element, printing),
  ]);
}

function spaceBefore(element: CstElement, { columns }: Printing, separator?: Doc): Doc {
  const first = isNode(element) ? firstToken(element) : element;
  const gap = first ? columns.gap(first) : 1;
  return separator !== undefined && gap === 1 ? separator : " ".repeat(gap);
}

// ---------------------------------------------------------------- declarations

function printCallable(callable: CstNode, printing: Printing): Doc {
  const where = token(callable, "where");
  const body = node(callable, "body")!;
  const elements = inOrder(callable);
  if (where === undefined) return inSequence(elements, printing);
  const at = elements.indexOf(where);
  const conditions = nodes(callable, "expression");
  const commas = tokens(callable, "Comma");
  const rows = commas.some((comma) => endsLine(comma, callable));
  return [
    group([
      inSequence(elements.slice(0, at), printing),
      indent([
        line,
        print(where, printing),
        " ",
        align(
          whereWidth,
          group([
            conditions.map((condition, index) => [
              index === 0 ? "" : line,
              print(condition, printing),
              commas[index] ? print(commas[index], printing) : "",
            ]),
            rows ? breakParent : "",
          ]),
        ),
      ]),
      line,
      startsLine(where, printing) ? breakParent : "",
    ]),
    print(body, printing),
  ];
}

/** `{ x }` where it was one line and fits; otherwise one line for each part. */
function printBlock(block: CstNode, part: string, printing: Printing): Doc {
  const { comments } = printing;
  const open = token(block, "OpenCurly")!;
  const close = token(block, "CloseCurly")!;
  const parts = nodes(block, part);
  const dangling = comments.of(close).leading;
  const first = parts[0];
  if (first === undefined && dangling.length === 0 && comments.of(open).trailing === undefined) {
    return [print(open, printing), print(close, printing)];
  }
  const start = first && firstElement(first, comments);
  const inLine = parts.length === 1 && dangling.length === 0 && start?.startLine === open.startLine;
  if (first && inLine && comments.of(open).trailing === undefined) {
    return group([
      print(open, printing),
      indent([line, print(first, printing)]),
      spaceBefore(close, printing, line),
      print(close, printing),
    ]);
  }
  const rows: Doc[] = [];
  for (const each of parts) {
    const top = firstElement(each, comments);
    rows.push(hardline, rows.length > 0 && top && comments.blankBefore(top) ? hardline : "");
    rows.push(print(each, printing));
  }
  for (const comment of dangling) {
    rows.push(hardline, rows.length > 0 && comments.blankBefore(comment) ? hardline : "");
    rows.push(comment.image.trimEnd());
  }
  const closing = comments.of(close).trailing;
  return [
    print(open, printing),
    indent(rows),
    hardline,
    close.image,
    closing ? lineSuffix(" ".repeat(printing.columns.gap(closing)) + closing.image.trimEnd()) : "",
  ];
}

// ---------------------------------------------------------------- expressions

/** The author's lines are kept; a line that is too long is broken before each of its arrows. */
function printPipeline(expression: CstNode, printing: Printing): Doc {
  const arrows = tokens(expression, "Arrow");
  const stages = nodes(expression, "stage");
  const head = node(expression, "logical")!;
  if (arrows.length === 0) return print(head, printing);
  const rows: { readonly arrow: IToken | undefined; readonly doc: Doc }[][] = [
    [{ arrow: undefined, doc: print(head, printing) }],
  ];
  arrows.forEach((arrow, index) => {
    const doc: Doc = [print(arrow, printing), " ", align(arrowWidth, print(stages[index]!, printing))];
    if (startsLine(arrow, printing) || endsLine(arrow, expression)) rows.push([{ arrow, doc }]);
    else rows[rows.length - 1]!.push({ arrow, doc });
  });
  return rows.map((row, index) => {
    // in a row with a block of several lines, being too long is no question
    const separator = row.some(({ doc }) => utils.willBreak(doc)) ? undefined : line;
    const [first, ...others] = row.map(({ arrow, doc }, i) => [
      i === 0 || arrow === undefined ? "" : spaceBefore(arrow, printing, separator),
      doc,
    ]);
    return index === 0
      ? group([first ?? "", indent(others)])
      : indent([hardline, group([first ?? "", others])]);
  });
}

function printOperators(operators: CstNode, printing: Printing): Doc {
  const [first, ...rest] = inOrder(operators);
  if (first === undefined || rest.length === 0) return first ? print(first, printing) : "";
  const parts: Doc[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const operator = rest[i]!;
    const operand = rest[i + 1]!;
    parts.push(spaceBefore(operator, printing), print(operator, printing));
    parts.push(spaceBefore(operand, printing, line), print(operand, printing));
  }
  return group([print(first, printing), indent(parts)]);
}

function printList(list: CstNode, printing: Printing): Doc {
  const elements = inOrder(list);
  const open = elements[0]!;
  const close = elements[elements.length - 1]!;
  const items = elements.slice(1, -1).filter(isNode);
  const commas = tokens(list, "Comma");
  if (items.length === 0) return [print(open, printing), print(close, printing)];
  const hung = hangs(list, items, printing);
  const rows: Doc[] = items.flatMap((item, index): Doc[] => {
    const comma = commas[index];
    const doc = [print(item, printing), comma ? print(comma, printing) : ""];
    if (index === 0) return [doc];
    return [hung && startsLine(firstToken(item)!, printing) ? hardline : line, doc];
  });
  if (hung) {
    const column = printing.columns.offset(firstToken(items[0]!)!);
    return [print(open, printing), align(column, fill(rows)), print(close, printing)];
  }
  if (list.name === "bracket" && printing.inType === true)
    return [print(open, printing), rows.map((row) => (row === line ? " " : row)), print(close, printing)];
  return group([print(open, printing), indent([softline, rows]), softline, print(close, printing)]);
}

/** The values of a setting, in further lines under the first one where they do not fit. */
function printSettingCall(call: CstNode, printing: Printing): Doc {
  const items = nodes(call, "argument");
  const commas = tokens(call, "Comma");
  if (commas.length === 0) return inSequence(inOrder(call), printing);
  const rest = inOrder(call).filter(
    (element) => !items.includes(element as CstNode) && !commas.includes(element as IToken),
  );
  const behind = rest.map((element) => [spaceBefore(element, printing), print(element, printing)]);
  const rows: Doc[] = items.flatMap((item, index): Doc[] => {
    const comma = commas[index];
    const doc = [print(item, printing), comma ? print(comma, printing) : behind];
    return index === 0 ? [doc] : [spaceBefore(item, printing, line), doc];
  });
  return align(printing.columns.offset(firstToken(items[0]!)!), fill(rows));
}

/** A table of strings or numbers that the author set in several lines under its first item. */
function hangs(list: CstNode, items: readonly CstNode[], printing: Printing): boolean {
  const isLiteral = (item: CstNode): boolean => {
    const [word, ...others] = leaves(item);
    return others.length === 0 && (word?.tokenType === t.String || word?.tokenType === t.Number);
  };
  if (items.length < smallestTable || !items.every(isLiteral)) return false;
  const first = firstToken(items[0]!)!;
  const all = leaves(list);
  const close = all[all.length - 1]!;
  return (
    !startsLine(first, printing) &&
    !startsLine(close, printing) &&
    items.some((item) => startsLine(firstToken(item)!, printing)) &&
    all.every((each) => printing.comments.of(each).leading.length === 0)
  );
}

/** In the source, the token was the first of its line. */
function startsLine(word: IToken, { comments }: Printing): boolean {
  const before = comments.before(word);
  return before === undefined || (before.endLine ?? 0) < (word.startLine ?? 0);
}

/** In the source, the token was the last of its line. */
function endsLine(word: IToken, parent: CstNode): boolean {
  const all = leaves(parent);
  const next = all[all.indexOf(word) + 1];
  return next !== undefined && (next.startLine ?? 0) > (word.endLine ?? 0);
}

/** The tokens after which the newline rule ends a statement, or a `}` does. */
export function statementEnds(chunk: readonly IToken[]): IToken[] {
  return chunk.filter((_, index) => {
    const next = chunk[index + 1];
    return next === undefined || next.tokenType === t.Newline || next.tokenType === t.CloseCurly;
  });
}
