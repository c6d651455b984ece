/** The commands, in the order of the help text. */
import type { Command } from "commander";
import { benchCommand } from "./bench.ts";
import { checkCommand } from "./check.ts";
import { compileCommand } from "./compile.ts";
import { evaluateCommand } from "./evaluate.ts";
import { explainCommand } from "./explain.ts";
import { fitCommand } from "./fit.ts";
import { fmtCommand } from "./fmt.ts";
import { gradCommand } from "./grad.ts";
import { optCommand } from "./opt.ts";
import { runCommand } from "./run.ts";
import { showCommand } from "./show.ts";
import { trainCommand } from "./train.ts";

export const commands: readonly (() => Command)[] = [
  checkCommand,
  showCommand,
  explainCommand,
  fmtCommand,
  fitCommand,
  trainCommand,
  evaluateCommand,
  runCommand,
  compileCommand,
  benchCommand,
  gradCommand,
  optCommand,
];
