// DLM0113: a file or package that `use` cannot find.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface MissingFile {
  readonly span: Span;
  readonly path: string;
  /** a path, not a part of the library */
  readonly quoted: boolean;
}

export const missingFile = defineDiagnostic<MissingFile>({
  code: "DLM0113",
  severity: "error",
  explanation: `\`use "./blocks.dlm"\` names a file relative to the file it stands in; \`use std.text\` a part of the library.`,
  example: {
    wrong: `dlm 1

use "./absent.dlm" (Block)

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
  build({ span, path, quoted }) {
    const text = span.source.text.slice(span.start, span.end).replaceAll('"', "");
    return {
      message: quoted ? `cannot read ${text}` : `the library has no part ${text}`,
      primary: { span, text: quoted ? `there is no file ${path}` : "no part of this name" },
      notes: quoted && text.startsWith(".") ? ["paths are relative to the file they stand in"] : [],
    };
  },
});
