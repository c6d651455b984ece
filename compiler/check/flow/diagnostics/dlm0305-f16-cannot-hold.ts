// DLM0305: a number of a model that no number of f16 is near to.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface Unholdable {
  readonly value: number;
  /** of the stage that computes with it */
  readonly span: Span;
  /** what stands behind `precision` */
  readonly precision: Span;
}

const program = (eps: string): string => `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[D=8]
  target y : number
}

model Deep(x: [B, D=8]) -> [B] {
  x -> Dense(16) -> LayerNorm(eps = ${eps}) -> relu -> Dense(1) -> squeeze
}

train Deep on Points {
  loss       mse(out, y)
  optimizer  adam(1e-3)
  precision  ${eps === "1e-8" ? "f16" : "f32"}
}
`;

/** `1e-8`, `-1e30` */
function shown(value: number): string {
  return String(value).replace("e+", "e");
}

export const f16CannotHold = defineDiagnostic<Unholdable>({
  code: "DLM0305",
  severity: "error",
  explanation: `Activations in f16 lie between about 6e-8, the smallest number above 0, and 65,504. A smaller constant becomes 0, and what
is divided by it infinite; a larger one becomes infinite at once. It is only what the model computes that is f16: weights,
losses, gradients and the state of the optimizer stay f32, so that \`adam(1e-3, eps = 1e-8)\` is as good as ever.`,
  example: { wrong: program("1e-8"), right: program("1e-5") },
  build({ value, span, precision }) {
    const small = Math.abs(value) < 1;
    return {
      message: `f16 cannot hold ${shown(value)}`,
      primary: { span, text: small ? "rounded to f16 the number is 0" : "in f16 the number is infinite" },
      labels: [{ span: precision, text: "what the model computes is f16 here" }],
      helps: [
        { text: small ? "numbers from 6e-8 on are held" : "numbers up to 65,504 are held" },
        { text: "or `precision f32`", edits: [{ span: precision, text: "f32" }] },
      ],
    };
  },
});
