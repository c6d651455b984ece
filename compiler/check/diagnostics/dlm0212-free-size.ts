// DLM0212: a weight whose size the caller would choose.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { listed } from "./words.ts";

export interface FreeSize {
  readonly span: Span;
  /** "weight `kernel` is [3 · H · W, 10]" */
  readonly what: string;
  readonly size: string;
  readonly names: readonly string[];
  readonly origins: readonly Label[];
}

export const freeSize = defineDiagnostic<FreeSize>({
  code: "DLM0212",
  severity: "error",
  explanation: `A free dim of a model (\`B\`, \`T\`: no size in the signature) is chosen anew with every call. Weights are kept between
calls, so their sizes cannot depend on it.`,
  example: {
    wrong: `dlm 1

model Small(photo: [B, H, W, C=3]) -> [B, Class=10] {
  photo -> flatten -> Dense(10)
}
`,
    right: `dlm 1

model Small(photo: [B, H=8, W=8, C=3]) -> [B, Class=10] {
  photo -> flatten -> Dense(10)
}
`,
  },
  build({ span, what, size, names, origins }) {
    const free = [...new Set(names)];
    return {
      message: "this size must be known and depends on a free dim",
      primary: { span, text: what },
      labels: origins,
      notes: [`${size} depends on ${listed(free)}, which every call chooses`],
      helps: [
        {
          text: `give ${listed(free)} a size in the signature: ${free.map((name) => `${name}=28`).join(", ")}`,
        },
      ],
    };
  },
});
