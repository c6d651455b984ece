// DLM0303: arithmetic between number types.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { DiagnosticBody, Help, Label } from "../../../grammar/diagnostic.ts";
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
  /** the column that is given to a model, whose parameter is at `span` */
  readonly column?: Span;
  /** what does the same with such numbers; else how they become others is said */
  readonly meant?: readonly string[];
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

function isFloatName(element: string): boolean {
  return element === "f32" || element === "f16";
}

/** A column of another number type than the parameter of its name. */
function columnBody(
  what: string,
  parameter: Span,
  column: Label,
  element: string,
  needed: string,
): DiagnosticBody {
  const name = textOf(column.span);
  const [held, taken] = [element, needed].map((each) =>
    isFloatName(each) ? "floats" : each === "int" ? "`int<N>`" : `\`${each}\``,
  );
  const typed = isFloatName(element) ? column.text : column.text.replace(/^int<[^>]*>/, "int<N>");
  return {
    message: `${what} takes ${taken}, and the column \`${name}\` holds ${held}`,
    primary: { span: parameter, text: `takes ${taken}` },
    labels: [{ span: column.span, text: `holds ${held}, ${column.text}` }],
    helps: [
      {
        text: `take what the data holds: \`${name}: ${typed}\`${element === "u8" ? `, and scale it: \`${name} -> scale(1/255)\`` : ""}`,
      },
    ],
  };
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
  build({ span, what, element, type, others, column, meant = [] }) {
    const name = element === "int" ? "`int<N>`" : `\`${element}\``;
    const mixed = others.some((other) => other !== element);
    const [needed] = others;
    if (column) return columnBody(what, span, { span: column, text: type }, element, needed ?? "f32");
    if (isFloatName(element) && needed !== undefined && !isFloatName(needed))
      return {
        message: `${what} takes \`${needed}\`, and this holds floats`,
        primary: { span, text: type },
        notes: [`floats do not become \`${needed}\` again`],
      };
    if (meant.length > 0)
      return {
        message: `${name} and float are not mixed`,
        primary: { span, text: type },
        notes: [`${what} takes floats`],
        helps: meant.map((text) => ({ text })),
      };
    return {
      message: mixed ? `${name} and float are not mixed` : `${what} does not calculate with ${name}`,
      primary: { span, text: type },
      notes: [`${what} takes floats`],
      helps: helpsFor(element, span),
    };
  },
});
