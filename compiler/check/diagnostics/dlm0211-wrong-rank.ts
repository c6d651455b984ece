// DLM0211: a tensor with another number of axes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";

export interface WrongRank {
  readonly span: Span;
  readonly name: string;
  /** "[B, H, W, In]" */
  readonly expected: string;
  readonly given: string;
  readonly count: number;
  readonly value: Span;
  /** `value` declares a column of data, and `span` is the parameter of its name */
  readonly isColumn?: boolean;
}

export const wrongRank = defineDiagnostic<WrongRank>({
  code: "DLM0211",
  severity: "error",
  explanation: `The type of a parameter says how many axes its tensor has; \`..\` stands for any number of them.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, _, _, 8] {
  x -> Conv(8, 3)
}
`,
    right: `dlm 1

model Small(x: [B, H=8, W=8, C=1]) -> [B, _, _, 8] {
  x -> Conv(8, 3)
}
`,
  },
  build({ span, name, expected, given, count, value, isColumn }) {
    const axes = count === 1 ? "1 axis" : `${count} axes`;
    if (isColumn)
      return {
        message: `\`${name}\` takes ${expected}, and the column \`${textOf(value)}\` is ${given}`,
        primary: { span, text: `takes ${expected}` },
        labels: [{ span: value, text: `${given}` }],
        helps: [{ text: `take what the data holds: \`${textOf(value)}: ${given}\`` }],
      };
    return {
      message: `\`${name}\` takes ${expected}, and this tensor has ${axes}`,
      primary: { span, text: `takes ${expected}` },
      labels:
        value.source === span.source && value.start === span.start ? [] : [{ span: value, text: given }],
      notes: value.start === span.start ? [`the tensor is ${given}`] : [],
    };
  },
});
