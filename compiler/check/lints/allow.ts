/** Warnings that the program silences: `// allow(DLM1101)` at the end of the line or on the line above. */
import type { Diagnostic } from "../../../grammar/diagnostic.ts";

const comment = /\/\/\s*allow\(\s*([\w\s,]*?)\s*\)/;

/** Whether the line a warning points at, or a comment alone on the line above, allows its code. Errors are never allowed. */
export function isAllowed({ severity, code, primary: { span } }: Diagnostic): boolean {
  if (severity === "error") return false;
  const before = span.source.text.slice(0, span.start).split("\n");
  const line = (before.at(-1) ?? "") + (span.source.text.slice(span.start).split("\n")[0] ?? "");
  const above = before.at(-2) ?? "";
  return allows(line, code) || (above.trimStart().startsWith("//") && allows(above, code));
}

function allows(line: string, code: string): boolean {
  const codes = comment.exec(line)?.[1]?.split(",") ?? [];
  return codes.some((each) => each.trim() === code);
}
