// DLM0605: the data has no column of this name.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { nearest } from "../../names.ts";
import { prices } from "./examples.ts";

export interface UnknownColumn {
  readonly name: string;
  readonly span: Span;
  /** `housing.csv`, or the data declaration where a column was looked for in it */
  readonly where: string;
  readonly known: readonly string[];
  /** the place of the header, where the file is a text */
  readonly header?: string;
  /** where the columns are declared, when the name was looked for in a declaration */
  readonly declared?: Span;
}

export const unknownColumn = defineDiagnostic<UnknownColumn>({
  code: "DLM0605",
  severity: "error",
  explanation: `A column is found by its name: in a csv file by the header in the first line, in arrays by the name of the
array. A name that is used in \`fill\`, \`report by\`, or as the parameter of a model that is trained, must be a column
of the \`data\` block.`,
  example: {
    wrong: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
}

evaluate Price on Houses.test {
  metrics mae
  report  by = rooom
}
`,
    right: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
}

evaluate Price on Houses.test {
  metrics mae
  report  by = rooms
}
`,
  },
  build({ name, span, where, known, header, declared }) {
    const [meant] = nearest(name, known);
    const shown = known.slice(0, 12).join(", ") + (known.length > 12 ? ", ..." : "");
    return {
      message: `column \`${name}\` is not in ${where}`,
      primary: { span, text: "no column of this name" },
      labels: declared === undefined ? [] : [{ span: declared, text: "the columns are declared here" }],
      notes: [
        ...(header === undefined ? [] : [`the header is at ${header}`]),
        ...(known.length === 0 ? [] : [`its columns are ${shown}`]),
      ],
      helps: meant === undefined ? [] : [{ text: meant, edits: [{ span, text: meant }] }],
    };
  },
});
