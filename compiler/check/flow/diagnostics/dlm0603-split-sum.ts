// DLM0603: the splits take more rows than there are.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface SplitSum {
  /** the written parts, in their order */
  readonly parts: readonly { readonly span: Span; readonly name: string }[];
  /** `110 %`, or `70,000 rows` */
  readonly sum: string;
  /** where numbers of rows were given: how many there are */
  readonly rows: number | undefined;
}

const houses = (split: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number

  split  ${split}
}
`;

export const splitSum = defineDiagnostic<SplitSum>({
  code: "DLM0603",
  severity: "error",
  explanation: `\`split\` divides the rows among train, valid and test. A row belongs to one split only, so the parts add up
to at most 100 %, or to at most the rows that there are. \`train\` takes the rest where it is not named.`,
  example: {
    wrong: houses("train = 80%, valid = 20%, test = 10%"),
    right: houses("train = 80%, valid = 10%, test = 10%"),
  },
  build({ parts, sum, rows }) {
    const last = parts.at(-1)!;
    return {
      message: `the splits add up to ${sum}`,
      primary: {
        span: last.span,
        text: rows === undefined ? "more than all rows" : `there are ${rows.toLocaleString("en-US")} rows`,
      },
      labels: parts.slice(0, -1).map(({ span, name }) => ({ span, text: name })),
      helps: [{ text: "leave out `train`, and it takes the rows that are left" }],
    };
  },
});
