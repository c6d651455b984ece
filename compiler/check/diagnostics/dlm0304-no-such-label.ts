// DLM0304: a class that does not exist.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NoSuchLabel {
  readonly span: Span;
  readonly label: number;
  readonly classes: number;
}

export const noSuchLabel = defineDiagnostic<NoSuchLabel>({
  code: "DLM0304",
  severity: "error",
  explanation: `\`int<N>\` holds integers from 0 to N - 1: labels run from 0. \`category\` makes such ids from names.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [] {
  cross_entropy(x -> Dense(10), 10)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [] {
  cross_entropy(x -> Dense(10), 9)
}
`,
  },
  build({ span, label, classes }) {
    return {
      message: `label ${label} does not exist in int<${classes}>`,
      primary: { span, text: `labels run from 0 to ${classes - 1}` },
      helps: [{ text: "`category` makes ids from names" }],
    };
  },
});
