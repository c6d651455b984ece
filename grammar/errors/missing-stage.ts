// DLM0002: an arrow that leads to nothing.
import { defineDiagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export interface MissingStage {
  readonly arrow: Span;
  /** what stands there instead; undefined where the line ends */
  readonly found: { readonly span: Span; readonly text: string } | undefined;
}

export const missingStage = defineDiagnostic<MissingStage>({
  code: "DLM0002",
  severity: "error",
  explanation: `An arrow \`->\` passes a value on to a stage: a layer (\`Dense(64)\`), a function (\`relu\`), an
operator with its operand (\`+ skip\`), a rearrange, or a block in braces. Here nothing of the kind follows.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2) ->
}
`,
    right: `dlm 1

model Small(x: [B, D=4]) -> [B, 2] {
  x -> Dense(8) -> relu -> Dense(2)
}
`,
  },
  build({ arrow, found }) {
    return {
      message: "expected a stage after `->`",
      primary: { span: found?.span ?? arrow, text: found ? "this is no stage" : "the line ends here" },
      labels: found ? [{ span: arrow, text: "this arrow needs one" }] : [],
      helps: [
        { text: "`-> relu`, for instance" },
        { text: "or remove the arrow", edits: [{ span: arrow, text: "" }] },
      ],
    };
  },
});
