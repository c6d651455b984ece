// DLM0005: text that does not fit in its place, where no other code says it better.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Help } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface UnexpectedText {
  /** the text in question, or the end of the text before it */
  readonly span: Span;
  /** "a name", "`)` or `,`"; undefined: nothing may follow here */
  readonly expected: string | undefined;
  /** the text; undefined where the line or the file ends */
  readonly found: string | undefined;
  readonly fileEnds: boolean;
  readonly notes: readonly string[];
  readonly helps: readonly Help[];
}

export const unexpectedText = defineDiagnostic<UnexpectedText>({
  code: "DLM0005",
  severity: "error",
  explanation: `The text up to the marked place is fine, but it cannot go on like this: a part is missing, or
something stands there that the grammar has no use for. The message says what could stand there. Only the first
such place of a declaration is reported, since what follows it usually has the same cause.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) [B, 2] {
  x -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
  },
  build({ span, expected, found, fileEnds, notes, helps }) {
    const end = fileEnds ? "the file ends here" : "the line ends here";
    if (expected === undefined) {
      return {
        message:
          found === undefined
            ? `unexpected end of the ${fileEnds ? "file" : "line"}`
            : `\`${found}\` cannot stand here`,
        primary: { span, text: found === undefined ? end : "does not belong here" },
        notes,
        helps,
      };
    }
    return {
      message: found === undefined ? `expected ${expected}` : `expected ${expected}, found \`${found}\``,
      primary: { span, text: found === undefined ? end : `expected ${expected}` },
      notes,
      helps,
    };
  },
});
