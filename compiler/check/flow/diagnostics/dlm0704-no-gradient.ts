// DLM0704: a weight that training could never change.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface NoGradient {
  /** path of the weight */
  readonly path: string;
  /** the loss */
  readonly loss: Span;
  readonly lossText: string;
  /** where the weight comes in, and where the path to the loss ends, as far as these are in a user's file */
  readonly made: Span | undefined;
  readonly cut: { readonly span: Span; readonly why: string } | undefined;
  /** further weights with the same fate */
  readonly others: readonly string[];
}

const program = (body: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number
}

model Price(house: Houses) -> [B] {
  h = house.numbers -> Standardize -> hidden: Dense(8) -> relu
  ${body}
}

train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
}
`;

export const noGradient = defineDiagnostic<NoGradient>({
  code: "DLM0704",
  severity: "error",
  explanation: `A weight is trained by its gradient, and its gradient follows the path from the weight to the loss. Where
there is no such path, or where it leads through something without a derivative (a comparison, rounding, an index), the
weight keeps its initial value for ever.`,
  example: {
    wrong: program("float(h > 0) -> Dense(1) -> squeeze"),
    right: program("h -> Dense(1) -> squeeze"),
  },
  build({ path, loss, lossText, made, cut, others }) {
    const primary = cut?.span ?? made ?? loss;
    const also =
      others.length === 0
        ? []
        : [`the same holds for ${others.slice(0, 6).join(", ")}${others.length > 6 ? ", ..." : ""}`];
    return {
      message: `the weight \`${path}\` gets no gradient`,
      primary: {
        span: primary,
        text: cut
          ? `the path to the loss is cut here: ${cut.why}`
          : made
            ? "its weight never reaches the loss"
            : `nothing leads from \`${path}\` to this loss`,
      },
      labels: [
        ...(made && made !== primary ? [{ span: made, text: `\`${path}\` is made here` }] : []),
        ...(loss !== primary ? [{ span: loss, text: `the loss \`${lossText}\`` }] : []),
      ],
      notes: also,
      helps: [],
    };
  },
});
