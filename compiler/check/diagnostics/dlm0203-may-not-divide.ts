// DLM0203: a division of a size that may leave a rest.
import type { CallableDeclaration } from "../../../grammar/ast.ts";
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { isUserSpan } from "../origin.ts";
import { showWitness } from "./words.ts";

export interface MayNotDivide {
  readonly span: Span;
  /** "D / heads" */
  readonly division: string;
  readonly what: string;
  readonly divisor: string;
  readonly of: string;
  readonly witness: ReadonlyMap<string, number> | undefined;
  readonly declaration: CallableDeclaration | undefined;
}

export const mayNotDivide = defineDiagnostic<MayNotDivide>({
  code: "DLM0203",
  severity: "error",
  explanation: `Sizes are whole numbers, so a division of sizes is allowed only where it is known to leave no rest. A module promises
it with \`where heads divides D\`, and every use is then checked.`,
  example: {
    wrong: `dlm 1

module Heads(heads)(x: [B, T, D]) -> [B, heads, T, E=_] {
  x -> [B, T, (heads E)] => [B, heads, T, E]
}
`,
    right: `dlm 1

module Heads(heads)(x: [B, T, D]) -> [B, heads, T, E=_]
  where heads divides D
{
  x -> [B, T, (heads E)] => [B, heads, T, E]
}
`,
  },
  // the module's promise, or its lack, is the cause wherever its body divides
  cause({ span, divisor, of, declaration }) {
    const { source, start } = declaration?.span ?? span;
    return `${divisor} ${of} ${source.path} ${start}`;
  },
  build({ span, division, what, divisor, of, witness, declaration }) {
    const parameter = declaration?.configuration.find(({ name }) => name.text === divisor)?.span;
    const labels: Label[] = parameter ? [{ span: parameter, text: "nothing says that this divides it" }] : [];
    const known = witness && witness.size > 0;
    const helps: Help[] = [];
    if (declaration && isUserSpan(declaration.span)) {
      const end = declaration.where.at(-1)?.span.end ?? declaration.result.span.end;
      const at = { source: declaration.span.source, start: end, end };
      const clause = `${divisor} divides ${of}`.replaceAll("·", "*");
      helps.push({
        text: `state it, and every caller is checked: where ${clause}`,
        edits: [{ span: at, text: declaration.where.length > 0 ? `, ${clause}` : ` where ${clause}` }],
      });
    }
    return {
      message:
        known || witness === undefined
          ? `\`${division}\` may not be a whole number`
          : `\`${division}\` is not a whole number`,
      primary: { span, text: what },
      labels,
      notes: known ? [`for example ${showWitness(witness)}`] : [],
      helps,
    };
  },
});
