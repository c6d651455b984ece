// DLM0106: control flow on what is not known before running.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface UnknownCount {
  readonly span: Span;
  /** "`repeat`" */
  readonly what: string;
  /** "a number known before running" */
  readonly needs: string;
  /** "is a tensor of shape [B]" */
  readonly found: string;
}

export const unknownCount = defineDiagnostic<UnknownCount>({
  code: "DLM0106",
  severity: "error",
  explanation: `The graph of a program is finite and known before it runs: \`repeat\`, \`for\` and \`if\` are unrolled. What they depend
on is a number, a configuration parameter, a dim with a value, or a phase; never the data.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, 8] {
  x -> repeat mean(x) over [..] { Dense(8) }
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, 8] {
  x -> repeat 3 { Dense(8) }
}
`,
  },
  build({ span, what, needs, found }) {
    return {
      message: `${what} needs ${needs}`,
      primary: { span, text: `this ${found}` },
    };
  },
});
