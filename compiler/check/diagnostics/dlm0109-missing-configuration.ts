// DLM0109: a configuration argument that must be given.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface MissingConfiguration {
  readonly span: Span;
  readonly name: string;
  readonly missing: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly optional: boolean }[];
  /** its name where it is declared; undefined for what is built in */
  readonly declared: Span | undefined;
}

export const missingConfiguration = defineDiagnostic<MissingConfiguration>({
  code: "DLM0109",
  severity: "error",
  explanation: `A parameter of the configuration that has no default must be given at every use.`,
  example: {
    wrong: `dlm 1

model Small(x: [B, H=8, W=8, C=3]) -> [B, H=8, W=8, 8] {
  x -> Conv(8)
}
`,
    right: `dlm 1

model Small(x: [B, H=8, W=8, C=3]) -> [B, H=8, W=8, 8] {
  x -> Conv(8, 3)
}
`,
  },
  build({ span, name, missing, parameters, declared }) {
    const list = missing.map((each) => `\`${each}\``).join(" and ");
    const shown = parameters.filter((each) => !each.optional).map((each) => each.name);
    return {
      message: `\`${name}\` needs ${list}`,
      primary: { span, text: `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not given` },
      labels: declared ? [{ span: declared, text: "declared here" }] : [],
      helps: [{ text: `${name}(${shown.join(", ")})` }],
    };
  },
});
