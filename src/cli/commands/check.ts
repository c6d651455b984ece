/** `dlmc check`: everything that can be known before anything runs. */
import { Command } from "commander";
import { InternalError } from "../../../compiler/ir/internal-error.ts";
import type { Diagnostic } from "../../../grammar/diagnostic.ts";
import { renderAll, toJson } from "../../../grammar/render.ts";
import { shownPath } from "../../files.ts";
import { openProgram } from "../../program.ts";
import { countsLine, explainError } from "../explain-error.ts";
import { printJson, terminal } from "../terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly color?: boolean;
}

export function checkCommand(): Command {
  return new Command("check")
    .argument("<files...>", "programs")
    .option("--json", "one JSON line for each diagnostic")
    .action((files: string[], _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const found: Diagnostic[] = [];
      let unreadable = 0;
      for (const file of files)
        try {
          const { checked, outdated, lock } = openProgram(file);
          const { diagnostics } = checked;
          found.push(...diagnostics);
          if (options.json === true) for (const diagnostic of diagnostics) printJson(toJson(diagnostic));
          else if (diagnostics.length > 0) t.say(renderAll(diagnostics, { color: t.color, width: t.width }));
          if (outdated.length > 0)
            t.say(
              `${t.paint.yellow("note")}: ${shownPath(lock.path)} is out of date for ${outdated.join(", ")}; dlmc fit ${file} writes it anew`,
            );
        } catch (error) {
          if (error instanceof InternalError) throw error;
          unreadable++;
          explainError(error, options);
        }
      const failed = unreadable > 0 || found.some((d) => d.severity === "error");
      if (failed) process.exitCode = 1;
      if (options.json === true) return;
      if (found.length > 0) t.say(countsLine(t, found));
      else if (!failed)
        t.print(`${t.paint.green("ok")}  ${files.length === 1 ? files[0]! : `${files.length} programs`}`);
    });
}
