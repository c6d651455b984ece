// DLM0105: two things of one scope with one name.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NameTaken {
  readonly span: Span;
  readonly name: string;
  readonly first: Span;
  /** the weight path that both would have; undefined for carries */
  readonly path: string | undefined;
  /** both are arguments for this parameter */
  readonly argument?: true;
}

export const nameTaken = defineDiagnostic<NameTaken>({
  code: "DLM0105",
  severity: "error",
  explanation: `Labels, named instances and weights of one scope share one set of names, because a name is the path under which a
checkpoint keeps the weights. A label inside a \`repeat\` or \`for\` without a label of its own is taken by the first pass.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, D=8]) -> [B, 4] {
  x -> hidden: Dense(4) -> hidden: Dense(4)
}
`,
    right: `dlm 1

model Small(x: [B, D=8]) -> [B, 4] {
  x -> hidden: Dense(4) -> head: Dense(4)
}
`,
  },
  build({ span, name, first, path, argument }) {
    if (argument)
      return {
        message: `\`${name}\` is given twice`,
        primary: { span, text: "given once more" },
        labels: [{ span: first, text: "this is for it already" }],
        helps: [{ text: "remove one of them" }],
      };
    const again = span.source === first.source && span.start === first.start;
    return {
      message: again ? `\`${name}\` is made again by the next pass` : `\`${name}\` is defined twice`,
      primary: { span, text: again ? "every pass would have this name" : "this name is taken" },
      labels: again ? [] : [{ span: first, text: "by this one" }],
      notes: path === undefined ? [] : [`both would keep their weights under \`${path}\``],
      helps: again
        ? [
            { text: "label the `repeat` itself: its passes are then numbered" },
            { text: "or remove this label" },
          ]
        : [{ text: "choose another name" }],
    };
  },
});
