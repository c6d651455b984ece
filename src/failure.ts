/** What ends a command: a user's mistake with its place and its mend (exit 1 or 2), never a stack trace. */
import type { Diagnostic } from "../grammar/diagnostic.ts";

export type ExitStatus =
  /** the input is at fault, or a `require` failed */
  | 1
  /** wrong usage */
  | 2
  /** interrupted after saving */
  | 130;

/** Something outside a program's text is at fault: a file, data, weights, memory. */
export class Failure extends Error {
  readonly status: ExitStatus;
  /** `path`, `path:row`, `path:row:column` */
  readonly place: string | undefined;
  readonly help: string | undefined;
  constructor(message: string, more: { place?: string; help?: string; status?: ExitStatus } = {}) {
    super(message);
    this.name = "Failure";
    this.status = more.status ?? 1;
    this.place = more.place;
    this.help = more.help;
  }
}

/** A program has errors: they were found by the checker and are rendered with its text. */
export class ProgramFailure extends Error {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics[0]?.message ?? "the program has errors");
    this.name = "ProgramFailure";
    this.diagnostics = diagnostics;
  }
}
