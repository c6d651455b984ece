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
  /** the second operand */
  readonly right: Span;
}

/** Divisors inside the sizes: for floor(H / 2), H and 2. */
function divisions(size: Dim): { readonly of: string; readonly by: number }[] {
  return size.terms.flatMap((term) =>
    term.atoms.flatMap((atom) => {
      if (atom.kind !== "floor") return [];
      const by = dim.constantOf(atom.denominator);
      const [of] = dim.symbolsOf(atom.numerator);
      return by !== undefined && of !== undefined ? [{ of, by }] : [];
    }),
  );
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
  build({ span, sides, sizes, origins, witness, right }) {
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
    const helps: Help[] = [];
    const promises = new Set(
      sizes.flatMap((size) => divisions(size.dim)).map(({ of, by }) => `${by} divides ${of}`),
    );
    if (promises.size > 0)
      helps.push({ text: `promise it to the caller: where ${[...promises].join(", ")}` });
    else if (!nameless)
      helps.push({ text: `promise it to the caller: where ${sizes[0]!.text} == ${sizes[1]!.text}` });
    return {
      message: "cannot prove that these sizes are equal",
      primary: { span: right, text: sides[1]!.text },
      labels: [
        ...(sides[0]!.span.start === right.start ? [] : [sides[0]!]),
        ...origins.filter((label) => label.span !== span),
      ],
      notes: differ ? [`they differ for ${showWitness(witness!)}: ${differ.join(" and ")}`] : [],
      helps,
    };
  },
});
