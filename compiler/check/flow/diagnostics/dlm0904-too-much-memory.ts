// DLM0904: the memory plan is larger than WebAssembly gives. Raised when a program is compiled, never by the checker.
import { defineDiagnostic } from "../../../../grammar/diagnostic.ts";
import type { Span } from "../../../../grammar/source.ts";

export interface TooMuchMemory {
  readonly bytes: number;
  readonly limit: number;
  readonly entry: string;
  readonly span: Span;
  /** the largest buffers, largest first */
  readonly buffers: readonly { readonly name: string; readonly bytes: number }[];
}

const program = (width: string): string => `dlm 1

model Wide(x: [B, D=1024]) -> [B, 2] {
  x -> Dense(${width}) -> relu -> Dense(2)
}
`;

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

export const tooMuchMemory = defineDiagnostic<TooMuchMemory>({
  code: "DLM0904",
  severity: "error",
  explanation: `All memory of a compiled model is planned before it runs. WebAssembly addresses 4 GB; a plan over that is
refused when the program is compiled, with the largest buffers named. Fewer rows at once, or smaller layers, need less.
Raised when a program is compiled, not when it is checked.`,
  example: { wrong: program("2_000_000"), right: program("2_000") },
  build({ bytes, limit, entry, span, buffers }) {
    return {
      message: `this model needs ${size(bytes)}, wasm gives at most ${size(limit)} here`,
      primary: { span, text: `the memory plan of its entry \`${entry}\`` },
      notes: buffers.slice(0, 5).map((b) => `${size(b.bytes)}  ${b.name}`),
      helps: [{ text: "a smaller `batch`, or smaller layers" }],
    };
  },
});
