// DLM0111: more arguments than parameters.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface TooMany {
  readonly span: Span;
  readonly callee: string;
  readonly signature: string;
  readonly takes: number;
  /** "configuration argument", "tensor" */
  readonly what: string;
}

export const tooMany = defineDiagnostic<TooMany>({
  code: "DLM0111",
  severity: "error",
  explanation: `Arguments without a name are given in the order of the parameters, and there is none left for this one. In a
pipeline the piped value is the first tensor already.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  x -> relu(x)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  x -> relu
}
`,
  },
  build({ span, callee, signature, takes, what }) {
    const count = takes === 0 ? `no ${what}` : `${takes} ${what}${takes === 1 ? "" : "s"}`;
    return {
      message: `\`${callee}\` takes ${count}`,
      primary: { span, text: "this one is too many" },
      notes: [`its signature is \`${signature}\``],
    };
  },
});
