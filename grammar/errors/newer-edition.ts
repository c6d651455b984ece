// DLM0004: a file of an edition that this compiler does not know.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

/** The newest edition this compiler reads. */
export const newestEdition = 1;

export interface NewerEdition {
  readonly span: Span;
  readonly edition: number;
}

export const newerEdition = defineDiagnostic<NewerEdition>({
  code: "DLM0004",
  severity: "error",
  explanation: `The first line of a file, \`dlm 1\`, names the edition of the language it is written in. A compiler
reads its own edition and all older ones. A file of a newer edition needs a newer compiler.`,
  example: {
    wrong: `dlm 2

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(2)
}
`,
  },
  build({ span, edition }) {
    const known = edition >= 1 && Number.isInteger(edition);
    return known
      ? {
          message: `this file needs edition ${edition}, this compiler reads up to ${newestEdition}`,
          primary: { span, text: "the edition of this file" },
          helps: [{ text: "update dlmc" }],
        }
      : {
          message: `there is no edition ${edition}`,
          primary: { span, text: `editions are whole numbers, so far up to ${newestEdition}` },
          helps: [{ text: `dlm ${newestEdition}`, edits: [{ span, text: `dlm ${newestEdition}` }] }],
        };
  },
});
