/** `dlmc compile`: the artifact an app embeds; or any stage of the compiler on standard output. */
import { join, relative, sep } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { stages, type Compiled, type Stage } from "../../../compiler/compile.ts";
import type { EntryName } from "../../../compiler/entries/model-graphs.ts";
import * as dim from "../../../compiler/ir/dim.ts";
import type { ModelGraphs } from "../../../compiler/ir/model.ts";
import { nameOf } from "../../../compiler/ir/named-dims.ts";
import { passes } from "../../../compiler/passes/pipeline.ts";
import { printGraph } from "../../../compiler/ir/print.ts";
import { printPlan, printProgram } from "../../../compiler/ir/print-kernels.ts";
import { compiled } from "../../compile-program.ts";
import { printGraphs } from "../../graph-file.ts";
import { emitModel, manifestOf } from "../../emit/index.ts";
import { weightsFile } from "../../emit/weights.ts";
import { Failure } from "../../failure.ts";
import { readBytes, shownPath } from "../../files.ts";
import {
  chooseModel,
  generateOf,
  graphsOf,
  mustBeSound,
  openProgram,
  storedWeights,
  targetOf,
  trainOf,
} from "../../program.ts";
import { bytesText, duration } from "../../text.ts";
import { decodeWeights } from "../../train/checkpoint.ts";
import { weightsHelp } from "../../train/known-runs.ts";
import { table, terminal, type Terminal } from "../terminal.ts";

const emits = ["graph", "kernels", "plan", "wat", "wgsl"] as const;
const targets = ["wasm", "webgpu", "both"] as const;
type Target = (typeof targets)[number];
type Emit = (typeof emits)[number];

interface Options {
  readonly output?: string;
  readonly model?: string;
  readonly entry?: readonly EntryName[];
  readonly dim?: ReadonlyMap<string, number>;
  readonly weights?: string;
  readonly target?: Target;
  readonly relaxed: boolean;
  readonly threads?: boolean;
  readonly emit?: Emit;
  readonly plan: "tight" | "keep-all";
  readonly printIrAfter?: string;
  readonly stopAfter?: Stage;
  readonly timePasses?: boolean;
  readonly explainFusion?: boolean;
  readonly color?: boolean;
}

/** `B=1`, repeated or separated by commas */
export function dimSizes(text: string, before: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  const sizes = new Map(before);
  for (const part of text.split(",")) {
    const found = /^\s*(\w+)\s*=\s*([1-9]\d*)\s*$/.exec(part);
    if (!found) throw new InvalidArgumentError("a dim and its size are needed, such as B=1");
    sizes.set(found[1]!, Number(found[2]));
  }
  return sizes;
}

/** what is asked for, and the entry that does it */
const entryNames = {
  infer: "infer",
  generate: "step",
  measure: "measure",
  train: "train",
  init: "init",
} as const;

export function entryList(text: string): EntryName[] {
  return text.split(",").map((name) => {
    const found = Object.entries(entryNames).find(([each]) => each === name.trim());
    if (!found) throw new InvalidArgumentError(`entries are ${Object.keys(entryNames).join(", ")}`);
    return found[1];
  });
}

