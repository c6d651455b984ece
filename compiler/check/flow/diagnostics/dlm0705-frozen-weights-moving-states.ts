// DLM0705: weights are frozen, and the statistics below them are not.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface MovingStates {
  /** the path behind `freeze`, and the part that it speaks of */
  readonly span: Span;
  readonly part: string;
  /** the layer whose states move, and where it stands, as far as that is in a user's file */
  readonly layer: string;
  readonly layerSpan: Span | undefined;
  /** paths of the states */
  readonly states: readonly string[];
}

const program = (path: string): string => `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[D=8]
  target y : number
}

model Deep(x: [B, D=8]) -> [B] {
  x -> body: { Dense(16, bias = false) -> BatchNorm -> relu } -> head: Dense(1) -> squeeze
}

train Deep on Points {
  freeze     ${path}
  loss       mse(out, y)
  optimizer  adam(1e-3)
}
`;

export const movingStates = defineDiagnostic<MovingStates>({
  code: "DLM0705",
  severity: "warning",
  explanation: `A part whose weights are kept still runs in its training phase: BatchNorm computes with the statistics of each batch,
and its running statistics follow the new data. So the part changes although its weights do not. \`freeze\` with the name of
the part itself keeps both, and runs it as it runs when the model is used.`,
  example: { wrong: program("body.weights"), right: program("body") },
  build({ span, part, layer, layerSpan, states }) {
    return {
      message: `\`freeze ${part}.weights\` leaves ${layer} statistics moving`,
      primary: { span, text: "only weights are kept" },
      labels: layerSpan ? [{ span: layerSpan, text: "its statistics follow every batch" }] : [],
      notes: [`states that move: ${states.slice(0, 4).join(", ")}${states.length > 4 ? ", ..." : ""}`],
      helps: [{ text: `\`freeze ${part}\` keeps both`, edits: [{ span, text: part }] }],
    };
  },
});
