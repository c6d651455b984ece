// DLM0602: a module that is fitted before training stands behind weights that training changes.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface FittedLate {
  readonly module: string;
  readonly span: Span;
  readonly after: string;
  readonly afterSpan: Span | undefined;
}

const program = (body: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number
}

model Price(house: Houses) -> [B] {
  ${body}
}

train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
}
`;

export const fittedLate = defineDiagnostic<FittedLate>({
  code: "DLM0602",
  severity: "error",
  explanation: `\`Standardize\` and other fitted modules look at all train rows once, before the first step. What they look at
must not change afterwards, so no trained weight may come before them.`,
  example: {
    wrong: program("house.numbers -> Dense(8) -> Standardize -> relu -> Dense(1) -> squeeze"),
    right: program("house.numbers -> Standardize -> Dense(8) -> relu -> Dense(1) -> squeeze"),
  },
  build({ module, span, after, afterSpan }) {
    return {
      message: `\`${module}\` is fitted before training, so it cannot follow \`${after}\``,
      primary: { span, text: "fitted once, on the train rows" },
      labels: afterSpan ? [{ span: afterSpan, text: "its weights change with every step" }] : [],
      helps: [{ text: "`LayerNorm` or `BatchNorm` here" }, { text: `or \`${module}\` before \`${after}\`` }],
    };
  },
});
