// DLM0006: a string without its closing quote.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface OpenString {
  readonly span: Span;
}

export const openString = defineDiagnostic<OpenString>({
  code: "DLM0006",
  severity: "error",
  explanation: `A string begins and ends with a double quote, in one line. A quote inside it is written \`\\"\`, a line
break \`\\n\`, a backslash \`\\\\\`.`,
  example: {
    wrong: `dlm 1

data Houses from csv("houses.csv) {
  input  rooms : number
  target price : number
}
`,
    right: `dlm 1

data Houses from csv("houses.csv") {
  input  rooms : number
  target price : number
}
`,
  },
  build({ span }) {
    return {
      message: "this string is never closed",
      primary: { span, text: 'no `"` before the line ends' },
      helps: [{ text: 'add the missing `"`' }],
    };
  },
});
