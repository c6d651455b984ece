// DLM0205: a rearrange whose two sides do not hold the same elements.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface ChangesCount {
  readonly span: Span;
  readonly other: Span;
  /** "7 · 7 · 128 = 6,272 come out" */
  readonly here: string;
  readonly there: string;
  readonly origins: readonly Label[];
  readonly help: string | undefined;
}

export const changesCount = defineDiagnostic<ChangesCount>({
  code: "DLM0205",
  severity: "error",
  explanation: `A rearrange reorders, splits and merges axes, and keeps every element: each name of the left side stands once on the
right side, and the parts of a split multiply to the size of the whole.`,
  example: {
    wrong: `dlm 1

model Small(z: [B, Z=64]) -> [B, H=7, W=7, C=128] {
  z -> Dense(7 * 7 * 100) -> [B, (H=7 W=7 C)] => [B, H, W, C=128]
}
`,
    right: `dlm 1

model Small(z: [B, Z=64]) -> [B, H=7, W=7, C=128] {
  z -> Dense(7 * 7 * 128) -> [B, (H=7 W=7 C)] => [B, H, W, C=128]
}
`,
  },
  build({ span, other, here, there, origins, help }) {
    return {
      message: "this rearrange changes the number of elements",
      primary: { span, text: here },
      labels: [{ span: other, text: there }, ...origins],
      helps: help === undefined ? [] : [{ text: help }],
    };
  },
});
