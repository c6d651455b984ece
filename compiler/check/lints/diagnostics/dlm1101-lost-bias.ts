// DLM1101: a bias whose effect the next layer takes away.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import { textOf } from "../../../../grammar/source.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface LostBias {
  /** the use of the layer with the bias: `Dense(8)` */
  readonly layer: Span;
  readonly norm: Span;
  readonly name: string;
}

const program = (layer: string): string => `dlm 1

model Small(x: [B, D=8]) -> [B, 2] {
  x -> ${layer} -> BatchNorm -> relu -> Dense(2)
}
`;

export const lostBias = defineDiagnostic<LostBias>({
  code: "DLM1101",
  severity: "warning",
  explanation: `\`BatchNorm\` subtracts the mean of each channel, and with it whatever was added to the channel. A bias just
before it changes nothing: its weights are stored, and their gradient is zero but for rounding. \`BatchNorm\` has a shift
of its own. Silenced by \`// allow(DLM1101)\` at the end of the line or on the line above.`,
  example: { wrong: program("Dense(16)"), right: program("Dense(16, bias = false)") },
  build({ layer, norm, name }) {
    const text = textOf(layer);
    const plain = text.endsWith(")") && !text.includes("bias");
    const end = { ...layer, start: layer.end - 1, end: layer.end - 1 };
    return {
      message: "bias before `BatchNorm` has no effect",
      primary: { span: layer, text: `\`${name}\` adds a bias` },
      labels: [{ span: norm, text: "and this subtracts the mean of each channel" }],
      helps: [{ text: "bias = false", ...(plain ? { edits: [{ span: end, text: ", bias = false" }] } : {}) }],
    };
  },
});
