// DLM0121: a setting is given something that it cannot take.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Help } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";
import { prices } from "./examples.ts";

export interface SettingValue {
  readonly setting: string;
  /** what it needs, so that "`batch` needs ..." reads well */
  readonly needs: string;
  readonly span: Span;
  /** what stands there: `this is 2.5` */
  readonly found: string;
  readonly signature?: string;
  readonly helps?: readonly Help[];
}

export const settingValue = defineDiagnostic<SettingValue>({
  code: "DLM0121",
  severity: "error",
  explanation: `A setting line is a call without parentheses, and what it is given is checked like the arguments of a
call: \`batch\` takes a whole number of at least 1, \`seed\` a whole number, \`last\` one of the words \`keep\` and
\`drop\`. The message says what is taken here.`,
  example: {
    wrong: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     2.5
}
`,
    right: `${prices}
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     25
}
`,
  },
  build({ setting, needs, span, found, signature, helps }) {
    return {
      message: `\`${setting}\` needs ${needs}`,
      primary: { span, text: found },
      notes: signature === undefined ? [] : [`it is written \`${signature}\``],
      helps: helps ?? [],
    };
  },
});
