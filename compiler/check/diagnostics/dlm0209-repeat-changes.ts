// DLM0209: a repeated block that gives another size than it takes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface RepeatChanges {
  readonly span: Span;
  readonly whole: Span;
  readonly shared: boolean;
  readonly before: string;
  readonly after: string;
}

export const repeatChanges = defineDiagnostic<RepeatChanges>({
  code: "DLM0209",
  severity: "error",
  explanation: `The first pass of a \`repeat\` may bring its input to another size, which the later passes keep. \`repeat ... shared\` uses
one set of weights, so every pass keeps the size. \`for\` unrolls, and each pass may have its own size.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, H=32, W=32, C=3]) -> [B, _, _, C=3] {
  x -> repeat 3 { maxpool(2) }
}
`,
    right: `dlm 1

model Small(x: [B, H=32, W=32, C=3]) -> [B, _, _, C=3] {
  x -> for size in [2, 2, 2] { maxpool(size) }
}
`,
  },
  build({ span, whole, shared, before, after }) {
    return {
      message: "`repeat` changes the size, so it cannot be repeated",
      primary: { span, text: `${before} goes in, ${after} comes out` },
      labels: [
        {
          span: whole,
          text: shared ? "one set of weights for every pass" : "the later passes must keep the size",
        },
      ],
      helps: [{ text: "`for`, which unrolls" }],
    };
  },
});
