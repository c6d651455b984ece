/** Any error of a command -> what the user reads, and the exit status. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InternalError } from "../../compiler/ir/internal-error.ts";
import { render } from "../../grammar/render.ts";
import { version } from "../version.ts";
import { DataError, placeText } from "../data/error.ts";
import { FileError, fileError } from "../files.ts";
import { Failure, ProgramFailure } from "../failure.ts";
import { terminal } from "./terminal.ts";

interface Options {
  readonly color?: boolean;
  readonly debug?: boolean;
}

export function explainError(error: unknown, options: Options): number {
  const t = terminal(options);
  if (error instanceof ProgramFailure) {
    for (const diagnostic of error.diagnostics)
      t.say(render(diagnostic, { color: t.color, width: t.width }) + "\n");
    const errors = error.diagnostics.filter((d) => d.severity === "error").length;
    t.say(t.paint.red(`${errors} ${errors === 1 ? "error" : "errors"}`));
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

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (error instanceof DataError) return new Failure(error.reason, { place: placeText(error.place) });
  if (error instanceof Error && error.name === "DlmError") return new Failure(error.message);
  if (error instanceof FileError) return new Failure(error.message);
  if (error instanceof Error && "syscall" in error && "code" in error) {
    const path = "path" in error && typeof error.path === "string" ? error.path : "";
    return new Failure(fileError(error, path, "read").message);
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
