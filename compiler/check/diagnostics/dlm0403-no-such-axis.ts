// DLM0403: an axis that the tensor has not.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NoSuchAxis {
  readonly span: Span;
  readonly axis: string;
  readonly type: string;
  readonly near: readonly string[];
  /** the labels that there are */
  readonly axes: readonly string[];
  readonly tensor: Span;
  /** the last axis has no label, and may be the one that is meant */
  readonly unlabelled?: boolean;
}

export const axisMissing = defineDiagnostic<NoSuchAxis>({
  code: "DLM0403",
  severity: "error",
  explanation: `\`over\` names axes by their labels, which come from signatures and rearranges. \`last\` is the feature axis of a tensor
with at least two axes. An axis without a label can be given one by a rearrange: \`[B, T, E] => [B, T, E]\`.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, T, D=8]) -> [B, D=8] {
  x -> mean over Time
}
`,
    right: `dlm 1

model Small(x: [B, T, D=8]) -> [B, D=8] {
  x -> mean over T
}
`,
  },
  build({ span, axis, type, near, axes, tensor, unlabelled }) {
    const inside = tensor.source === span.source && tensor.start <= span.start && tensor.end >= span.end;
    return {
      message: `there is no axis ${axis} in ${type}`,
      primary: { span, text: "no axis of this name" },
      labels: inside ? [] : [{ span: tensor, text: type }],
      notes: unlabelled ? ["the last axis has no label"] : [],
      helps: [
        ...near.map((name) => ({ text: name, edits: [{ span, text: name }] })),
        ...(unlabelled && near.length === 0
          ? [{ text: "`last` is the last axis, whatever its label", edits: [{ span, text: "last" }] }]
          : []),
        ...(near.length === 0 && !unlabelled && axes.length > 0
          ? [{ text: axes.length === 1 ? `its only axis is ${axes[0]}` : `its axes are ${axes.join(", ")}` }]
          : []),
      ],
    };
  },
});
