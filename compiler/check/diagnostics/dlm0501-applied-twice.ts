// DLM0501: a probability where a loss takes logits.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";

export interface AppliedTwice {
  readonly span: Span;
  readonly name: string;
  /** what the loss applies itself */
  readonly applies: string;
  /** what was applied before */
  readonly by: string;
  readonly earlier: Span;
}

/** The arrow before a stage goes away with it. */
function removal(stage: Span): Span | undefined {
  const before = stage.source.text.slice(0, stage.start);
  const arrow = /\s*->\s*(?:\w+\s*:\s*)?$/.exec(before);
  return arrow ? { ...stage, start: stage.start - arrow[0].length } : undefined;
}

export const appliedTwice = defineDiagnostic<AppliedTwice>({
  code: "DLM0501",
  severity: "error",
  explanation: `\`cross_entropy\` and \`kl\` take logits and apply softmax themselves, \`bce\` and \`focal\` take logits and apply sigmoid themselves, in a form
that neither overflows nor loses digits. A probability that arrives there has been through it already: training would
still run, with weaker gradients.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8], label: int<10>[B]) -> [] {
  cross_entropy(x -> Dense(10) -> softmax over last, label)
}
`,
    right: `dlm 1

model Small(x: [B, D=8], label: int<10>[B]) -> [] {
  cross_entropy(x -> Dense(10), label)
}
`,
  },
  build({ span, name, applies, by, earlier }) {
    const gone = removal(earlier);
    const helps: Help[] = [
      {
        text: `remove \`${textOf(earlier)}\` here, and keep it in \`deploy\`: output ${by}(out)${by === "softmax" ? " over Class" : ""}`,
        ...(gone ? { edits: [{ span: gone, text: "" }] } : {}),
      },
    ];
    return {
      message: by === applies ? `${applies} is applied twice` : `${applies} is applied to what ${by} gives`,
      primary: {
        span,
        text: name === applies ? "applied again" : `takes logits, and applies ${applies} itself`,
      },
      labels: [
        {
          span: earlier,
          text:
            by === "log_softmax"
              ? "so this is the logarithm of a probability"
              : "so this is already a probability",
        },
      ],
      notes: ["training would still run, with weaker gradients"],
      helps,
    };
  },
});
