// DLM0107: a name whose first letter does not say whether it holds weights.
import type { CallableDeclaration } from "../../../grammar/ast.ts";
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export type CaseMatters =
  | {
      readonly kind: "letter";
      readonly name: string;
      readonly span: Span;
      readonly declared: CallableDeclaration["kind"];
      readonly better: string;
      readonly uses: readonly Span[];
    }
  | { readonly kind: "weights"; readonly declaration: CallableDeclaration; readonly statement: Span };

export const caseMatters = defineDiagnostic<CaseMatters>({
  code: "DLM0107",
  severity: "error",
  explanation: `A capital letter means memory: \`Dense\`, \`BatchNorm\` hold weights or state, \`relu\`, \`maxpool\` hold nothing, so that one
sees where the parameters are. Modules, models and data sets start with a capital; functions with a small letter, and
they hold no weights.`,
  example: {
    wrong: `dlm 1

module conv_block(Out)(x: [B, H, W, In]) -> [B, H, W, Out] {
  x -> Conv(Out, 3) -> relu
}

model Small(x: [B, H=8, W=8, C=3]) -> [B, H=8, W=8, 4] {
  x -> conv_block(4)
}
`,
    right: `dlm 1

module ConvBlock(Out)(x: [B, H, W, In]) -> [B, H, W, Out] {
  x -> Conv(Out, 3) -> relu
}

model Small(x: [B, H=8, W=8, C=3]) -> [B, H=8, W=8, 4] {
  x -> ConvBlock(4)
}
`,
  },
  build(facts) {
    if (facts.kind === "weights") {
      const { declaration, statement } = facts;
      const name = declaration.name.text;
      return {
        message: `\`${declaration.kind} ${name}\` cannot hold weights`,
        primary: { span: statement, text: "this needs memory" },
        labels: [{ span: declaration.name.span, text: `a ${declaration.kind} has none` }],
        helps: [{ text: "make it a `module`, with a capital letter" }],
      };
    }
    const { name, span, declared, better, uses } = facts;
    const capital = declared === "module" || declared === "model";
    return {
      message: capital
        ? `\`${name}\` holds weights, so its name starts with a capital`
        : `\`${name}\` holds no weights, so its name starts with a small letter`,
      primary: { span, text: `a ${declared}` },
      helps: [
        { text: `rename it to \`${better}\``, edits: uses.map((use) => ({ span: use, text: better })) },
      ],
    };
  },
});
