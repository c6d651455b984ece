// DLM0502: a state that changes while the model is used.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface StateFixed {
  readonly span: Span;
  readonly name: string;
  /** the whole line */
  readonly text: string;
}

export const stateFixed = defineDiagnostic<StateFixed>({
  code: "DLM0502",
  severity: "error",
  explanation: `State belongs to training (\`if training\`) or to fitting (\`if fitting\`). A model that is used gives the same answer to the
same input, whatever it saw before.`,
  example: {
    wrong: `dlm 1

module Center(x: [B, D]) -> [B, D] {
  state m : [D] = 0
  m <- 0.9 * m + 0.1 * (mean(x) over B)
  x - m
}
`,
    right: `dlm 1

module Center(x: [B, D]) -> [B, D] {
  state m : [D] = 0
  if training {
    m <- 0.9 * m + 0.1 * (mean(x) over B)
  }
  x - m
}
`,
  },
  build({ span, name, text }) {
    return {
      message: "state may change only while training or fitting",
      primary: { span, text: `\`${name}\` would change whenever the model is used` },
      helps: [{ text: `if training { ${text} }`, edits: [{ span, text: `if training { ${text} }` }] }],
    };
  },
});
