/** `dlmc run`: predictions of a program or an artifact for a file of inputs. */
import { extname } from "node:path";
import { Command } from "commander";
import type { TensorEntry } from "../../../runtime/artifact.ts";
import type { TypedArray } from "../../../runtime/index.ts";
import { inputColumns, readInputs } from "../../data/inputs.ts";
import { Failure } from "../../failure.ts";
import { shownPath, writeFileAtomic } from "../../files.ts";
import { encodeOutputs, outputFormats, type NamedOutput } from "../../weights/outputs.ts";
import { number } from "../../text.ts";
import { openForUse } from "../open-model.ts";
import { printJson, table, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly model?: string;
  readonly weights?: string;
  readonly input: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function runCommand(): Command {
  return new Command("run")
    .argument("<file>", "program, artifact folder or .wasm")
    .requiredOption(
      "--input <file>",
      "rows: .csv, .json, .jsonl, .npy, .npz or .safetensors; names are the model's inputs",
    )
    .option("--output <file>", "where predictions go: .json, .csv, .npz or .safetensors")
    .option("--model <name>", "the model, where there are several")
    .option("--weights <file>", "weights or a checkpoint (.safetensors)")
    .option("--json", "one JSON line a row")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      if (options.output !== undefined && !outputFormats.includes(extname(options.output)))
        throw new Failure(`${options.output}: predictions are written as ${outputFormats.join(", ")}`, {
          status: 2,
        });
      const model = await openForUse(file, options, "infer", `dlmc run ${file} --input ${options.input}`);
      const entry = model.manifest.entries.find((e) => e.name === "infer")!;
      const { inputs, rows } = readInputs(options.input, inputColumns(entry));
      const dims = entry.dims[0] === undefined ? {} : { [entry.dims[0].name]: rows };
      const results = await model.run(inputs, { dims });
      const outputs = entry.outputs.map((output) => namedOutput(output, results[output.name]!, rows));
      if (options.output !== undefined) {
        writeFileAtomic(options.output, encodeOutputs(outputs, rows, extname(options.output)));
        if (options.json !== true) t.print(`wrote ${number(rows)} rows to ${shownPath(options.output)}`);
      } else if (options.json === true) for (let row = 0; row < rows; row++) printJson(rowOf(outputs, row));
      else show(t, outputs, rows);
      model.destroy();
    });
}

function namedOutput(entry: TensorEntry, data: TypedArray, rows: number): NamedOutput {
  const width = rows === 0 ? 0 : data.length / rows;
  const shape = entry.shape
    .slice(1)
    .map((axis) => axis.reduce((sum, [c, d]) => (d.length === 0 ? sum + c : sum), 0));
  return { name: entry.name, data, width, shape, classes: entry.classes };
}

/** One row as an object: a number, an array, or the most likely class with its score. */
function rowOf(outputs: readonly NamedOutput[], row: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { name, data, width, classes } of outputs) {
    const values = Array.from(data.subarray(row * width, (row + 1) * width));
    object[name] = width === 1 ? values[0] : values;
    if (classes && classes.length === width)
      object[`${name}.class`] = classes[values.indexOf(Math.max(...values))];
  }
  return object;
}

const mostRows = 20;

function show(t: Terminal, outputs: readonly NamedOutput[], rows: number): void {
  const lines = [["row", ...outputs.map((o) => o.name)]];
  for (let row = 0; row < Math.min(rows, mostRows); row++) {
    const object = rowOf(outputs, row);
    lines.push([
      String(row + 1),
      ...outputs.map((o) => {
        const value = object[o.name];
        const best = object[`${o.name}.class`];
        const text = Array.isArray(value)
          ? `[${value
              .slice(0, 10)
              .map((x) => number(Number(x)))
              .join(", ")}${value.length > 10 ? ", …" : ""}]`
          : number(Number(value));
        return typeof best === "string" ? `${best}  ${t.paint.dim(text)}` : text;
      }),
    ]);
  }
  for (const line of table(lines)) t.print(line);
  if (rows > mostRows)
    t.print(t.paint.dim(`… and ${number(rows - mostRows)} rows more; --output writes all`));
}
