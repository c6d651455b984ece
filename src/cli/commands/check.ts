/** `dlmc check`: everything that can be known before anything runs; with --run also what `check` blocks try. */
import { Command } from "commander";
import { InternalError } from "../../../compiler/ir/internal-error.ts";
import type { Diagnostic } from "../../../grammar/diagnostic.ts";
import { positionOf } from "../../../grammar/source.ts";
import { renderAll, toJson } from "../../../grammar/render.ts";
import { shownPath } from "../../files.ts";
import { openProgram } from "../../program.ts";
import { countsLine, explainError } from "../explain-error.ts";
import { openChecks, runChecks } from "../../checks/run.ts";
import { printJson, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly run?: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function checkCommand(): Command {
  return new Command("check")
    .argument("<files...>", "programs")
    .option("--run", "run the `check` blocks too; exit 1 where one fails")
    .option("--record", "with --run: write the files of `golden` anew")
    .option("--json", "one JSON line for each diagnostic, and for each line of a `check` block")
    .action(async (files: string[], _: Options, command: Command) => {
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
      if (options.json !== true) {
        if (found.some(({ severity }) => severity !== "note")) t.say(countsLine(t, found));
        else if (!failed)
          t.print(`${t.paint.green("ok")}  ${files.length === 1 ? files[0]! : `${files.length} programs`}`);
      }
      if (failed || options.run !== true) return;
      for (const file of files) if (!(await runBlocks(t, file, options))) process.exitCode = 1;
    });
}

/** True where all that the blocks of a program try is as it should be. */
async function runBlocks(t: Terminal, file: string, { json, record }: Options): Promise<boolean> {
  const program = openChecks(file);
  if (program.checked.flow.checks.length === 0) {
    if (json !== true) t.say(`${t.paint.yellow("note")}: ${shownPath(file)} has no check block`);
    return true;
  }
  let sound = true;
  let block = "";
  const lines = runChecks(program, {
    record: record === true,
    started: (what) => json !== true && t.status(what),
  });
  for await (const { of, check, span, ok, error, within, text, help } of lines) {
    sound &&= ok;
    const { line, column } = positionOf(span.source, span.start);
    if (json === true) {
      printJson({
        file: span.source.path,
        of,
        check,
        ok,
        error: Number.isFinite(error) ? error : null,
        within,
        text,
        line,
      });
      continue;
    }
    if (of !== block) t.print(t.paint.bold(of));
    block = of;
    t.print(`  ${ok ? t.paint.green("ok    ") : t.paint.red("failed")}  ${check.padEnd(8)}  ${text}`);
    if (!ok) t.print(`          ${t.paint.blue("┌─")} ${span.source.path}:${line}:${column}`);
    if (help !== undefined) t.print(`          ${t.paint.green("help")}: ${help}`);
  }
  return sound;
}
