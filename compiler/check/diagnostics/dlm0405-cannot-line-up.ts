// DLM0405: two tensors whose axes do not meet.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface CannotLineUp {
  readonly span: Span;
  /** "`+`" */
  readonly what: string;
  readonly left: { readonly span: Span; readonly text: string };
  readonly right: { readonly span: Span; readonly text: string };
  readonly notes: readonly string[];
  readonly why: "order" | "size" | "label";
  /** the axis that has no partner */
  readonly axis: { readonly label: string | undefined; readonly size: string } | undefined;
  /** axes on each side */
  readonly ranks: readonly [number, number];
  readonly origins: readonly Label[];
}

export const cannotLineUp = defineDiagnostic<CannotLineUp>({
  code: "DLM0405",
  severity: "error",
  explanation: `Operators work element by element. Tensors of the same rank pair their axes by position, and sizes are equal. One
with fewer axes goes with a larger one where each of its axes has a label that the larger one has too, in the same
order. A number goes with anything. Size 1 is never stretched: \`-> expand(T)\` says so where it is meant.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, T, D=64]) -> [B, T, D=64] {
  x + (x -> mean over T -> Dense(64))
}
`,
    right: `dlm 1

model Small(x: [B, T, D=64]) -> [B, T, D=64] {
  x + (x -> mean over T -> Dense(D))
}
`,
  },
  build({ span, what, left, right, notes, why, axis, ranks, origins }) {
    const helps: Help[] = [];
    if (why === "label" && axis && axis.label === undefined)
      helps.push({
        text: `name the axis: a size that is a capital name, or \`[.., ${axis.size}] => [.., D]\``,
      });
    if (why === "order")
      helps.push({ text: "bring the axes into one order by a rearrange: `[B, W, H] => [B, H, W]`" });
    if (ranks[0] !== ranks[1])
      helps.push({ text: `${helps.length > 0 ? "or " : ""}repeat the smaller one: \`-> expand(T)\`` });
    return {
      message: `${what} cannot line up ${left.text} with ${right.text}`,
      primary: { span: right.span, text: right.text },
      labels: [
        ...(left.span.start === right.span.start ? [] : [{ span: left.span, text: left.text }]),
        ...origins.filter((label) => label.span !== span),
      ],
      notes,
      helps,
    };
  },
});
