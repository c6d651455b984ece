// DLM0505: an output that cannot be as low as its targets.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface CannotReach {
  /** the activation before the output */
  readonly span: Span;
  readonly activation: string;
  readonly target: string;
  readonly declared: Span | undefined;
  /** smallest target of the train split */
  readonly least: number;
}

export const cannotReach = defineDiagnostic<CannotReach>({
  code: "DLM0505",
  severity: "error",
  explanation: `\`relu\` gives no negative number. A regression whose targets are negative in places can never reach them, and its
gradient is 0 there. This is known once the data has been read.`,
  example: {
    wrong: `dlm 1

data Weather from csv("weather.csv") {
  input  wind, sun : number
  target degrees : number
}

model Forecast(day: Weather) -> [B] {
  day.numbers -> Dense(8) -> relu -> Dense(1) -> relu -> squeeze
}

train Forecast on Weather {
  loss      mse(out, degrees)
  optimizer adam(1e-3)
}
`,
    right: `dlm 1

data Weather from csv("weather.csv") {
  input  wind, sun : number
  target degrees : number
}

model Forecast(day: Weather) -> [B] {
  day.numbers -> Dense(8) -> relu -> Dense(1) -> squeeze
}

train Forecast on Weather {
  loss      mse(out, degrees)
  optimizer adam(1e-3)
}
`,
  },
  build({ span, activation, target, declared, least }) {
    return {
      message: `\`${activation}\` before a regression output cannot reach negative targets`,
      primary: { span, text: "gives no negative number" },
      labels: declared ? [{ span: declared, text: `the targets` }] : [],
      notes: [`${target} goes down to ${least} in the train split`],
      helps: [{ text: `remove \`${activation}\`` }],
    };
  },
});
