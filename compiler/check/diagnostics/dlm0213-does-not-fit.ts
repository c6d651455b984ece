// DLM0213: a tensor of another size than the signature demands.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { showWitness } from "./words.ts";

export interface DoesNotFit {
  readonly span: Span;
  readonly name: string;
  /** as the signature says it: "D=8" */
  readonly axis: string;
  readonly expected: string;
  readonly given: string;
  readonly type: string;
  readonly value: Span;
  /** they differ for all callers */
  readonly proved: boolean;
  readonly witness: ReadonlyMap<string, number> | undefined;
  readonly origins: readonly Label[];
}

export const doesNotFit = defineDiagnostic<DoesNotFit>({
  code: "DLM0213",
  severity: "error",
  explanation: `A signature may fix a size (\`D=8\`), and every tensor that is given there must have it.`,
  example: {
    wrong: `dlm 1

module Last(x: [B, D=8]) -> [B, 2] {
  x -> Dense(2)
}

model Small(x: [B, D=8]) -> [B, 2] {
  x -> Dense(4) -> Last
}
`,
    right: `dlm 1

module Last(x: [B, D=8]) -> [B, 2] {
  x -> Dense(2)
}

model Small(x: [B, D=8]) -> [B, 2] {
  x -> Dense(8) -> Last
}
`,
  },
  build({ span, name, axis, expected, given, type, value, proved, witness, origins }) {
    const shown = axis === expected ? expected : axis;
    return {
      message: proved
        ? `\`${name}\` takes ${shown}, and this is ${given}`
        : `cannot prove that ${given} is the ${shown} that \`${name}\` takes`,
      primary: { span, text: `takes ${shown}` },
      labels: [
        ...(value.source === span.source && value.start === span.start ? [] : [{ span: value, text: type }]),
        ...origins,
      ],
      notes: witness && witness.size > 0 ? [`they differ for ${showWitness(witness)}`] : [],
    };
  },
});
