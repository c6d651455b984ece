/** `dlmc show`: the architecture of each model, what it costs, and with --full all that the program leaves to defaults. */
import { Command } from "commander";
import { architectureOf, shapeOf, type Architecture } from "../../architecture.ts";
import { blockSettings, callDefaults } from "../../defaults.ts";
import { Failure } from "../../failure.ts";
import { shownPath } from "../../files.ts";
import { chooseModel, mustBeSound, openProgram, type Program, trainOf } from "../../program.ts";
import { architectureTable } from "../architecture-table.ts";
import { printJson, table, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly model?: string;
  readonly full?: boolean;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function showCommand(): Command {
  return new Command("show")
    .argument("<file>", "program")
    .option("--model <name>", "one model, where there are several")
    .option("--full", "also every default, of modules and of blocks")
    .option("--json", "one JSON line")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const program = openProgram(file);
      mustBeSound(program);
      const { checked } = program;
      const models = options.model === undefined ? checked.models : [chooseModel(program, options.model)];
      if (models.length === 0) throw new Failure(`${shownPath(file)} declares no model`);
      const all: Architecture[] = [];
      for (const model of models) {
        const train = trainOf(program, model);
        all.push(await architectureOf(program, model, train));
      }
      if (options.json === true) {
        printJson({
          models: all.map(asJson),
          ...(options.full === true ? { blocks: blockSettings(program) } : {}),
        });
        return;
      }
      all.forEach((model, i) => {
        if (i > 0) t.print();
        for (const line of architectureTable(t, model)) t.print(line);
        if (options.full === true) showArguments(t, program, models[i]!);
      });
      if (options.full === true) showBlocks(t, program);
    });
}

function asJson(model: Architecture): unknown {
  const { memory } = model;
  return {
    name: model.name,
    parameters: model.parameters,
    flops: model.flops,
    inputs: model.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    outputs: model.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    layers: model.layers.map(({ row, path }) => ({
      path,
      label: row.label ?? null,
      text: row.text,
      output: shapeOf(row.type, model.show).shape,
      parameters: row.parameters,
      flops: row.flops,
    })),
    weights: model.weights.map(({ path, shape }) => ({ path, dtype: "f32", shape })),
    memory: { infer: memory.infer?.bytes ?? null, train: memory.train?.bytes ?? null },
    unknown: model.unknown,
  };
}

function showArguments(t: Terminal, program: Program, model: (typeof program.checked.models)[number]): void {
  const defaults = callDefaults(program, model.scope, model.declaration.body);
  if (defaults.length === 0) return;
  t.print();
  t.print(`  ${t.paint.dim("defaults of its parts")}`);
  for (const line of table(defaults.map((each) => [`  ${each.text}`, t.paint.dim(each.defaults.join(", "))])))
    t.print(line);
}

function showBlocks(t: Terminal, program: Program): void {
  const { checked } = program;
  for (const { title, settings } of blockSettings(program)) {
    t.print();
    t.print(t.paint.bold(title));
    const lines = settings.map((each) => [
      `  ${each.name}`,
      each.value,
      each.default ? t.paint.dim("default") : "",
    ]);
    for (const line of table(lines)) t.print(line);
  }
  const optimizers = checked.flow.trains.flatMap(({ block }) =>
    block.parts.flatMap(({ settings }) =>
      checked.scope ? callDefaults(program, checked.scope, settings.optimizer) : [],
    ),
  );
  if (optimizers.length > 0) t.print();
  for (const line of table(optimizers.map((each) => [each.text, t.paint.dim(each.defaults.join(", "))])))
    t.print(line);
}
