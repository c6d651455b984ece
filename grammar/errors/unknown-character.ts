// DLM0007: a character that no part of the language uses.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Edit, Help } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface UnknownCharacter {
  readonly span: Span;
  readonly character: string;
  /** where it stands in the declaration */
  readonly alike: readonly Span[];
}

/** Characters that come with pasted text or with the habit of another language, and what to write here. */
const instead: { readonly [character: string]: string } = {
  "“": '"',
  "”": '"',
  "„": '"',
  "'": '"',
  "`": '"',
  "‘": '"',
  "’": '"',
  "→": "->",
  "⇒": "=>",
  "←": "<-",
  "×": "*",
  "·": "*",
  "÷": "/",
  "−": "-",
  "–": "-",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "…": "..",
  "&": "and",
  "|": "or",
  "!": "not",
};

export const unknownCharacter = defineDiagnostic<UnknownCharacter>({
  code: "DLM0007",
  severity: "error",
  explanation: `Outside of strings and comments the language is written in letters, digits and the signs
\`( ) [ ] { } , : . .. = == != < <= > >= + - * / @ ^ % ~ -> => <- +=\`. Statements end with their line: there is no
semicolon. Comments begin with \`//\`.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  h = x -> Dense(8);
  h -> relu -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  h = x -> Dense(8)
  h -> relu -> Dense(2)
}
`,
  },
  build({ span, character, alike }) {
    const isPipe = alike.every((each) => character === "|" && each.source.text[each.end] === ">");
    const replacement = isPipe ? "->" : instead[character];
    const code = character.codePointAt(0) ?? 0;
    const invisible = code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
    const shown = invisible ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : `\`${character}\``;
    const helps: Help[] = [];
    const everywhere = (text: string): Edit[] =>
      alike.map((each) => ({ span: isPipe ? { ...each, end: each.end + 1 } : each, text }));
    if (character === ";")
      helps.push({ text: "remove it: a statement ends with its line", edits: everywhere("") });
    else if (character === "#") helps.push({ text: "a comment begins with `//`", edits: everywhere("//") });
    else if (replacement) helps.push({ text: `write \`${replacement}\``, edits: everywhere(replacement) });
    return {
      message: `the language has no character ${shown}`,
      primary: { span, text: "unknown character" },
      helps,
    };
  },
});
