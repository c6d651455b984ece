// DLM0108: files that use each other.
import type { UseDeclaration } from "../../../grammar/ast.ts";
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";

export interface ImportCycle {
  /** the edges of the cycle; the last one closes it */
  readonly uses: readonly UseDeclaration[];
}

export const importCycle = defineDiagnostic<ImportCycle>({
  code: "DLM0108",
  severity: "error",
  explanation: `\`use\` brings in what another file declares. Files that use each other have no order in which they could be read; what
both need belongs in a third file.`,
  example: {
    wrong: `dlm 1

use "./main.dlm" (Small)

model Small(x: [B, D=8]) -> [B, 4] {
  x -> Dense(4)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, 4] {
  x -> Dense(4)
}
`,
  },
  build({ uses }) {
    const last = uses[uses.length - 1]!;
    const others = uses.slice(0, -1);
    return {
      message: others.length === 0 ? "this file imports itself" : "these files import each other",
      primary: {
        span: last.from.span,
        text: others.length === 0 ? "this is the file itself" : "which closes the circle",
      },
      labels: others.map((use) => ({ span: use.from.span, text: `${use.span.source.path} uses this` })),
      helps: [{ text: "move what both need into a file of its own" }],
    };
  },
});
