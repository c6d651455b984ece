// DLM1103: a dropout that leaves little, where the part to keep was probably given.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import { textOf } from "../../../../grammar/source.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface LargeDropout {
  readonly name: string;
  readonly rate: number;
  /** the argument */
  readonly span: Span;
}

const program = (rate: string): string => `dlm 1

model Small(x: [B, D=8]) -> [B, 2] {
  x -> Dense(16) -> relu -> dropout(${rate}) -> Dense(2)
}
`;

export const largeDropout = defineDiagnostic<LargeDropout>({
  code: "DLM1103",
  severity: "warning",
  explanation: `The rate of \`dropout\` is the part that is removed, as in most frameworks of today; some older ones took the part
that is kept. Where most of a layer is really to be removed, say so by \`// allow(DLM1103)\` at the end of the line or on
the line above.`,
  example: { wrong: program("0.9"), right: program("0.1") },
  build({ name, rate, span }) {
    const kept = Number((1 - rate).toFixed(6));
    const percent = (part: number): string => `${Number((part * 100).toFixed(4))} %`;
    const text = textOf(span);
    const written = /^[\d._]+$/.test(text)
      ? `${kept}`
      : /^[\d._]+%$/.test(text)
        ? `${percent(kept)}`.replace(" ", "")
        : undefined;
    return {
      message: `\`${name}\` removes ${percent(rate)} of the values`,
      primary: { span, text: `${percent(kept)} are left` },
      helps: [
        {
          text: `did you mean to keep ${percent(rate)}? \`${name}(${written ?? kept})\``,
          ...(written === undefined ? {} : { edits: [{ span, text: written }] }),
        },
      ],
    };
  },
});
