// DLM0214: one instance used with tensors of different sizes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface SharedSizes {
  readonly span: Span;
  readonly path: string;
  readonly first: string;
  readonly second: string;
}

export const sharedSizes = defineDiagnostic<SharedSizes>({
  code: "DLM0214",
  severity: "error",
  explanation: `A named instance has one set of weights, made for the sizes of its first use. Every other use must bring the same
sizes; \`Dense(4)\` written twice is two instances.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8], y: [B, F=6]) -> [B, 4] {
  look = Dense(4)
  look(x) + look(y)
}
`,
    right: `dlm 1

model Small(x: [B, D=8], y: [B, F=8]) -> [B, 4] {
  look = Dense(4)
  look(x) + look(y)
}
`,
  },
  build({ span, path, first, second }) {
    return {
      message: `\`${path}\` is shared, and this use needs another size`,
      primary: { span, text: `${second} here` },
      notes: [`the first use made it ${first}`],
      helps: [{ text: "write the module again where it shall have weights of its own" }],
    };
  },
});
