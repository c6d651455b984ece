/** Any error of a command -> what the user reads, and the exit status. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InternalError } from "../../compiler/ir/internal-error.ts";
import type { Diagnostic } from "../../grammar/diagnostic.ts";
import { renderAll } from "../../grammar/render.ts";
import { version } from "../version.ts";
import { DataError, placeText } from "../data/error.ts";
import { FileError, fileError, shownPath } from "../files.ts";
import { Failure, ProgramFailure } from "../failure.ts";
import { terminal, type Terminal } from "./terminal.ts";

interface Options {
  readonly color?: boolean;
  readonly debug?: boolean;
}

export function explainError(error: unknown, options: Options): number {
  const t = terminal(options);
  if (error instanceof ProgramFailure) {
    t.say(renderAll(error.diagnostics, { color: t.color, width: t.width }));
    t.say(countsLine(t, error.diagnostics));
    return 1;
  }
  const known = failureOf(error);
  if (known) {
    t.say(`${t.paint.bold(t.paint.red("error"))}${t.paint.bold(`: ${known.message}`)}`);
    if (known.place) t.say(`  ${t.paint.blue("┌─")} ${known.place}`);
    if (known.help) t.say(`${t.paint.green("help")}: ${known.help}`);
    return known.status;
  }
  const report = writeReport(error);
  t.say(
    `${t.paint.bold(t.paint.red("internal error"))}: ${error instanceof Error ? error.message : String(error)}`,
  );
  t.say("  This is a mistake of dlmc, not of your program.");
  if (report) t.say(`  What is needed to reproduce it was written to ${report}`);
  if (options.debug && error instanceof Error && error.stack) t.say(error.stack);
  return 1;
}

/** `1 error, 2 warnings`; empty where there are none. */
export function countsLine(t: Terminal, diagnostics: readonly Diagnostic[]): string {
  const counts = (["error", "warning"] as const).map((severity) => {
    const count = diagnostics.filter((d) => d.severity === severity).length;
    return count === 0 ? "" : `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  const text = counts.filter((each) => each !== "").join(", ");
  return counts[0] === "" ? t.paint.yellow(text) : t.paint.red(text);
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (error instanceof DataError) return new Failure(error.reason, { place: placeText(error.place) });
  if (error instanceof Error && error.name === "DlmError") return new Failure(error.message);
  if (error instanceof FileError) return new Failure(error.reason, { place: shownPath(error.path) });
  if (error instanceof Error && "syscall" in error && "code" in error) {
    const path = "path" in error && typeof error.path === "string" ? error.path : "";
    return path === "" ? undefined : failureOf(fileError(error, path, "read"));
  }
  return undefined;
}

function writeReport(error: unknown): string | undefined {
  const lines = [
    `dlmc ${version}, Node ${process.version}, ${process.platform} ${process.arch}`,
    `command: dlmc ${process.argv.slice(2).join(" ")}`,
    error instanceof Error ? (error.stack ?? error.message) : String(error),
    error instanceof InternalError && error.ir !== undefined ? `\n${error.ir}` : "",
  ];
  try {
    mkdirSync(".dlm", { recursive: true });
    const path = join(".dlm", `internal-error-${process.pid}.txt`);
    writeFileSync(path, lines.join("\n") + "\n");
    return path;
  } catch {
    return undefined;
  }
}
