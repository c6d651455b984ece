/** `dlmc bench`: how long each entry takes on this machine. */
import { Command } from "commander";
import type { EntryName } from "../../../compiler/entries/model-graphs.ts";
import { bench, type Timing } from "../../bench.ts";
import { Failure } from "../../failure.ts";
import { chooseModel, graphsOf, mustBeSound, openProgram, trainOf } from "../../program.ts";
import { bytesText, duration, number } from "../../text.ts";
import { printJson, table, terminal } from "../terminal.ts";
import { dimSizes, entryList, mustBePromised } from "./compile.ts";
import { wholeNumber } from "./train.ts";

interface Options {
  readonly model?: string;
  readonly entry?: readonly EntryName[];
  readonly dim?: ReadonlyMap<string, number>;
  readonly pin?: boolean;
  readonly relaxed: boolean;
  readonly time: number;
  readonly seed: number;
  readonly threads: number;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function benchCommand(): Command {
  return new Command("bench")
    .argument("<file>", "program")
    .option("--model <name>", "the model, where there are several")
    .option("--entry <names>", "infer, measure, train; all where absent", entryList)
    .option("--dim <sizes>", "sizes of free dims: B=64", dimSizes)
    .option("--pin", "compile with these sizes as constants")
    .option("--no-relaxed", "only what every browser runs")
    .option("--threads <n>", "that run each entry", wholeNumber(1), 1)
    .option("--time <ms>", "how long each entry is measured", wholeNumber(1), 1000)
    .option("--seed <n>", "of the random inputs", wholeNumber(0), 0)
    .option("--json", "one JSON line an entry")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const program = openProgram(file);
      mustBeSound(program);
      const model = chooseModel(program, options.model);
      const train = trainOf(program, model);
      const entries = options.entry ?? (train ? ["infer", "measure", "train"] : ["infer"]);
      if (!train && entries.some((name) => name === "train" || name === "measure"))
        throw new Failure(`${model.declaration.name.text} has no train block`);
      const graphs = graphsOf(program, model, train, [...new Set<EntryName>(["init", ...entries])]);
      mustBePromised(options.dim, graphs);
      const timings = await bench(graphs, {
        entries,
        sizes: options.dim ?? new Map(),
        pin: options.pin ?? false,
        milliseconds: options.time,
        relaxed: options.relaxed,
        threads: options.threads,
        seed: options.seed,
      });
      if (options.json === true) {
        for (const timing of timings) printJson({ ...timing, gflops: rate(timing) });
        return;
      }
      t.print(
        `${t.paint.bold(graphs.name)} on ${timings[0]?.target ?? "wasm"}, ${options.threads === 1 ? "one thread" : `${options.threads} threads`}`,
      );
      const header = ["  entry", "sizes", "median", "10 % to 90 %", "first", "GFLOP/s", "memory", "calls"];
      const rows = timings.map((timing) => [
        `  ${timing.entry}`,
        Object.entries(timing.dims)
          .map(([name, size]) => `${name}=${size}`)
          .join(" "),
        duration(timing.median),
        `${duration(timing.low)} to ${duration(timing.high)}`,
        duration(timing.first),
        rate(timing).toFixed(1),
        bytesText(timing.memory),
        number(timing.calls),
      ]);
      for (const line of table([header.map((cell) => t.paint.dim(cell)), ...rows], [2, 3, 4, 5, 6, 7]))
        t.print(line);
    });
}

/** GFLOP/s at the median */
function rate({ flops, median }: Timing): number {
  return flops / median / 1e6;
}
