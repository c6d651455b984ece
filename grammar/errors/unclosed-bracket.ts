// DLM0001: a bracket that is opened and never closed.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface UnclosedBracket {
  readonly opener: Span;
  readonly bracket: "(" | "[" | "{";
  /** where its partner would have to stand at the latest, no width */
  readonly end: Span;
  /** the declaration or bracket before which parsing gave up; undefined at the end of the file */
  readonly stop: { readonly span: Span; readonly text: string; readonly declaration: boolean } | undefined;
}

const closers = { "(": ")", "[": "]", "{": "}" } as const;

export const unclosedBracket = defineDiagnostic<UnclosedBracket>({
  code: "DLM0001",
  severity: "error",
  explanation: `A \`{\`, \`[\` or \`(\` has no partner. Blocks are paired by their indentation where the brackets
alone do not say which one is missing, so the message points at the block whose end is not where its first line
lets it be expected. The second place is where the reading gave up: the next declaration, a bracket of another
kind, or the end of the file.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2)

model Other(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2)
}

model Other(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
  },
  build({ opener, bracket, end, stop }) {
    const closer = closers[bracket];
    const place = stop?.span ?? end;
    const why =
      stop === undefined
        ? "the file ends here"
        : stop.declaration
          ? `${stop.text} starts here, so the ${bracket === "{" ? "block" : "bracket"} probably ends before it`
          : `this \`${stop.text}\` comes first`;
    return {
      message: `this \`${bracket}\` is never closed`,
      primary: { span: opener, text: `needs a \`${closer}\`` },
      labels: [{ span: place, text: why }],
      helps: [
        stop && (stop.text === ")" || stop.text === "]")
          ? { text: `write \`${closer}\` instead`, edits: [{ span: stop.span, text: closer }] }
          : {
              text: `add the missing \`${closer}\``,
              edits: [{ span: end, text: bracket === "{" ? `\n${closer}` : closer }],
            },
      ],
    };
  },
});