export function compileCommand(): Command {
  return new Command("compile")
    .argument("<file>", "program")
    .option("-o, --output <folder>", "where the files go", "dist")
    .option("--model <name>", "the model, where there are several")
    .option("--entry <names>", "infer, train, ...; what the artifact can do", entryList)
    .option("--dim <sizes>", "make a free dim constant: B=1", dimSizes)
    .option("--weights <file>", "weights or a checkpoint to ship (.safetensors)")
    .addOption(
      new Option(
        "--target <name>",
        "what the artifact runs on; as `deploy` says without it, else wasm",
      ).choices(targets),
    )
    .option("--no-relaxed", "only the module that every browser runs")
    .option("--threads", "also a module that several threads run in one memory")
    .addOption(new Option("--emit <what>", "print it and write no artifact").choices(emits))
    .addOption(
      new Option("--plan <kind>", "memory plan; keep-all is for debugging")
        .choices(["tight", "keep-all"])
        .default("tight"),
    )
    .option("--print-ir-after <pass>", "print the graphs after this pass, or after all")
    .addOption(new Option("--stop-after <stage>", "go no further").choices(stages))
    .option("--time-passes", "print what each stage took")
    .option("--explain-fusion", "print why each stored value is stored")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const program = openProgram(file);
      mustBeSound(program);
      const model = chooseModel(program, options.model);
      const train = trainOf(program, model);
      const generates = generateOf(program, model) !== undefined;
      const entries = options.entry ?? (generates ? (["infer", "step"] as const) : (["infer"] as const));
      if (!generates && entries.some((name) => name === "step"))
        throw new Failure(`${model.declaration.name.text} has no \`generate\` in a deploy block`);
      if (!train && entries.some((name) => name === "train" || name === "measure"))
        throw new Failure(`${model.declaration.name.text} has no train block`);
      // what starts from shipped weights needs no initialiser, unless it trains anew
      const init = options.weights === undefined || entries.some((name) => name === "train");
      const wanted = new Set<EntryName>([...(init ? (["init"] as const) : []), ...entries]);
      const graphs = graphsOf(program, model, train, [...wanted]);
      const { printIrAfter: printAfter } = options;
      mustBeKnown("free dim", [...(options.dim?.keys() ?? [])], freeDims(graphs));
      mustBePromised(options.dim, graphs);
      if (printAfter !== undefined) mustBeKnown("pass", [printAfter], ["all", "check", ...passes.keys()]);

      if (options.emit === undefined) t.status("compiling");
      const times: StageTime[] = [];
      const target = chosenTarget(options, targetOf(program, model));
      const choices = { plan: options.plan, ...(options.dim ? { pin: options.dim } : {}) };
      const result = await compiled(graphs, {
        ...choices,
        target: target === "webgpu" ? "webgpu" : "wasm",
        relaxed: options.relaxed && options.emit === undefined,
        names: options.emit === "wat",
        ...(options.stopAfter ? { stopAfter: options.stopAfter } : {}),
        clock: () => performance.now(),
        observer: {
          time: (name, ms, entry) => void times.push({ name, ms, entry }),
          graph(entry, pass, graph) {
            if (printAfter === "all" || printAfter === pass)
              t.print(`// ${entry} after ${pass}\n${printGraph(graph).text}`);
          },
        },
      });
      if (options.explainFusion === true) explainFusion(t, result);
      if (options.timePasses === true) showTimes(t, times);
      if (options.emit !== undefined) t.print(await emitted(options.emit, result));
      if (options.emit !== undefined || options.stopAfter !== undefined || printAfter !== undefined) return;

      const folder = options.output ?? "dist";
      const threaded =
        options.threads === true
          ? await compiled(graphs, { ...choices, relaxed: options.relaxed, threads: true })
          : undefined;
      const onGpu = target === "both" ? await compiled(graphs, { ...choices, target: "webgpu" }) : result;
      const artifacts = {
        strict: result.strict?.artifact,
        relaxed: result.relaxed?.artifact,
        threads: (threaded?.relaxed ?? threaded?.strict)?.artifact,
        webgpu: onGpu.wgsl?.artifact,
      };
      const manifest = manifestOf(artifacts);
      let weights: Uint8Array | undefined;
      if (options.weights !== undefined) {
        const specs = [...manifest.weights, ...manifest.states];
        const read = decodeWeights(
          readBytes(options.weights),
          shownPath(options.weights),
          specs,
          manifest.name,
        );
        weights = weightsFile(manifest, read.tensors, storedWeights(program, model));
      } else if (manifest.states.length > 0)
        t.say(
          t.paint.yellow(
            `note: ${manifest.name} keeps fitted numbers or statistics, which come with weights, and no --weights were given`,
          ) +
            `\n${t.paint.green("help")}: ${weightsHelp(`dlmc compile ${file}`, file, manifest.hashes.weights)}`,
        );
      const files = emitModel(folder, artifacts, weights);
      for (const line of table(
        files.map(({ path, bytes }) => [`  ${shownPath(path)}`, bytesText(bytes)]),
        [1],
      ))
        t.print(line);
      const infer = result.memory?.find((m) => m.entry === "infer");
      if (infer)
        t.print(t.paint.dim(`  ${bytesText(infer.bytes)} of memory for infer at its default maximum`));
      const from = relative(process.cwd(), join(folder, `${manifest.name}.js`))
        .split(sep)
        .join("/");
      t.print(
        `${t.paint.green("ok")}  import { load } from "${from.startsWith("../") ? from : `./${from}`}"`,
      );
    });
}

