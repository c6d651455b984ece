// DLM0902: a metric that says nothing about this model.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices, training } from "./examples.ts";

export interface MetricUnfit {
  readonly metric: string;
  readonly span: Span;
  readonly needs: "classes" | "values";
  /** what `out` is: `[B]` */
  readonly out: string;
  readonly fitting: readonly string[];
}

export const metricUnfit = defineDiagnostic<MetricUnfit>({
  code: "DLM0902",
  severity: "error",
  explanation: `Metrics of classes compare the scores of a classifier with a category. Metrics of numbers compare a prediction
with a number. Which of them fit follows from the model's output and its target.`,
  example: {
    wrong: `${prices}${training}
evaluate Price on Houses.test {
  metrics accuracy
}
`,
    right: `${prices}${training}
evaluate Price on Houses.test {
  metrics mae, r2
}
`,
  },
  build({ metric, span, needs, out, fitting }) {
    return {
      message:
        needs === "classes"
          ? `\`${metric}\` needs the scores of a classifier`
          : `\`${metric}\` needs predicted numbers`,
      primary: {
        span,
        text:
          needs === "classes"
            ? `out is ${out}, and its target is a number`
            : `out is ${out}, and its target is a category`,
      },
      helps: [{ text: fitting.map((m) => `\`${m}\``).join(", ") }],
    };
  },
});
