// DLM0402: a reduction that does not say over which axis.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { isUserSpan } from "../origin.ts";
import { listed } from "./words.ts";

export interface OverNeeded {
  /** the name of the function */
  readonly span: Span;
  readonly name: string;
  readonly type: string;
  readonly axes: readonly string[];
  /** the likeliest axis */
  readonly choice: string;
}

export const overNeeded = defineDiagnostic<OverNeeded>({
  code: "DLM0402",
  severity: "error",
  explanation: `There is no default axis. \`softmax over S\` says which numbers add up to 1; \`over last\` is the feature axis; \`over [H, W]\`
takes two, \`over [..]\` all.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, Class=10] {
  x -> Dense(10) -> softmax
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, Class=10] {
  x -> Dense(10) -> softmax over last
}
`,
  },
  build({ span, name, type, axes, choice }) {
    const plain = isUserSpan(span) && textOf(span) === name;
    const at = { ...span, start: span.end };
    const called = span.source.text[span.end] === "(";
    const helps: Help[] = [
      {
        text: `${name} over ${choice}`,
        ...(plain && !called ? { edits: [{ span: at, text: ` over ${choice}` }] } : {}),
      },
    ];
    if (axes.length > 0) helps.push({ text: `the axes are ${listed(axes)}` });
    return {
      message: `\`${name}\` must say over which axis`,
      primary: { span, text: `its input is ${type}` },
      helps,
    };
  },
});
