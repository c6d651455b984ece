// DLM0102: an argument by a name that the callee has not.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NoParameter {
  readonly span: Span;
  readonly callee: string;
  readonly name: string;
  readonly signature: string;
  readonly near: readonly string[];
  /** parameters that must be given and that this call leaves open, in order */
  readonly open: readonly string[];
}

export const noParameter = defineDiagnostic<NoParameter>({
  code: "DLM0102",
  severity: "error",
  explanation: `Arguments may be given by name, and every name must be a parameter: a slip of the fingers never silently takes
a default.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, H=8, W=8, C=3]) -> [B, _, _, 16] {
  x -> Conv(16, kernel = 3)
}
`,
    right: `dlm 1

model Small(x: [B, H=8, W=8, C=3]) -> [B, _, _, 16] {
  x -> Conv(16, size = 3)
}
`,
  },
  build({ span, callee, name, signature, near, open }) {
    const meant = near.length > 0 ? near : open.slice(0, 1);
    return {
      message: `\`${callee}\` has no parameter \`${name}\``,
      primary: { span, text: "no parameter of this name" },
      notes: [`its signature is \`${signature}\``],
      helps: [
        ...meant.map((other) => ({ text: `\`${other}\``, edits: [{ span, text: other }] })),
        ...(name === "activation" && meant.length === 0
          ? [{ text: `an activation is a stage of its own: \`-> ${callee}(…) -> relu\`` }]
          : []),
      ],
    };
  },
});
