// DLM0703: training without a rule for changing the weights.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface NoOptimizer {
  readonly span: Span;
}

export const noOptimizer = defineDiagnostic<NoOptimizer>({
  code: "DLM0703",
  severity: "error",
  explanation: `The gradient says how the loss changes with each weight; the optimizer says what to do about it. There is no
default, since the rate decides whether training works at all.`,
  example: {
    wrong: `${prices}
train Price on Houses {
  loss      mse(out, price)
  batch     32
}
`,
    right: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     32
}
`,
  },
  build({ span }) {
    return {
      message: "no optimizer",
      primary: { span, text: "this training does not say how weights change" },
      helps: [{ text: "optimizer adam(1e-3)" }],
    };
  },
});
