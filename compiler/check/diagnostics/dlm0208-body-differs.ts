// DLM0208: a body that gives something else than its signature promises.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Verdict } from "../solver.ts";
import { showWitness } from "./words.ts";

export interface BodyDiffers {
  /** the last stage */
  readonly span: Span;
  readonly given: string;
  /** with its sizes; undefined where the text says all */
  readonly promised: string | undefined;
  readonly signature: Span;
  readonly name: string;
  readonly difference:
    | {
        readonly promised: string;
        readonly given: string;
        readonly factor: string | undefined;
        readonly last: boolean;
        /** whether the two sizes are equal */
        readonly verdict: Verdict;
      }
    | undefined;
  /** the one axis too many has size 1 and stands last */
  readonly squeezes: boolean;
  /** the use whose sizes show it */
  readonly use: Span | undefined;
  /** of a body that has no value: what stands last in it */
  readonly ending:
    { readonly kind: "binding"; readonly name: string } | { readonly kind: "if" | "other" } | undefined;
}

export const bodyDiffers = defineDiagnostic<BodyDiffers>({
  code: "DLM0208",
  severity: "error",
  explanation: `The result type of a module is what its callers rely on, so the body must give just that: as many axes, of equal
sizes. \`_\` leaves a size to the body, \`Name=_\` names it too.`,
  example: {
    wrong: `dlm 1

module Feed(x: [B, T, D]) -> [B, T, D] {
  x -> Dense(D) -> gelu -> Dense(4 * D)
}
`,
    right: `dlm 1

module Feed(x: [B, T, D]) -> [B, T, D] {
  x -> Dense(4 * D) -> gelu -> Dense(D)
}
`,
  },
  build({ span, given, promised, signature, name, difference, squeezes, use, ending }) {
    const labels: Label[] = [{ span: signature, text: `promised by ${name}` }];
    if (use) labels.push({ span: use, text: "in this use" });
    const notes: string[] = [];
    const helps: Help[] = [];
    if (difference) {
      const { factor, last, verdict } = difference;
      const isNever = verdict.kind === "refuted" && verdict.witness.size === 0;
      if (factor !== undefined && factor !== "1")
        notes.push(`${difference.given} is ${difference.promised} times ${factor}`);
      else if (isNever) notes.push(`${difference.given} is not ${difference.promised}`);
      else if (verdict.kind === "refuted")
        notes.push(
          `${difference.given} and ${difference.promised} differ for ${showWitness(verdict.witness)}`,
        );
      else notes.push(`nothing says that ${difference.given} is ${difference.promised}`);
      if (last) helps.push({ text: `-> Dense(${difference.promised})` });
    }
    if (ending?.kind === "if")
      notes.push("where its condition does not hold, an `if` without `else` gives nothing");
    if (ending?.kind === "binding")
      helps.push({
        text: `end the body with its result, \`${ending.name}\``,
        edits: [{ span: { ...span, start: span.end }, text: `\n  ${ending.name}` }],
      });
    if (squeezes)
      helps.push({
        text: "-> squeeze",
        edits: [{ span: { ...span, start: span.end }, text: " -> squeeze" }],
      });
    return {
      message: `the body gives ${given}, the signature promises ${promised ?? textOf(signature)}`,
      primary: { span, text: `this gives ${given}` },
      labels,
      notes,
      helps,
    };
  },
});
