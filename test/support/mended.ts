/** A text after a diagnostic's fix is accepted. */
import type { Diagnostic } from "../../grammar/diagnostic.ts";

/** `text` with the edits of the first help that has any; undefined when none has. */
export function mended(text: string, diagnostic: Diagnostic | undefined): string | undefined {
  const edits = diagnostic?.helps.find((help) => help.edits)?.edits;
  return (
    edits &&
    [...edits]
      .sort((a, b) => b.span.start - a.span.start)
      .reduce((now, { span, text: by }) => now.slice(0, span.start) + by + now.slice(span.end), text)
  );
}
