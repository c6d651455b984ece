// DLM0101: a name that nothing bears.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface UnknownName {
  readonly span: Span;
  readonly name: string;
  /** what was looked for: "module", "value or function" */
  readonly what: string;
  /** said behind the name: " in the weights of wte" */
  readonly where: string;
  /** names that were probably meant, the likeliest first */
  readonly near: readonly string[];
  readonly helps?: readonly string[];
  readonly notes?: readonly string[];
}

export const unknownName = defineDiagnostic<UnknownName>({
  code: "DLM0101",
  severity: "error",
  explanation: `A name is looked up in this order: names bound in the body, parameters and dims, in models and workflow blocks the
file's \`let\`s, the file's declarations, what \`use\` brings in, and the library. Nothing there bears this one.

Result types only refer to dims of the parameters: \`Name=size\` names an axis of the result, \`_\` infers its size.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, 4] {
  x -> Dens(4)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, 4] {
  x -> Dense(4)
}
`,
  },
  build({ span, name, what, where, near, helps = [], notes = [] }) {
    return {
      message: `there is no ${what} \`${name}\`${where}`,
      primary: { span, text: "nothing bears this name" },
      notes,
      helps: [
        ...near.map((other, i) => ({
          text: i === 0 ? `did you mean \`${other}\`?` : `or \`${other}\`?`,
          edits: [{ span, text: other }],
        })),
        ...helps.map((text) => ({ text })),
      ],
    };
  },
});
