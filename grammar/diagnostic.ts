/**
 * What a diagnostic is and how one is defined: plain data, made beside results and never thrown.
 * Renderers live in grammar/render.ts (terminal, JSON lines).
 */
import type { Span } from "./source.ts";

export type Severity = "error" | "warning" | "note";

export interface Label {
  readonly span: Span;
  readonly text: string;
}

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A fix. `edits`, when there, make it applicable; a help without edits is advice. */
export interface Help {
  readonly text: string;
  readonly edits?: readonly Edit[];
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** stands alone, lower case, no final stop */
  readonly message: string;
  readonly primary: Label;
  /** secondary places, nearest cause first; at most three */
  readonly labels: readonly Label[];
  /** facts, printed behind `=` */
  readonly notes: readonly string[];
  readonly helps: readonly Help[];
}

/** One kind of diagnostic, one object: everything known about a code in one place. */
export interface DiagnosticKind<Facts> {
  readonly code: string;
  readonly severity: Severity;
  /** the long text of `dlmc explain`, Markdown: why, a wrong example, its mend */
  readonly explanation: string;
  /** a whole program that raises this code first, and the same mended (checks clean) */
  readonly example: { readonly wrong: string; readonly right: string };
  /** what several places may have in common: the first of them is told; undefined where each place is a cause of its own */
  cause?(facts: Facts): string;
  /** makes the diagnostic from facts of the place where it was found */
  build(facts: Facts): DiagnosticBody;
}

export interface DiagnosticBody {
  readonly message: string;
  readonly primary: Label;
  readonly labels?: readonly Label[];
  readonly notes?: readonly string[];
  readonly helps?: readonly Help[];
}

export function defineDiagnostic<Facts>(kind: DiagnosticKind<Facts>): DiagnosticKind<Facts> {
  return kind;
}

export function report<Facts>(kind: DiagnosticKind<Facts>, facts: Facts): Diagnostic {
  const body = kind.build(facts);
  return {
    code: kind.code,
    severity: kind.severity,
    message: body.message,
    primary: body.primary,
    labels: body.labels ?? [],
    notes: body.notes ?? [],
    helps: body.helps ?? [],
  };
}
