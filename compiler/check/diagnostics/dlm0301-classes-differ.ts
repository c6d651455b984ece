// DLM0301: as many outputs as classes.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface ClassesDiffer {
  /** the labels */
  readonly span: Span;
  readonly classes: string;
  readonly labels: string;
  readonly output: { readonly span: Span; readonly text: string } | undefined;
  /** type of the labels */
  readonly label: string;
  readonly origins: readonly Label[];
  readonly count: number | undefined;
  /** where the number of classes was written */
  readonly written: readonly Span[];
}

export const classesDiffer = defineDiagnostic<ClassesDiffer>({
  code: "DLM0301",
  severity: "error",
  explanation: `\`int<N>\` holds integers from 0 to N - 1. What is indexed by it, and the scores it is compared with, have just N places.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8], label: int<10>[B]) -> [] {
  cross_entropy(x -> Dense(9), label)
}
`,
    right: `dlm 1

model Small(x: [B, D=8], label: int<10>[B]) -> [] {
  cross_entropy(x -> Dense(10), label)
}
`,
  },
  build({ span, classes, labels, output, label, origins, count, written }) {
    const helps: Help[] =
      count !== undefined && written.length > 0
        ? [
            {
              text: `${count} instead of ${classes}${written.length > 1 ? ", in the signature too" : ""}`,
              edits: written.map((at) => ({ span: at, text: String(count) })),
            },
          ]
        : [];
    return {
      message: `the model has ${classes} classes, the labels have ${labels}`,
      primary: { span, text: label },
      labels: [...(output ? [{ span: output.span, text: output.text }] : []), ...origins],
      helps,
    };
  },
});
