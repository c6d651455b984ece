// DLM0607: the file that a data block reads is not there.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface NoData {
  /** as the program says it */
  readonly path: string;
  readonly span: Span;
  /** where it was looked for */
  readonly place: string;
  /** a path like it where something is */
  readonly near: string | undefined;
}

export const noData = defineDiagnostic<NoData>({
  code: "DLM0607",
  severity: "warning",
  explanation: `The path of a data block is relative to the file that the block stands in. A program can be checked without its
data, so this is a warning: sizes that come from the data stay open, and columns are not looked up. Commands that read
the data refuse to go on.`,
  example: { wrong: prices.replace("houses.csv", "hauses.csv"), right: prices },
  build({ path, span, place, near }) {
    return {
      message: `there is no file or folder \`${path}\``,
      primary: { span, text: "nothing is there" },
      notes: [`looked for at ${place}`, "so the program is checked without this data"],
      helps:
        near === undefined ? [] : [{ text: `did you mean "${near}"?`, edits: [{ span, text: `"${near}"` }] }],
    };
  },
});
