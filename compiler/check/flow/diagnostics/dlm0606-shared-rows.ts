// DLM0606: rows of one split are also in train, so the result would be too good.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface SharedRows {
  readonly rows: number;
  readonly split: "valid" | "test";
  readonly span: Span;
  /** `drop duplicates` would help */
  readonly canDrop: boolean;
}

const digits = (drop: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number
${drop}
  split  train = 80%, test = 20%
}
`;

export const sharedRows = defineDiagnostic<SharedRows>({
  code: "DLM0606",
  severity: "warning",
  explanation: `A row that is in train and in another split lets the model answer from memory, and makes the measured
result better than it will be in use. Rows are compared by all of their inputs.`,
  example: { wrong: digits(""), right: digits("\n  drop   duplicates") },
  build({ rows, split, span, canDrop }) {
    const many = rows === 1 ? "1 row" : `${rows.toLocaleString("en-US")} rows`;
    return {
      message: `${many} of \`${split}\` ${rows === 1 ? "is" : "are"} also in \`train\``,
      primary: { span, text: "the split is made here" },
      notes: ["equal in all inputs"],
      helps: canDrop
        ? [{ text: "`drop duplicates` in this block: rows are then compared before the split" }]
        : [],
    };
  },
});
