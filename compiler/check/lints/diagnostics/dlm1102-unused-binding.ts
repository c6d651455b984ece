// DLM1102: a name that is bound and never read.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface UnusedBinding {
  readonly name: string;
  readonly span: Span;
  /** the lines of the statement, where it has them for itself */
  readonly line: Span | undefined;
}

const program = (line: string): string => `dlm 1

model Small(x: [B, D=8]) -> [B, 2] {
${line}  x -> Dense(16) -> relu -> Dense(2)
}
`;

export const unusedBinding = defineDiagnostic<UnusedBinding>({
  code: "DLM1102",
  severity: "warning",
  explanation: `What is bound and never read changes nothing: often another name was meant where it should be used. Silenced by
\`// allow(DLM1102)\` at the end of the line or on the line above.`,
  example: { wrong: program("  centred = x - (mean(x) over D)\n"), right: program("") },
  build({ name, span, line }) {
    return {
      message: `\`${name}\` is bound and never used`,
      primary: { span, text: "nothing reads this" },
      helps: [{ text: "remove it", ...(line ? { edits: [{ span: line, text: "" }] } : {}) }],
    };
  },
});
