// DLM0404: a label that two axes of one tensor bear.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface SameLabelTwice {
  readonly span: Span;
  readonly label: string;
  readonly type: string;
  readonly origins: readonly Label[];
}

export const sameLabelTwice = defineDiagnostic<SameLabelTwice>({
  code: "DLM0404",
  severity: "error",
  explanation: `Labels say which axis is meant, so that no tensor may have one of them twice where it is used. A rearrange renames:
\`[B, T, D] => [B, S=T, D]\`.`,
  example: {
    wrong: `dlm 1

model Scores(x: [B, T, D=8]) -> [B, T, T] {
  weight w : [D, D] ~ glorot
  x @ w
}
`,
    right: `dlm 1

model Scores(x: [B, T, D=8]) -> [B, T, Out=8] {
  weight w : [D, Out=8] ~ glorot
  x @ w
}
`,
  },
  build({ span, label, type, origins }) {
    return {
      message: `two axes are called ${label}`,
      primary: { span, text: type },
      labels: origins,
      helps: [{ text: `rename one: \`[.., ${label}] => [.., S=${label}]\`` }],
    };
  },
});
