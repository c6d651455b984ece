// DLM0204: two sizes that are equal only for some callers.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { showWitness } from "./words.ts";

export interface CannotProveEqual {
  readonly span: Span;
  readonly sides: readonly Label[];
  readonly sizes: readonly { readonly text: string; readonly dim: Dim }[];
  readonly origins: readonly Label[];
  readonly witness: ReadonlyMap<string, number> | undefined;
  /** what would make all sizes of the two equal, where a caller can promise it */
  readonly promise: Help | undefined;
  /** the second operand */
  readonly right: Span;
}

export const cannotProveEqual = defineDiagnostic<CannotProveEqual>({
  code: "DLM0204",
  severity: "error",
  explanation: `Both sizes depend on dims that the caller chooses, and they are equal for some callers only. A \`where\` that says for
which (\`where 2 divides H\`) makes it a promise of the caller, and every use is checked.`,
  example: {
    wrong: `dlm 1

module Down(x: [B, H, W, C]) -> [B, H, W, C] {
  up = x -> maxpool(2) -> Upconv(C, 2, stride = 2)
  up -> + x
}
`,
    right: `dlm 1

module Down(x: [B, H, W, C]) -> [B, H, W, C]
  where 2 divides H, 2 divides W
{
  up = x -> maxpool(2) -> Upconv(C, 2, stride = 2)
  up -> + x
}
`,
  },
  build({ span, sides, sizes, origins, witness, promise, right }) {
    // a size that the text has no name for, as that of an axis of `cache`: nobody can promise it
    const nameless = sizes.some(({ dim: size, text }) =>
      [...dim.symbolsOf(size)].some((name) => name.includes("/") && name.startsWith(`${text}/`)),
    );
    const differ =
      witness && witness.size > 0 && !nameless
        ? sizes.map((size) => {
            try {
              return String(dim.evaluate(size.dim, witness));
            } catch {
              return size.text;
            }
          })
        : undefined;
    return {
      message: "cannot prove that these sizes are equal",
      primary: { span: right, text: sides[1]!.text },
      labels: [
        ...(sides[0]!.span.start === right.start ? [] : [sides[0]!]),
        ...origins.filter((label) => label.span !== span),
      ],
      notes: differ ? [`they differ for ${showWitness(witness!)}: ${differ.join(" and ")}`] : [],
      helps: promise ? [promise] : [],
    };
  },
});
