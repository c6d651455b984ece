#!/usr/bin/env node
/** The command line: one file per command; a command's own imports are made when it runs, so that `dlmc --help` is quick. */
import { Command, CommanderError, Option } from "commander";
import { commands } from "./commands/index.ts";
import { explainError } from "./explain-error.ts";
import { version } from "../version.ts";

const program = new Command("dlmc")
  .description("The language and compiler for deep learning on the web")
  .version(version, "-v, --version")
  .option("--no-color", "plain text")
  .addOption(new Option("--debug", "print stack traces of internal errors").hideHelp())
  .showHelpAfterError("(dlmc --help lists the commands)")
  .showSuggestionAfterError()
  .configureHelp({ sortSubcommands: false })
  .exitOverride();

for (const make of commands) {
  const command = make();
  command.exitOverride().copyInheritedSettings(program);
  program.addCommand(command);
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = explainError(error, program.opts<{ color?: boolean; debug?: boolean }>());
}
