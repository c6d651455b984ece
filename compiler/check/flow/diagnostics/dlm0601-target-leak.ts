// DLM0601: the model reads what it is to predict.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface TargetLeak {
  readonly column: string;
  readonly span: Span;
  readonly declared: Span;
}

const program = (inputs: string): string => `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number
}

model Price(house: Houses) -> [B] {
  ${inputs} -> Dense(8) -> relu -> Dense(1) -> squeeze
}
`;

export const targetLeak = defineDiagnostic<TargetLeak>({
  code: "DLM0601",
  severity: "error",
  explanation: `A target is known while training and unknown when the model is used. A model that reads it learns to repeat it,
shows a splendid result, and is worthless. The record of a data set has its inputs only.`,
  example: {
    wrong: program("concat(house.numbers, house.price)"),
    right: program("house.numbers"),
  },
  build({ span, column, declared }) {
    return {
      message: "the model reads its own target",
      primary: { span, text: "will not be known when the model is used" },
      labels: [{ span: declared, text: `\`${column}\` is declared as a target` }],
      helps: [{ text: "if it will be known, declare it `input` and choose another target" }],
    };
  },
});
