// DLM0122: a block lacks a setting without which it means nothing.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface MissingSetting {
  readonly block: string;
  readonly name: string;
  readonly span: Span;
  /** lines that would do, the likeliest first */
  readonly examples: readonly string[];
}

export const missingSetting = defineDiagnostic<MissingSetting>({
  code: "DLM0122",
  severity: "error",
  explanation: `Most settings have a default. The few that do not must be written: \`train\` needs a \`loss\`, \`data\` needs
at least one \`input\`. (A missing optimizer is DLM0703.)`,
  example: {
    wrong: `${prices}
train Price on Houses {
  optimizer adam(1e-3)
}
`,
    right: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
}
`,
  },
  build({ block, name, span, examples }) {
    return {
      message: `\`${block}\` needs ${/^[aeiou]/.test(name) ? "an" : "a"} \`${name}\``,
      primary: { span, text: `no \`${name}\` is given` },
      helps: examples.map((text, i) => ({ text: i === 0 ? text : `or ${text}` })),
    };
  },
});