/** Throws Failure where options do not go together. */
function chosenTarget({ target, emit, stopAfter, threads }: Options, deployed: Target): Target {
  const wrong = (what: string, needed: string): never => {
    throw new Failure(`${what} needs --target ${needed}`, { status: 2 });
  };
  if (emit === "wgsl") return target === "wasm" ? wrong("--emit wgsl", "webgpu") : "webgpu";
  if (emit === "wat" && target === "webgpu") wrong("--emit wat", "wasm");
  if (stopAfter === "wgsl" && target !== undefined && target !== "webgpu")
    wrong("--stop-after wgsl", "webgpu");
  if (stopAfter === "wasm" && target === "webgpu") wrong("--stop-after wasm", "wasm");
  if (threads === true && target === "webgpu") wrong("--threads", "wasm or both");
  if (target !== undefined) return target;
  // what is asked for is of one target, whatever the program is deployed on
  if (emit !== undefined || stopAfter !== undefined) return stopAfter === "wgsl" ? "webgpu" : "wasm";
  return threads === true && deployed === "webgpu" ? "both" : deployed;
}

function freeDims(graphs: ModelGraphs): string[] {
  return [...new Set(graphs.entries.flatMap(({ graph }) => graph.dims.map(nameOf)))];
}

/** Throws Failure where sizes that are given for free dims break a promise of the model. */
export function mustBePromised(
  sizes: ReadonlyMap<string, number> = new Map(),
  { entries }: ModelGraphs,
): void {
  const given = new Map([...sizes].map(([name, size]) => [name, dim.constant(size)]));
  for (const { text, size } of entries.flatMap((entry) => entry.promises ?? []))
    if ((dim.constantOf(dim.substitute(size, given)) ?? 0) < 0) {
      const names = [...dim.symbolsOf(size)].map((name) => `${name}=${sizes.get(name)}`);
      throw new Failure(`--dim ${names.join(",")}: the model is for sizes where ${text}`, { status: 2 });
    }
}

function mustBeKnown(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names)
    if (!known.includes(name))
      throw new Failure(`there is no ${what} ${name}`, {
        status: 2,
        help: known.length === 0 ? "there is none at all" : `there is ${known.join(", ")}`,
      });
}

async function emitted(emit: Emit, result: Compiled): Promise<string> {
  switch (emit) {
    case "graph":
      return printGraphs(
        result.entries.map(({ graph }) => graph),
        { whole: true },
      ).text;
    case "kernels":
      return printProgram(result.program!);
    case "plan":
      return printPlan(result.program!);
    case "wgsl":
      return result.wgsl!.code.shaders.map(({ name, text }) => `// ${name}\n${text}`).join("\n");
    case "wat": {
      const { watOf } = await import("../../../compiler/backends/wasm/wat.ts");
      return watOf(result.strict!.code.bytes);
    }
  }
}

function explainFusion(t: Terminal, result: Compiled): void {
  for (const [entry, reasons] of result.explained ?? []) {
    t.print(t.paint.bold(entry));
    for (const line of table(
      reasons.map(({ op, path, reason }) => [`  ${path === "" ? op : `${path} ${op}`}`, reason]),
    ))
      t.print(line);
  }
}

interface StageTime {
  readonly name: string;
  readonly ms: number;
  /** whose pass it is; undefined of a stage for all entries */
  readonly entry: string | undefined;
}

/** Stages, and below the one that has them the passes by entry. */
function showTimes(t: Terminal, times: readonly StageTime[]): void {
  const passTimes = times.filter(({ entry }) => entry !== undefined);
  const rows = times
    .filter(({ entry }) => entry === undefined)
    .flatMap(({ name, ms }) => [
      [`  ${name}`, "", duration(ms)],
      ...(name === "passes" ? passTimes.map((p) => [`    ${p.name}`, p.entry!, duration(p.ms)]) : []),
    ]);
  for (const line of table([["  stage", "entry", "time"], ...rows], [2])) t.print(line);
}
