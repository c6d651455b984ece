// DLM0120: something that belongs to the language and that this compiler does not build.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices, training } from "./examples.ts";

export interface NotBuilt {
  /** in words: "`serve` in `deploy`" */
  readonly what: string;
  readonly span: Span;
  /** what does instead */
  readonly instead?: string;
}

export const notBuilt = defineDiagnostic<NotBuilt>({
  code: "DLM0120",
  severity: "error",
  explanation: `The text is right, but this version of dlmc does not build that part of the language. Nothing is skipped in
silence: what the program says is either done or refused.`,
  example: {
    wrong: `${prices}${training}
deploy Price {
  serve http, port = 8080
}
`,
    right: `${prices}${training}
deploy Price {
  target wasm
}
`,
  },
  build({ what, span, instead }) {
    return {
      message: `this version of dlmc does not build ${what}`,
      primary: { span, text: "this part" },
      helps: [{ text: instead ?? "remove it for now" }],
    };
  },
});
