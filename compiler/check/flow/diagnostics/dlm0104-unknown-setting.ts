// DLM0104: a block has no setting of this name.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { nearest } from "../../names.ts";
import { prices } from "./examples.ts";

export interface UnknownSetting {
  readonly block: string;
  readonly name: { readonly text: string; readonly span: Span };
  readonly known: readonly string[];
}

export const unknownSetting = defineDiagnostic<UnknownSetting>({
  code: "DLM0104",
  severity: "error",
  explanation: `Each block (\`data\`, \`train\`, \`evaluate\`, ...) has a fixed list of settings. A name that is not in the
list is refused, so that a slip of the fingers never silently takes a default.`,
  example: {
    wrong: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  bacth     32
}
`,
    right: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     32
}
`,
  },
  build({ block, name, known }) {
    const [meant] = nearest(name.text, known);
    return {
      message: `\`${block}\` has no setting \`${name.text}\``,
      primary: { span: name.span, text: "no setting of this name" },
      notes: [`settings of \`${block}\` are ${known.join(", ")}`],
      helps: meant === undefined ? [] : [{ text: meant, edits: [{ span: name.span, text: meant }] }],
    };
  },
});
