// DLM0903: the measured value does not reach what the program requires. Raised by `dlmc evaluate`, never by the checker.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices, training } from "./examples.ts";

export interface RequireFailed {
  readonly metric: string;
  readonly value: number;
  readonly operator: string;
  readonly required: number;
  readonly span: Span;
  readonly notes?: readonly string[];
}

const percent = ["accuracy", "top", "precision", "recall", "f1"];

function shown(metric: string, value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  return percent.some((name) => metric.startsWith(name))
    ? `${Number((value * 100).toFixed(2))} %`
    : `${Number(value.toPrecision(5))}`;
}

export const requireFailed = defineDiagnostic<RequireFailed>({
  code: "DLM0903",
  severity: "error",
  explanation: `\`require\` states what a model must reach. \`dlmc evaluate\` measures it and fails where it does not hold, so
that a worse model is not shipped. Raised when the model is evaluated, not when the program is checked.`,
  example: {
    wrong: `${prices}${training}
evaluate Price on Houses.test {
  metrics mae, r2
  require r2 >= 0.99
}
`,
    right: `${prices}${training}
evaluate Price on Houses.test {
  metrics mae, r2
  require r2 >= 0.75
}
`,
  },
  build({ metric, value, operator, required, span, notes }) {
    const relation = operator.startsWith(">")
      ? "below the required"
      : operator.startsWith("<")
        ? "above the required"
        : `not ${operator}`;
    return {
      message: `${metric} ${shown(metric, value)} is ${relation} ${shown(metric, required)}`,
      primary: { span, text: "required here" },
      notes: notes ?? [],
    };
  },
});
