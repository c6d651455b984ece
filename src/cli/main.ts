#!/usr/bin/env node
/** The command line: one file per command, of which only the one that runs is read, so that `dlmc --help` is quick. */
import { Command, CommanderError, Option } from "commander";
import { commands } from "./commands/index.ts";
import { explainError } from "./explain-error.ts";
import { guardOutput } from "./output.ts";
import { terminal } from "./terminal.ts";
import { version } from "../version.ts";

guardOutput();

const program = new Command("dlmc")
  .description("The language and compiler for deep learning on the web")
  .version(version, "-v, --version")
  .option("--no-color", "plain text")
  .addOption(new Option("--debug", "print stack traces of internal errors").hideHelp())
  .showSuggestionAfterError()
  .showHelpAfterError("help: dlmc --help lists the commands")
  .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .addHelpText("after", "\ndlmc help COMMAND describes a command")
  .exitOverride();

/** A mistake of usage in the form of all other errors. */
function usageError(text: string): string {
  const { paint } = terminal({ color: !process.argv.includes("--no-color") });
  const [message = "", ...rest] = text.trimEnd().split("\n");
  const suggestion = /^\(Did you mean (.*)\?\)$/.exec(rest.join(" "))?.[1];
  const lines = [`${paint.bold(paint.red("error"))}${paint.bold(`: ${message.replace(/^error: /, "")}`)}`];
  if (suggestion !== undefined) lines.push(`${paint.green("help")}: did you mean ${suggestion}?`);
  return lines.join("\n") + "\n";
}

const operands = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const named = operands[0] === "help" ? operands[1] : operands[0];
for (const { name, description, load } of commands) {
  const command = name === named ? await load() : new Command(name);
  command.description(description).exitOverride().copyInheritedSettings(program);
  program.addCommand(command.showHelpAfterError(`help: dlmc ${name} --help lists its options`));
}

// so that `dlmc help trian` is the mistake that `dlmc trian` is
const isUnknown = operands[0] === "help" && named !== undefined && !commands.some((c) => c.name === named);
try {
  await (isUnknown ? program.parseAsync([named], { from: "user" }) : program.parseAsync(process.argv));
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = explainError(error, program.opts<{ color?: boolean; debug?: boolean }>());
}
