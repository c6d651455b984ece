// DLM0211: a tensor with another number of axes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface WrongRank {
  readonly span: Span;
  readonly name: string;
  /** "[B, H, W, In]" */
  readonly expected: string;
  readonly given: string;
  readonly count: number;
  readonly value: Span;
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
  build({ span, name, expected, given, count, value }) {
    const axes = count === 1 ? "1 axis" : `${count} axes`;
    return {
      message: `\`${name}\` takes ${expected}, and this tensor has ${axes}`,
      primary: { span, text: `takes ${expected}` },
      labels:
        value.source === span.source && value.start === span.start ? [] : [{ span: value, text: given }],
      notes: value.start === span.start ? [`the tensor is ${given}`] : [],
    };
  },
});
