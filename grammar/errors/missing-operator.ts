// DLM0003: two expressions side by side.
import { defineDiagnostic } from "../diagnostic.ts";
import { textOf } from "../source.ts";
import type { Span } from "../source.ts";

export interface MissingOperator {
  readonly first: Span;
  readonly second: Span;
  /** the parentheses of `(heads E)` where they stand outside a rearrange */
  readonly group: Span | undefined;
  /** inside brackets, where a comma may be meant */
  readonly listed: boolean;
}

export const missingOperator = defineDiagnostic<MissingOperator>({
  code: "DLM0003",
  severity: "error",
  explanation: `Two values stand next to each other and nothing says what to do with them. Values are combined by an
operator (\`heads * E\`), passed on by \`->\`, listed with commas, or called (\`Dense(64)\`). Only in a rearrange,
\`[B, T, (heads E)] => [B, heads, T, E]\`, do parentheses around names group axes. A setting is one line: its name,
then its values separated by commas.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) relu -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2)
}
`,
  },
  build({ first, second, group, listed }) {
    const message = "two expressions without an operator between them";
    if (group) {
      return {
        message,
        primary: { span: group, text: "groups axes only inside `[…] => […]`" },
        helps: [
          {
            text: `\`${textOf(first)} * ${textOf(second)}\`, if the product is meant`,
            edits: [{ span: { ...first, start: first.end, end: second.start }, text: " * " }],
          },
        ],
      };
    }
    const gap = { ...first, start: first.end, end: second.start };
    return {
      message,
      primary: { span: second, text: "nothing joins this" },
      labels: [{ span: first, text: "to this" }],
      helps: [
        /^[\d.]+$/.test(textOf(first)) && /^[A-Za-z_]\w*$/.test(textOf(second))
          ? {
              text: `\`${textOf(first)} * ${textOf(second)}\`, if the product is meant`,
              edits: [{ span: gap, text: " * " }],
            }
          : listed
            ? { text: "separate the two by a comma", edits: [{ span: gap, text: ", " }] }
            : { text: "`->` passes the first on to the second", edits: [{ span: gap, text: " -> " }] },
      ],
    };
  },
});
