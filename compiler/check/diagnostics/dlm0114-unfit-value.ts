// DLM0114: a value of a kind that does not belong there.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export type Unfit = {
  readonly span: Span;
  readonly helps: readonly string[];
} & (
  | {
      /** "a function or a module after `->`" */
      readonly expected: string;
      /** "a tensor" */
      readonly found: string;
    }
  | {
      /** "`yield` stands outside of a `scan`", where no value is expected */
      readonly message: string;
      /** said of the place */
      readonly here: string;
    }
);

export const unfit = defineDiagnostic<Unfit>({
  code: "DLM0114",
  severity: "error",
  explanation: `Values are tensors, numbers known before running, functions and modules, lists, words. Each place takes some of them:
behind an arrow stands a function or a module, in a shape a size, in an \`if\` a condition.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  y = x -> Dense(8)
  x -> y
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, D] {
  y = x -> Dense(8)
  x -> + y
}
`,
  },
  build(facts) {
    const { span } = facts;
    const helps = facts.helps.map((text) => ({ text }));
    if ("message" in facts) return { message: facts.message, primary: { span, text: facts.here }, helps };
    const { expected, found } = facts;
    return {
      message: `expected ${expected}, found ${found}`,
      primary: { span, text: found === "nothing" ? "it is not given" : `this is ${found}` },
      helps,
    };
  },
});
