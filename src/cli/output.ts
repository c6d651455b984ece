/** Standard output that cannot be written: its reader has gone, or the disk is full. */
import { explainError } from "./explain-error.ts";
import { fileError } from "../files.ts";

/** Ends the process in either case; who closed the pipe knows why. */
export function guardOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") explainError(fileError(error, "standard output", "written"), {});
    process.exit(1);
  });
  // where errors cannot be told, the exit status still tells
  process.stderr.on("error", () => process.exit(1));
}
