// DLM0302: floats where integers are looked up.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface AlreadyFloat {
  readonly span: Span;
  readonly name: string;
  /** "int<N>[..]" */
  readonly needs: string;
  readonly value: Span;
  readonly type: string;
  readonly written: Span | undefined;
  /** declared in a `data` block, not in a signature */
  readonly fromData?: boolean;
  /** what does the same with floats; else what is probably wrong is said */
  readonly meant?: readonly string[];
}

export const alreadyFloat = defineDiagnostic<AlreadyFloat>({
  code: "DLM0302",
  severity: "error",
  explanation: `\`Embed\`, \`OneHot\` and \`table[id]\` look rows up by integers, \`int<N>\`. A tensor of floats holds no row numbers.`,
  example: {
    wrong: `dlm 1

model Encoder(x: [B, T=100, F=512]) -> [B, Class=10] {
  x -> Embed(512) -> mean over T -> Dense(10)
}
`,
    right: `dlm 1

model Encoder(x: int<900>[B, T=100]) -> [B, Class=10] {
  x -> Embed(512) -> mean over T -> Dense(10)
}
`,
  },
  build({ span, name, needs, value, type, written, fromData, meant = [] }) {
    const place = written ?? value;
    const elsewhere = place.source !== span.source || place.start !== span.start;
    return {
      message: `\`${name}\` ${meant.length > 0 ? "takes ids of classes" : "looks up integers"}, and this holds floats`,
      primary: { span, text: `needs ${needs}` },
      labels: elsewhere ? [{ span: value, text: `holds floats, ${type}` }] : [],
      helps: (meant.length > 0
        ? meant
        : [
            fromData
              ? "if these are ids, say so in the `data` block: `category`, or `int<N>`"
              : "if these are ids, say so in the signature: `int<N>[..]`",
            "if they are embedded already, remove this stage",
          ]
      ).map((text) => ({ text })),
    };
  },
});
