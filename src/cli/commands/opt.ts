/** `dlmc opt`: one stage of the compiler on a graph as text. */
import { Command, InvalidArgumentError, Option } from "commander";
import { emitWasm } from "../../../compiler/backends/wasm/module.ts";
import { watOf } from "../../../compiler/backends/wasm/wat.ts";
import type { Graph } from "../../../compiler/ir/graph.ts";
import { printPlan, printProgram } from "../../../compiler/ir/print-kernels.ts";
import { verify } from "../../../compiler/ir/verify.ts";
import { makeProgram } from "../../../compiler/lower/program.ts";
import type { Pass } from "../../../compiler/passes/pass.ts";
import { passes, pipeline, runPass } from "../../../compiler/passes/pipeline.ts";
import { pinDims } from "../../../compiler/passes/pin-dims.ts";
import { checkEachPass } from "../../check-passes.ts";
import { Failure } from "../../failure.ts";
import { shownPath, writeFileAtomic } from "../../files.ts";
import { printGraphs, readGraphs, writeGraphs } from "../../graph-file.ts";
import { number } from "../../text.ts";
import { table, terminal } from "../terminal.ts";
import { dimSizes } from "./compile.ts";
import { wholeNumber } from "./train.ts";

const emits = ["graph", "kernels", "plan", "wat"] as const;
type Emit = (typeof emits)[number];

interface Options {
  readonly pass?: readonly Pass[];
  readonly checkEachPass?: boolean;
  readonly listPasses?: boolean;
  readonly emit: Emit;
  readonly dim?: ReadonlyMap<string, number>;
  readonly plan: "tight" | "keep-all";
  readonly seed: number;
  readonly output?: string;
  readonly color?: boolean;
}

/** `all` is the pipeline in its order. */
function passNamed(name: string, before: readonly Pass[] = []): Pass[] {
  if (name === "all") return [...before, ...pipeline.map(({ pass }) => pass)];
  const found = passes.get(name);
  if (!found) throw new InvalidArgumentError(`passes are ${[...passes.keys()].join(", ")}, and all`);
  return [...before, found];
}

export function optCommand(): Command {
  return new Command("opt")
    .argument(
      "[file]",
      "graphs (.dlg), as dlmc compile --emit graph prints them, with their large constants in a .safetensors beside it",
    )
    .option("--pass <name>", "run a pass, repeatable; all is the whole pipeline", passNamed)
    .option("--check-each-pass", "run the reference on random inputs after each pass")
    .option("--list-passes", "what passes there are")
    .addOption(new Option("--emit <what>", "what is printed").choices(emits).default("graph"))
    .option("--dim <sizes>", "make a free dim constant: B=1", dimSizes)
    .addOption(new Option("--plan <kind>", "memory plan").choices(["tight", "keep-all"]).default("tight"))
    .option("--seed <n>", "of the random inputs", wholeNumber(0), 0)
    .option("-o, --output <file>", "write it instead of printing it")
    .action(async (file: string | undefined, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      if (options.listPasses === true) {
        for (const line of table(
          [...passes.values()].map(({ name, summary }) => [t.paint.bold(name), summary]),
        ))
          t.print(line);
        return;
      }
      if (file === undefined) throw new Failure("name the graph to read", { status: 2 });
      const wanted = options.pass ?? [];
      const read = readGraphs(file).map((graph) => pinDims(graph, options.dim ?? new Map()));
      const graphs = read.map((graph) =>
        options.checkEachPass === true ? checked(graph, wanted, options.seed) : run(graph, wanted),
      );
      if (options.checkEachPass === true)
        t.say(`the answer is the same after each of ${wanted.length} passes`);
      if (options.output === undefined) {
        const text = await emitted(options.emit, graphs, options.plan);
        process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
        return;
      }
      if (options.emit === "graph") writeGraphs(options.output, graphs);
      else writeFileAtomic(options.output, await emitted(options.emit, graphs, options.plan));
      t.say(`wrote ${shownPath(options.output)}`);
    });
}

function run(graph: Graph, wanted: readonly Pass[]): Graph {
  let now = graph;
  for (const pass of wanted) {
    now = runPass(pass, now);
    verify(now, pass.name);
  }
  return now;
}

/** Odd and larger than 1, so that sizes that were mixed up show. */
const freeSize = 3;

function checked(graph: Graph, wanted: readonly Pass[], seed: number): Graph {
  const sizes = new Map(graph.dims.map(({ name, max }) => [name, Math.min(freeSize, max ?? freeSize)]));
  const result = checkEachPass(graph, wanted, sizes, seed);
  if (!result.change) return result.graph;
  const { pass, place, what, element, before, after } = result.change;
  throw new Failure(
    `pass ${place}, ${pass}, changes ${what} of ${graph.name}: element ${element} was ${number(before)} and is ${number(after)}`,
    { help: `the random inputs are those of --seed ${seed}` },
  );
}

async function emitted(emit: Emit, graphs: readonly Graph[], plan: Options["plan"]): Promise<string> {
  if (emit === "graph") return printGraphs(graphs, { whole: true }).text;
  const { program } = makeProgram(graphs, { plan, prepare: true });
  if (emit === "kernels") return printProgram(program);
  if (emit === "plan") return printPlan(program);
  return watOf((await emitWasm(program, { relaxed: false, names: true })).bytes);
}
