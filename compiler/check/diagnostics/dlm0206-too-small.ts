// DLM0206: a window that is larger than the image it slides over, or more cut off than there is.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Help } from "../../../grammar/diagnostic.ts";
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
  /** of a size that is free: enough for some callers only */
  readonly open: { readonly promise: Help | undefined } | undefined;
  /** whether padding would help */
  readonly pads: boolean;
}

export const tooSmall = defineDiagnostic<TooSmall>({
  code: "DLM0206",
  severity: "error",
  explanation: `Without padding a window has a place only where the image is at least as large. Pooling and strides make images
smaller from stage to stage. \`crop\` must leave something. Of a size that is free, a \`where\` (\`where 7 <= H\`) promises that it is large enough.`,
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
  build({ span, stage, axis, needed, size, history, open, pads }) {
    return {
      message: `\`${stage}\` needs ${axis} of at least ${needed}, here it is ${size}${open ? ", which may be less" : ""}`,
      primary: {
        span,
        text: `${pads ? `a window of ${needed}` : needed} ${open ? "may" : "does"} not fit into ${size}`,
      },
      labels: history.map((each) => ({ span: each, text: "the size comes from here" })),
      helps: [
        ...(open?.promise ? [open.promise] : []),
        ...(pads
          ? [
              { text: `${open?.promise ? "or " : ""}\`pad = same\` keeps the size` },
              { text: "or a smaller window" },
            ]
          : []),
      ],
    };
  },
});
