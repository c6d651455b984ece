// DLM0113: a file or package that `use` cannot find.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface MissingFile {
  readonly span: Span;
  readonly path: string;
  readonly from: "file" | "package" | "library";
}

export const missingFile = defineDiagnostic<MissingFile>({
  code: "DLM0113",
  severity: "error",
  explanation: `\`use "./blocks.dlm"\` names a file relative to the file it stands in; \`use std.text\` a part of the library;
\`use "@dlm/vision"\` a package in node_modules, whose package.json exports a file under the condition \`dlm\`:
\`"exports": { "dlm": "./vision.dlm" }\`.`,
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
  build({ span, path, from }) {
    const text = span.source.text.slice(span.start, span.end).replaceAll('"', "");
    if (from === "library")
      return {
        message: `the library has no part ${text}`,
        primary: { span, text: "no part of this name" },
      };
    if (from === "package")
      return {
        message: `no package ${text} exports a .dlm file`,
        primary: { span, text: "not found in node_modules" },
        notes: [
          'a package exports one under the condition `dlm` of its package.json: "exports": { "dlm": "./main.dlm" }',
        ],
        helps: [{ text: `a file of your own is named by its path: "./${text}.dlm"` }],
      };
    return {
      message: `cannot read ${text}`,
      primary: { span, text: `there is no file ${path}` },
      notes: text.startsWith(".") ? ["paths are relative to the file they stand in"] : [],
    };
  },
});
