// DLM0503: a cache that nothing bounds.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface CacheBound {
  /** the whole use */
  readonly span: Span;
  readonly axis: string;
}

export const cacheBound = defineDiagnostic<CacheBound>({
  code: "DLM0503",
  severity: "error",
  explanation: `A program that generates step by step keeps what \`cache\` was given at earlier positions. Its memory is planned when it
is compiled, so \`max\` says for how many positions there must be room. The model promises to its callers that a sequence is
no longer: \`where T <= context\`.`,
  example: {
    wrong: `dlm 1

let context = 64

model Small(x: [B, T, D=8]) -> [B, T, D=8]
  where T <= context
{
  keys = x -> Dense(8) -> cache(T as S)
  dot(x, keys) over last -> mask(causal(T, S)) -> softmax over S -> dot(keys) over S
}
`,
    right: `dlm 1

let context = 64

model Small(x: [B, T, D=8]) -> [B, T, D=8]
  where T <= context
{
  keys = x -> Dense(8) -> cache(T as S, max = context)
  dot(x, keys) over last -> mask(causal(T, S)) -> softmax over S -> dot(keys) over S
}
`,
  },
  build({ span, axis }) {
    return {
      message: "`cache` needs an upper bound",
      primary: { span, text: `nothing says how many positions along ${axis} it must hold` },
      helps: [
        { text: "max = context, where `context` is the length of the longest sequence" },
        { text: `and promise it in the model's signature: where ${axis} <= context` },
      ],
    };
  },
});
