// DLM0504: a model that cannot be run one position after the other.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface NotStepwise {
  readonly model: string;
  /** the word `generate` */
  readonly span: Span;
  /** the first op that stands in the way */
  readonly at: Span;
  /** it reduces entries of `cache` without a mask; otherwise it mixes new positions */
  readonly unmasked: boolean;
  /** there is no other */
  readonly only: boolean;
}

const program = (line: string): string => `dlm 1

let context = 32
let Width   = 16

model Small(text: int<Letters=50>[B, T]) -> [B, T, 50]
  where T <= context
{
  text -> Embed(Width) -> LearnedPosition(context)
    -> TransformerEncoder(2, 32, causal = true, max = context)
${line}    -> Dense(50)
}

deploy Small {
  generate text, max = context
}
`;

export const notStepwise = defineDiagnostic<NotStepwise>({
  code: "DLM0504",
  severity: "error",
  explanation: `\`generate\` makes one new token after the other. Its program sees the new position alone, and what it needs of the
earlier ones must have been kept. So every operation of the model must treat each position by itself, but for \`cache\`, which
keeps, \`causal\` masks, which hide later positions, and \`scan\`, which goes from one position to the next. A mean over all
positions would need those that do not exist yet; a convolution along T, even one that is padded before alone, would need
inputs that nothing keeps.`,
  example: {
    wrong: program("    -> + (mean(_) over T)\n"),
    right: program(""),
  },
  build({ model, span, at, unmasked, only }) {
    return {
      message: `${model} cannot be generated step by step`,
      primary: { span, text: "needs a program that sees one new token at a time" },
      labels: [
        {
          span: at,
          text: unmasked
            ? "this looks at every position, also at later ones"
            : "this brings positions together, and the earlier ones are not kept",
        },
      ],
      notes: only ? ["all other operations are pointwise along T, or use cache, scan or causal"] : [],
      helps: [
        unmasked
          ? { text: "hide later positions before the softmax: -> mask(causal(T, S)) -> softmax over S" }
          : { text: "let each position use itself and what `cache` keeps, or deploy without `generate`" },
      ],
    };
  },
});
