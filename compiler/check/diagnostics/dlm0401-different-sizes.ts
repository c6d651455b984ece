// DLM0401: tensors that are compared have different sizes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface DifferentSizes {
  readonly span: Span;
  readonly name: string;
  /** type of the tensor at `span` */
  readonly this: string;
  readonly other: { readonly span: Span; readonly text: string };
  readonly origins: readonly Label[];
  /** an axis of size 1 is the difference */
  readonly one: boolean;
}

export const differentSizes = defineDiagnostic<DifferentSizes>({
  code: "DLM0401",
  severity: "error",
  explanation: `Losses and metrics compare tensors element by element, and take equal sizes only. An axis of size 1 is never
stretched: \`[B, 1]\` against \`[B]\` would compare every prediction with every target of the batch.`,
  example: {
    wrong: `dlm 1

model Price(x: [B, D=8], price: [B]) -> [] {
  mse(x -> Dense(1), price)
}
`,
    right: `dlm 1

model Price(x: [B, D=8], price: [B]) -> [] {
  mse(x -> Dense(1) -> squeeze, price)
}
`,
  },
  build({ span, name, this: own, other, origins, one }) {
    return {
      message: `\`${name}\` takes tensors of the same size, and these differ`,
      primary: { span, text: own },
      labels: [{ span: other.span, text: other.text }, ...origins],
      notes: one ? ["an axis of size 1 is never stretched: it would compare all with all"] : [],
      helps: one ? [{ text: "-> squeeze" }] : [],
    };
  },
});
