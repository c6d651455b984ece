// DLM0303: arithmetic between number types.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NotMixed {
  readonly span: Span;
  /** "`+`", "`Dense`" */
  readonly what: string;
  /** what the tensor holds */
  readonly element: string;
  readonly type: string;
  /** what the others hold, or what is needed */
  readonly others: readonly string[];
}

function helpsFor(element: string, span: Span): Help[] {
  const text = textOf(span);
  const plain = /^\w+$/.test(text);
  const after = { ...span, start: span.end };
  const edits = (code: string): Pick<Help, "edits"> =>
    plain ? { edits: [{ span: after, text: code }] } : {};
  if (element === "u8") return [{ text: "-> scale(1/255)", ...edits(" -> scale(1/255)") }];
  if (element === "int")
    return [
      { text: "look them up: `-> Embed(64)`, or `-> OneHot`" },
      { text: "or count with them: `float(x)`" },
    ];
  if (element === "bool") return [{ text: "`float(x)`: true is 1, false is 0" }];
  return [{ text: "`float(x)`" }];
}

export const integerArithmetic = defineDiagnostic<NotMixed>({
  code: "DLM0303",
  severity: "error",
  explanation: `Number types are never mixed in silence. Bytes (\`u8\`) become floats by \`scale\`, \`normalize\` or \`float\`. \`int<N>\` numbers
name classes or tokens, and have no arithmetic: they are embedded, one-hotted, compared, or used as an index.`,
  example: {
    wrong: `dlm 1

model Small(image: u8[B, D=64]) -> [B, 10] {
  image -> Dense(10)
}
`,
    right: `dlm 1

model Small(image: u8[B, D=64]) -> [B, 10] {
  image -> scale(1/255) -> Dense(10)
}
`,
  },
  build({ span, what, element, type, others }) {
    const name = element === "int" ? "`int<N>`" : `\`${element}\``;
    const mixed = others.some((other) => other !== element);
    return {
      message: mixed ? `${name} and float are not mixed` : `${what} does not calculate with ${name}`,
      primary: { span, text: type },
      notes: [`${what} takes floats`],
      helps: helpsFor(element, span),
    };
  },
});
