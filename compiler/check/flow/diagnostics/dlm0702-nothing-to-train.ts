// DLM0702: a step whose loss depends on no weight of the model that it trains.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import { textOf } from "../../../../grammar/source.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface NothingToTrain {
  readonly model: string;
  readonly loss: Span;
  /** the model's name behind `step` */
  readonly step: Span;
  /** names bound in the block that the model makes, and those of the loss that it does not */
  readonly made: readonly string[];
  readonly others: readonly string[];
}

const program = (loss: string): string => `dlm 1

data Points from arrays("points.npz") {
  input x : f32[D=2]
}

model Generator(z: [B, 4]) -> [B, D=2] {
  z -> Dense(8) -> relu -> Dense(2)
}

model Critic(x: [B, D=2]) -> [B] {
  x -> Dense(8) -> relu -> Dense(1) -> squeeze
}

train Gan on Points {
  real = x -> tanh
  fake = Generator(normal[B, 4])

  step Critic {
    loss       bce(Critic(real), 1) + bce(Critic(fake), 0)
    optimizer  adam(2e-4)
  }
  step Generator {
    loss       ${loss}
    optimizer  adam(2e-4)
  }
}
`;

export const nothingToTrain = defineDiagnostic<NothingToTrain>({
  code: "DLM0702",
  severity: "error",
  explanation: `A step changes the weights of its own model alone, so that its loss must depend on them. Mostly the loss
speaks of the data where it should speak of what the model made of noise.`,
  example: { wrong: program("bce(Critic(real), 1)"), right: program("bce(Critic(fake), 1)") },
  build({ model, loss, step, made, others }) {
    const [name] = made;
    const [other] = others;
    const fixed =
      name === undefined || other === undefined
        ? undefined
        : textOf(loss).replace(new RegExp(`\\b${other}\\b`, "g"), name);
    return {
      message: "this step has nothing to train",
      primary: { span: loss, text: `no weight of ${model} reaches this loss` },
      labels: [{ span: step, text: "the step trains this model" }],
      notes:
        name === undefined
          ? []
          : [`\`${name}\` is made by ${model}${other === undefined ? "" : `, \`${other}\` is not`}`],
      helps: fixed === undefined ? [] : [{ text: fixed, edits: [{ span: loss, text: fixed }] }],
    };
  },
});
