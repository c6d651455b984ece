// DLM0608: something that needs rows that dlmc reads, where an app gives them.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface RowsOfApp {
  /** in words: "`epochs`" */
  readonly what: string;
  readonly span: Span;
  readonly data: string;
  /** `app` behind `from` */
  readonly from: Span;
  readonly help: string;
}

const program = (lines: string): string => `dlm 1

data Clicks from app {
  input  seen : f32[D=8]
  target liked : number
}

model Taste(seen: [B, D=8]) -> [B] {
  seen -> Dense(16) -> relu -> Dense(1) -> squeeze
}

train Taste on Clicks {
  loss      bce(out, liked)
  optimizer adam(1e-3)
${lines}}
`;

export const rowsOfApp = defineDiagnostic<RowsOfApp>({
  code: "DLM0608",
  severity: "error",
  explanation: `Data \`from app\` has columns and no rows: an app gives them, batch by batch, to \`step\` of the compiled model
(\`dlmc compile --entry infer,train\`). It also says how often it goes over them and when it stops. What only makes sense where
dlmc reads all rows has no meaning there: how they are split and changed, how many epochs there are, what is measured after
each, and modules that are fitted on them.`,
  example: { wrong: program("  epochs    10\n"), right: program("") },
  build({ what, span, data, from, help }) {
    return {
      message: `${what} needs rows that dlmc reads`,
      primary: { span, text: "there are none" },
      labels: [{ span: from, text: `the rows of \`${data}\` are given by an app` }],
      helps: [{ text: help }],
    };
  },
});
