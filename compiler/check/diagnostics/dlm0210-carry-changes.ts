// DLM0210: a carry of a `scan` that has another type at the end of a step than at its start.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface CarryChanges {
  readonly name: string;
  readonly start: Span;
  readonly before: string;
  readonly end: Span;
  readonly after: string;
}

export const carryChanges = defineDiagnostic<CarryChanges>({
  code: "DLM0210",
  severity: "error",
  explanation: `The steps of a \`scan\` are one program, so a carry has the same type in all of them: the type of its start. What the last
statement binds to its name goes on to the next step and must have that type too.`,
  example: {
    wrong: `dlm 1

model Trace(x: [B, T, D=8]) -> [B, T, _] {
  scan x over T with h = zeros[B, D] {
    h = concat(x, h)
    yield h
  }
}
`,
    right: `dlm 1

model Trace(x: [B, T, D=8]) -> [B, T, _] {
  scan x over T with h = zeros[B, D] {
    h = concat(x, h) -> Dense(D)
    yield h
  }
}
`,
  },
  build({ name, start, before, end, after }) {
    return {
      message: `carry \`${name}\` changes from ${before} to ${after}`,
      primary: { span: end, text: `after a step it is ${after}` },
      labels: [{ span: start, text: `it starts as ${before}` }],
      helps: [{ text: `bring it back to ${before} before the step ends, or start with ${after}` }],
    };
  },
});
