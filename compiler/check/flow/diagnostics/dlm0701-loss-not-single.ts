// DLM0701: the loss of a batch is not one number.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface LossNotSingle {
  readonly span: Span;
  readonly text: string;
  /** `[B]` */
  readonly type: string;
  /** every axis has a label, so that they can be named: `[B]`, `B` */
  readonly over: string | undefined;
}

export const lossNotSingle = defineDiagnostic<LossNotSingle>({
  code: "DLM0701",
  severity: "error",
  explanation: `Training makes one number small. A loss that still has axes must say how it is brought down to one: by
\`mean(...) over B\`, as the losses of the library do, or by a sum.`,
  example: {
    wrong: `${prices}
train Price on Houses {
  loss      (out - price) ^ 2
  optimizer adam(1e-3)
}
`,
    right: `${prices}
train Price on Houses {
  loss      mean((out - price) ^ 2) over B
  optimizer adam(1e-3)
}
`,
  },
  build({ span, text, type, over }) {
    const mended = `mean(${text}) over ${over ?? "[..]"}`;
    return {
      message: "the loss is not a single number",
      primary: { span, text: `${type}; a mean over ${over ?? "all axes"} is probably meant` },
      helps: [{ text: mended, edits: [{ span, text: mended }] }],
    };
  },
});
