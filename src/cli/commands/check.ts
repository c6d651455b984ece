/** `dlmc check`: everything that can be known before anything runs. */
import { Command } from "commander";
import { renderAll, toJson } from "../../../grammar/render.ts";
import { openProgram } from "../../program.ts";
import { printJson, terminal } from "../terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly color?: boolean;
}

export function checkCommand(): Command {
  return new Command("check")
    .description("parse and check programs")
    .argument("<files...>", "programs")
    .option("--json", "one JSON line for each diagnostic")
    .action((files: string[], _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const counts = { error: 0, warning: 0, note: 0 };
      for (const file of files) {
        const { diagnostics } = openProgram(file).checked;
        for (const { severity } of diagnostics) counts[severity]++;
        if (options.json === true) for (const diagnostic of diagnostics) printJson(toJson(diagnostic));
        else if (diagnostics.length > 0) t.say(renderAll(diagnostics, { color: t.color, width: t.width }));
      }
      if (options.json !== true) {
        const found = (["error", "warning"] as const).flatMap((severity) =>
          counts[severity] === 0
            ? []
            : [`${counts[severity]} ${severity}${counts[severity] === 1 ? "" : "s"}`],
        );
        const what = files.length === 1 ? files[0]! : `${files.length} programs`;
        if (counts.error > 0) t.say(t.paint.red(found.join(", ")));
        else if (found.length > 0) t.say(t.paint.yellow(found.join(", ")));
        else t.print(`${t.paint.green("ok")}  ${what}`);
      }
      if (counts.error > 0) process.exitCode = 1;
    });
}
