/** The commands, in the order of the help text. What a command needs is read when it is the one that runs. */
import type { Command } from "commander";

export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  load(): Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: "check",
    description: "parse and check programs",
    load: async () => (await import("./check.ts")).checkCommand(),
  },
  {
    name: "show",
    description: "the architecture: output sizes, parameters, cost, memory",
    load: async () => (await import("./show.ts")).showCommand(),
  },
  {
    name: "explain",
    description: "explain a diagnostic, or an item of the library",
    load: async () => (await import("./explain.ts")).explainCommand(),
  },
  {
    name: "fmt",
    description: "rewrite programs in canonical form",
    load: async () => (await import("./fmt.ts")).fmtCommand(),
  },
  {
    name: "fit",
    description: "read the data, fit preprocessing, write dlm.lock",
    load: async () => (await import("./fit.ts")).fitCommand(),
  },
  {
    name: "train",
    description: "train a model, with validation and checkpoints",
    load: async () => (await import("./train.ts")).trainCommand(),
  },
  {
    name: "evaluate",
    description: "metrics and requirements on a split",
    load: async () => (await import("./evaluate.ts")).evaluateCommand(),
  },
  {
    name: "run",
    description: "predict with a program or an artifact",
    load: async () => (await import("./run.ts")).runCommand(),
  },
  {
    name: "generate",
    description: "text from a model that generates, token by token",
    load: async () => (await import("./generate.ts")).generateCommand(),
  },
  {
    name: "compile",
    description: "write the artifact that an app embeds",
    load: async () => (await import("./compile.ts")).compileCommand(),
  },
  {
    name: "bench",
    description: "time each entry on random inputs",
    load: async () => (await import("./bench.ts")).benchCommand(),
  },
  {
    name: "grad",
    description: "gradients of a loss for one batch, and whether they are right",
    load: async () => (await import("./grad.ts")).gradCommand(),
  },
  {
    name: "opt",
    description: "run one stage of the compiler on a graph as text",
    load: async () => (await import("./opt.ts")).optCommand(),
  },
];
