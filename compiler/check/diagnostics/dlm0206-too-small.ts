// DLM0206: a window that is larger than the image it slides over.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface TooSmall {
  readonly span: Span;
  /** "Conv(64, 7)" */
  readonly stage: string;
  /** the spatial axis */
  readonly axis: string;
  readonly needed: string;
  readonly size: string;
  /** the places where the size became what it is, nearest first */
  readonly history: readonly Span[];
  readonly declaration: string;
}

export const tooSmall = defineDiagnostic<TooSmall>({
  code: "DLM0206",
  severity: "error",
  explanation: `Without padding a window has a place only where the image is at least as large. Pooling and strides make images
smaller from stage to stage.`,
  example: {
    wrong: `dlm 1

model Small(photo: [B, H=8, W=8, C=3]) -> [B, _, _, 64] {
  photo -> maxpool(2) -> Conv(64, 7, pad = valid)
}
`,
    right: `dlm 1

model Small(photo: [B, H=8, W=8, C=3]) -> [B, _, _, 64] {
  photo -> maxpool(2) -> Conv(64, 7, pad = same)
}
`,
  },
  build({ span, stage, axis, needed, size, history }) {
    return {
      message: `\`${stage}\` needs ${axis} of at least ${needed}, here it is ${size}`,
      primary: { span, text: `a window of ${needed} does not fit into ${size}` },
      labels: history.map((each) => ({ span: each, text: "the size comes from here" })),
      helps: [{ text: "`pad = same` keeps the size" }, { text: "or a smaller window" }],
    };
  },
});
