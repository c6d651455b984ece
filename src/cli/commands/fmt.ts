/** `dlmc fmt`: canonical text. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { format } from "../../../grammar/format.ts";
import { parse } from "../../../grammar/parse.ts";
import { shownPath, writeFileAtomic } from "../../files.ts";
import { ProgramFailure } from "../../failure.ts";
import { terminal } from "../terminal.ts";

interface Options {
  readonly check?: boolean;
  readonly stdin?: boolean;
  readonly color?: boolean;
}

export function fmtCommand(): Command {
  return new Command("fmt")
    .argument("[files...]", "programs")
    .option("--check", "change nothing; exit 1 when a file is not canonical")
    .option("--stdin", "read a program from standard input and print it")
    .action((files: string[], _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      if (options.stdin === true) {
        process.stdout.write(formatted("standard input", readFileSync(0, "utf8")));
        return;
      }
      if (files.length === 0) command.error("name the files to format");
      let changed = 0;
      for (const file of files) {
        const text = readFileSync(file, "utf8");
        const canonical = formatted(shownPath(file), text);
        if (canonical === text) continue;
        changed++;
        t.say(options.check === true ? `${file} is not canonical` : `formatted ${file}`);
        if (options.check !== true) writeFileAtomic(file, canonical);
      }
      if (options.check === true && changed > 0) process.exitCode = 1;
    });
}

function formatted(path: string, text: string): string {
  const source = { path, text };
  const canonical = format(source);
  if (canonical === undefined) throw new ProgramFailure(parse(source).diagnostics);
  return canonical;
}
