// DLM0604: the last batch has a single row, and a layer needs several.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface LastBatch {
  readonly rows: number;
  readonly batch: number;
  /** the `batch` line, or the block where the default is used */
  readonly span: Span;
  /** the argument of the line, where the mend goes */
  readonly written: Span | undefined;
  readonly layer: string;
  readonly layerSpan: Span | undefined;
}

const program = (batch: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number

  split  train = 1201
}

model Price(house: Houses) -> [B] {
  house.numbers -> Dense(8, bias = false) -> BatchNorm -> relu -> Dense(1) -> squeeze
}

train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  ${batch}
}
`;

export const lastBatch = defineDiagnostic<LastBatch>({
  code: "DLM0604",
  severity: "error",
  explanation: `\`BatchNorm\` subtracts the mean of the batch. In a batch of one row that leaves nothing: the layer's output
is the same whatever the row, and its running variance is spoiled. The number of rows and the batch are known before
training, so this is found before training. Numbers of rows given in \`split\` are enough.`,
  example: { wrong: program("batch     4"), right: program("batch     4, last = drop") },
  build({ rows, batch, span, written, layer, layerSpan }) {
    let other = batch + 1;
    while (rows % other === 1) other++;
    return {
      message: `the last batch has 1 row, and \`${layer}\` cannot use it`,
      primary: { span, text: `${rows.toLocaleString("en-US")} rows in batches of ${batch} leave 1` },
      labels: layerSpan ? [{ span: layerSpan, text: `\`${layer}\` is here` }] : [],
      helps: [
        {
          text: `batch ${batch}, last = drop`,
          ...(written ? { edits: [{ span: written, text: `${batch}, last = drop` }] } : {}),
        },
        { text: `batch ${other}`, ...(written ? { edits: [{ span: written, text: `${other}` }] } : {}) },
      ],
    };
  },
});
