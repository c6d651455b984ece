// DLM0207: several names for a value with another number of parts.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface WrongParts {
  readonly span: Span;
  readonly names: readonly string[];
  /** "the first axis has size 4" */
  readonly found: string;
  readonly value: { readonly span: Span; readonly text: string };
}

export const wrongParts = defineDiagnostic<WrongParts>({
  code: "DLM0207",
  severity: "error",
  explanation: `\`q, k, v = value\` takes a list apart (\`split(3)\`, \`branch\`), or a tensor along its first axis. There must be as many
names as parts.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, 8] {
  a, b, c = x -> Dense(16) -> split(2)
  a * sigmoid(b)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, 8] {
  a, b = x -> Dense(16) -> split(2)
  a * sigmoid(b)
}
`,
  },
  build({ span, names, found, value }) {
    return {
      message: `\`${names.join(", ")}\` expects ${names.length} parts, and ${found}`,
      primary: { span, text: `${names.length} names` },
      labels: [{ span: value.span, text: value.text }],
      helps: [{ text: "give each part a name, and no more" }],
    };
  },
});
