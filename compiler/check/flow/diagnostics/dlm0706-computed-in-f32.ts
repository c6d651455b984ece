// DLM0706: activations are asked for in f16, and are f32 on this target.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface ComputedInF32 {
  /** what stands behind `precision` */
  readonly span: Span;
  readonly written: string;
}

const program = (precision: string): string => `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  precision ${precision}
}
`;

export const computedInF32 = defineDiagnostic<ComputedInF32>({
  code: "DLM0706",
  severity: "note",
  explanation: `\`precision f16\` is about activations alone: weights, sums, losses, gradients and the state of the optimizer are f32 with it
too, which others call mixed precision (\`mixed\` says the same). WebAssembly has no arithmetic on f16, so that there all of it
is f32: the results are those of \`precision f32\`, at its speed and with its memory.`,
  example: { wrong: program("f16"), right: program("f32") },
  build({ span, written }) {
    return {
      message: `on wasm \`precision ${written}\` is computed in f32`,
      primary: { span, text: "activations are f32, as all else" },
    };
  },
});
