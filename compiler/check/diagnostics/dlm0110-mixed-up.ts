// DLM0110: a tensor among the configuration of a module.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface MixedUp {
  readonly span: Span;
  readonly name: string;
  readonly signature: string;
  /** as it is meant: "x -> LayerNorm" */
  readonly stage: string;
  /** the parentheses are empty */
  readonly nothing?: boolean;
}

export const mixedUp = defineDiagnostic<MixedUp>({
  code: "DLM0110",
  severity: "error",
  explanation: `A module has two lists: its configuration, and its tensors. \`Dense(64)\` configures; the tensor arrives through the
arrow: \`x -> Dense(64)\`. Where it takes several, a second list holds them, with \`_\` for the one of the arrow:
\`x -> CrossAttention(8)(_, memory)\`. A named instance (\`look = Dense(64)\`) may be called with its tensors: \`look(x)\`.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  LayerNorm(x)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  x -> LayerNorm
}
`,
  },
  build({ span, name, signature, stage, nothing }) {
    return {
      message: `\`${name}\` takes its configuration in parentheses, and its tensor through an arrow`,
      primary: { span, text: nothing ? "no tensor is given" : "this is a tensor" },
      notes: [`its configuration is \`${signature}\``],
      helps: [{ text: stage }],
    };
  },
});
