// DLM0008: a closing bracket without an opening one.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface StrayBracket {
  readonly span: Span;
  readonly bracket: string;
}

export const strayBracket = defineDiagnostic<StrayBracket>({
  code: "DLM0008",
  severity: "error",
  explanation: `A \`}\`, \`]\` or \`)\` has no partner before it: it is one too many, or its opening bracket is missing
further up.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8)) -> relu -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2)
}
`,
  },
  build({ span, bracket }) {
    return {
      message: `this \`${bracket}\` closes nothing`,
      primary: { span, text: "its opening bracket is missing" },
      helps: [{ text: "remove it, or add its partner further up", edits: [{ span, text: "" }] }],
    };
  },
});
