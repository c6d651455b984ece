// DLM0201: a residual whose branch has another size than its input.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface ResidualSizes {
  /** the braces */
  readonly span: Span;
  readonly keyword: Span;
  readonly branch: string;
  readonly shortcut: string;
  readonly via: Span | undefined;
  /** "H: 56 became 28" */
  readonly changed: readonly string[];
  readonly last: { readonly span: Span; readonly text: string };
  /** the size of the last axis that is wanted */
  readonly size: string | undefined;
  /** nothing but the last axis differs */
  readonly onlyLast: boolean;
  readonly origins: readonly Label[];
}

export const residualSizes = defineDiagnostic<ResidualSizes>({
  code: "DLM0201",
  severity: "error",
  explanation: `\`residual { f }\` is x + f(x), so f must keep the size of x. Where it is meant to change, \`residual via s { f }\` is
s(x) + f(x), and s brings x to the new size.`,
  example: {
    wrong: `dlm 1

module Basic(Out, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x -> Conv(Out, 3, stride = stride) -> relu
}

model Small(photo: [B, H=56, W=56, C=64]) -> [B, _, _, 128] {
  photo -> residual { Basic(128, stride = 2) }
}
`,
    right: `dlm 1

module Basic(Out, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x -> Conv(Out, 3, stride = stride) -> relu
}

model Small(photo: [B, H=56, W=56, C=64]) -> [B, _, _, 128] {
  photo -> residual via Conv(128, 1, stride = 2) { Basic(128, stride = 2) }
}
`,
  },
  build({ span, keyword, branch, shortcut, via, changed, last, size, onlyLast, origins }) {
    const input = via ? "what `via` gives" : "its input";
    const helps: Help[] = [];
    if (onlyLast && size !== undefined) helps.push({ text: `end the branch with \`-> Dense(${size})\`` });
    if (!via) {
      const at = { ...keyword, start: keyword.end };
      const same = last.text.startsWith("Dense(") ? last.text : undefined;
      helps.push({
        text: "bring the input to the same size before adding: `residual via ... { ... }`",
        ...(same ? { edits: [{ span: at, text: ` via ${same}` }] } : {}),
      });
    }
    return {
      message: "the two sides of `residual` have different sizes",
      primary: { span, text: `this branch gives ${branch}` },
      labels: [{ span: via ?? keyword, text: `and is added to ${input}, ${shortcut}` }, ...origins],
      notes: changed,
      helps,
    };
  },
});
