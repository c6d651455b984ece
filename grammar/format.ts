// Source -> canonical text: two spaces of indent, settings in columns, the author's lines where they fit.
import type { CstNode, IToken } from "chevrotain";
import { printer } from "prettier/doc";
import { alignColumns } from "./format/align.ts";
import { attachComments } from "./format/comments.ts";
import { printFile, statementEnds } from "./format/print.ts";
import { tightTokens } from "./format/spacing.ts";
import { splitDeclarations } from "./newlines.ts";
import { parse } from "./parse.ts";
import { parseChunk } from "./parser.ts";
import type { Source } from "./source.ts";
import { tokenize } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

const lineWidth = 100;
/** Columns follow the lines of the source, so a second round sees the lines that the first one made. */
const rounds = 4;

/** The canonical text, the same for a text and for its canonical text; undefined where there are syntax errors. */
export function format(source: Source): string | undefined {
  if (parse(source).diagnostics.length > 0) return undefined;
  let { text } = source;
  for (let round = 0; round < rounds; round++) {
    const next = formatOnce(text);
    if (next === text) break;
    text = next;
  }
  const kept = words(tokenize(source.text)) === words(tokenize(text));
  if (!kept) throw new Error(`format: words of ${source.path} were lost or changed`);
  return text;
}

function formatOnce(text: string): string {
  const { tokens, comments } = tokenize(text);
  const trees: CstNode[] = [];
  const tight = new Set<IToken>();
  const ends = new Set<IToken>();
  for (const chunk of splitDeclarations(tokens)) {
    const { cst } = parseChunk(chunk);
    if (cst === undefined) continue;
    trees.push(cst);
    tightTokens(cst).forEach((token) => tight.add(token));
    statementEnds(chunk.tokens).forEach((token) => ends.add(token));
  }
  const attached = attachComments(tokens, comments);
  const trailing = tokens
    .map((token) => attached.of(token).trailing)
    .filter((comment) => comment !== undefined);
  const elements = [...tokens, ...trailing].sort((a, b) => a.startOffset - b.startOffset);
  const document = printFile(trees, {
    comments: attached,
    columns: alignColumns(elements, tight, trees),
    statementEnds: ends,
  });
  return printer.printDocToString(document, { printWidth: lineWidth, tabWidth: 2, useTabs: false }).formatted;
}

/** Everything that must survive: all words, and all comments in their order. */
function words({ tokens, comments }: Tokens): string {
  return JSON.stringify([tokens.map(({ image }) => image), comments.map(({ image }) => image.trimEnd())]);
}
