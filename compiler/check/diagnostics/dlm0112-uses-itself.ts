// DLM0112: recursion.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface UsesItself {
  readonly span: Span;
  readonly name: string;
  readonly declared: Span;
}

export const usesItself = defineDiagnostic<UsesItself>({
  code: "DLM0112",
  severity: "error",
  explanation: `There is no recursion: every program is a finite graph. \`repeat\` and \`for\` say how often a block is used.`,
  example: {
    wrong: `dlm 1

module Deep(x: [B, D]) -> [B, D] {
  x -> Dense(D) -> relu -> Deep
}

model Small(x: [B, D=8]) -> [B, D] {
  x -> Deep
}
`,
    right: `dlm 1

module Deep(x: [B, D]) -> [B, D] {
  x -> repeat 3 { Dense(D) -> relu }
}

model Small(x: [B, D=8]) -> [B, D] {
  x -> Deep
}
`,
  },
  build({ span, name, declared }) {
    return {
      message: `\`${name}\` uses itself`,
      primary: { span, text: "this would never end" },
      labels: [{ span: declared, text: "inside its own body" }],
      helps: [{ text: "`repeat n { ... }` uses a block a known number of times" }],
    };
  },
});
