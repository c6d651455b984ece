// DLM0009: text at the outermost level that starts no declaration.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface NoDeclaration {
  readonly span: Span;
  readonly found: string;
  /** the declaration word that is nearly what stands there */
  readonly near: string | undefined;
}

export const noDeclaration = defineDiagnostic<NoDeclaration>({
  code: "DLM0009",
  severity: "error",
  explanation: `A file is \`dlm 1\` and then a list of declarations, each beginning with one of \`use let module model fn
op optimizer data train tune evaluate deploy check\`. A computation stands inside the braces of a \`model\`, a
\`module\` or an \`fn\`; settings of training stand inside those of a \`train\`.`,
  example: {
    wrong: `dlm 1

modle Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
  },
  build({ span, found, near }) {
    return {
      message: `no declaration starts with \`${found}\``,
      primary: { span, text: "expected a declaration" },
      notes: near
        ? []
        : [
            "declarations start with use, let, module, model, fn, op, optimizer, data, train, tune, evaluate, deploy or check",
          ],
      helps: near ? [{ text: `did you mean \`${near}\`?`, edits: [{ span, text: near }] }] : [],
    };
  },
});
