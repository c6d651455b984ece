/** `dlmc train`: trains a model as its `train` block says, into a run folder. */
import { computedInF32 } from "../../../compiler/check/flow/diagnostics/dlm0706-computed-in-f32.ts";
import { basename, join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { TrainPlan } from "../../../compiler/check/flow/plans.ts";
import { Failure } from "../../failure.ts";
import { shownPath } from "../../files.ts";
import { chooseTrain, openWithData, type ProgramWithData } from "../../program.ts";
import { trainProgram, type TrainRequest } from "../../train/train-program.ts";
import type { TrainEvent } from "../../train/loop.ts";
import { runsFolder } from "../../train/known-runs.ts";
import { freeRunFolder, mustBeFree } from "../../train/run-folder.ts";
import { duration } from "../../text.ts";
import { interruption } from "../interruption.ts";
import { printJson, terminal, visibleLength } from "../terminal.ts";
import { trainingReport } from "../training-report.ts";

interface Options {
  readonly train?: string;
  readonly model?: string;
  readonly target: TrainRequest["target"];
  readonly seed?: number;
  readonly weights?: string;
  readonly resume?: string;
  readonly epochs?: number;
  readonly steps?: number;
  readonly output?: string;
  readonly onNan: "stop" | "skip";
  readonly json?: boolean;
  readonly color?: boolean;
  readonly threads: number;
}

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`a whole number of at least ${least} is needed`);
    return value;
  };
}

export function trainCommand(): Command {
  return new Command("train")
    .argument("<file>", "program")
    .option("--train <name>", "the train block, where there are several")
    .option("--model <name>", "the model whose train block it is")
    .addOption(
      new Option("--target <target>", "wasm, or the reference in f64 (slow)")
        .choices(["wasm", "reference"])
        .default("wasm"),
    )
    .option("--seed <n>", "of weights, order and dropout", wholeNumber(0))
    .option("--weights <file>", "start from these weights (.safetensors)")
    .option("--resume <run>", "go on with an interrupted run")
    .option("--epochs <n>", "instead of the program's, in each stage", wholeNumber(0))
    .option("--steps <n>", "end after so many steps; 0 writes the initial weights", wholeNumber(0))
    .option("--threads <n>", "that run the steps; the same bits for every number", wholeNumber(1), 1)
    .option("-o, --output <run>", "the run folder")
    .addOption(
      new Option("--on-nan <what>", "at a loss or gradient that is not finite")
        .choices(["stop", "skip"])
        .default("stop"),
    )
    .option("--json", "one JSON line an event")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const quiet = options.json === true;
      if (options.resume !== undefined && options.weights !== undefined)
        throw new Failure("--resume and --weights exclude each other", { status: 2 });
      if (!quiet) t.status("reading the data");
      const program = openWithData(file, {
        only: (p) => [chooseTrain(p, options.train ?? options.model).plan.data],
        refit: true,
      });
      const train = chooseTrain(program, options.train ?? options.model);
      const { plan } = train;
      const named = join(runsFolder, basename(file, ".dlm"));
      const output = options.output ?? options.resume ?? freeRunFolder(named);
      if (options.resume === undefined || resolve(output) !== resolve(options.resume)) mustBeFree(output);
      const stop = interruption();
      const report = trainingReport(t, epochsOf(plan, options.epochs));
      if (!quiet) {
        t.print(headline(program, train));
        const inF32 = program.checked.diagnostics.find(({ code }) => code === computedInF32.code);
        if (inF32 && plan.precision === "f16" && options.target === "wasm")
          t.say(`${t.paint.yellow("note")}: ${inF32.message}`);
        if (options.resume === undefined && options.output === undefined && output !== named)
          t.print(
            t.paint.dim(`${shownPath(named)} holds a run already: this one goes to ${shownPath(output)}`),
          );
      }
      try {
        const result = await trainProgram({
          program,
          train,
          output,
          target: options.target,
          seed: options.seed,
          weights: options.weights,
          resume: options.resume,
          epochs: options.epochs,
          steps: options.steps ?? plan.steps,
          onNotFinite: options.onNan,
          threads: options.threads,
          interrupted: () => stop.requested,
          event: (event) => (quiet ? printJson(withRun(event, output)) : report.event(event)),
          status: (text) => !quiet && t.status(text),
          note: (text) => !quiet && t.print(t.paint.dim(text)),
        });
        if (result.failure) throw result.failure;
        if (result.skipped > 0)
          t.say(
            `${t.paint.yellow("note")}: ${result.skipped} of ${result.steps} steps were not finite and changed no weight`,
          );
        if (result.reason === "interrupted") {
          process.exitCode = 130;
          if (quiet) return;
          t.print(
            `interrupted after ${duration(result.ms)}; everything is in ${shownPath(output)}. To go on:`,
          );
          t.print(`  dlmc train ${file} --resume ${shownPath(output)}${overrides(options)}`);
        } else if (!quiet) {
          const kept = result.best === null ? "" : `, best ${plan.keep?.text} ${result.best.toPrecision(4)}`;
          const weights = shownPath(result.kept);
          const line = `${t.paint.green("done")} in ${duration(result.ms)}${kept}:`;
          t.print(line + (visibleLength(line) + weights.length < t.width ? " " : "\n  ") + weights);
        }
      } finally {
        report.stop();
        stop.release();
      }
    });
}

/** The first event names the run folder, which may be a numbered one. */
function withRun(event: TrainEvent, output: string): TrainEvent & { readonly run?: string } {
  return event.event === "start" ? { ...event, run: shownPath(output) } : event;
}

/** Of all stages together. */
function epochsOf({ epochs, parts }: TrainPlan, given: number | undefined): number {
  if (given === undefined) return epochs;
  return parts.reduce((sum, { stage }) => (stage ? sum + given : sum), parts[0]?.stage ? 0 : given);
}

/** What the command said that the program does not. */
function overrides({ train, model, target, epochs, steps, onNan }: Options): string {
  const given = {
    train,
    model,
    target: target === "wasm" ? undefined : target,
    epochs,
    steps,
    "on-nan": onNan === "stop" ? undefined : onNan,
  };
  return Object.entries(given)
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${value}`))
    .join("");
}

function headline(program: ProgramWithData, train: ReturnType<typeof chooseTrain>): string {
  const { plan } = train;
  const dataset = program.datasets.get(plan.data)!;
  const rows = dataset.splits[plan.split].length.toLocaleString("en-US");
  const rules = plan.parts.map(({ name, optimizer, stage }) => {
    const part = name ?? stage?.name;
    return part === undefined ? optimizer.text : `${part} by ${optimizer.text}`;
  });
  const models = plan.models.join(" and ");
  return `training ${models} on ${rows} rows of ${dataset.plan.name}\n  batch ${plan.batch}, ${rules.join(", ")}`;
}
