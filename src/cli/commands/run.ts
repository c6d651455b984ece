/** `dlmc run`: predictions of a program or an artifact for a file of inputs; or what it makes of what it draws itself. */
import { extname } from "node:path";
import { Command } from "commander";
import {
  type Entry,
  evaluatePolynomial,
  type Manifest,
  type TensorEntry,
} from "../../../runtime/artifact.ts";
import { solveDims } from "../../../runtime/inputs.ts";
import type { TypedArray } from "../../../runtime/index.ts";
import { inputColumns, readInputs, type ReadRows } from "../../data/inputs.ts";
import { Failure } from "../../failure.ts";
import { shownPath, writeFileAtomic } from "../../files.ts";
import { encodeOutputs, outputFormats, type NamedOutput } from "../../weights/outputs.ts";
import { number } from "../../text.ts";
import { openForUse } from "../open-model.ts";
import { dimSizes } from "./compile.ts";
import { wholeNumber } from "./train.ts";
import { printJson, table, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly model?: string;
  readonly weights?: string;
  readonly input?: string;
  readonly dim?: ReadonlyMap<string, number>;
  readonly seed?: number;
  readonly output?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

export function runCommand(): Command {
  return new Command("run")
    .argument("<file>", "program, artifact folder or .wasm")
    .option(
      "--input <file>",
      "rows: .csv, .json, .jsonl, .npy, .npz or .safetensors; names are the model's inputs",
    )
    .option("--dim <sizes>", "the size of a free dim that no input tells: B=16", dimSizes)
    .option("--seed <n>", "of what the model draws: the same gives the same numbers", wholeNumber(0))
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
      const rest = options.input === undefined ? "" : ` --input ${options.input}`;
      const model = await openForUse(file, options, "infer", `dlmc run ${file}${rest}`, (manifest) =>
        plannedFor(inferOf(manifest), options, file),
      );
      const entry = inferOf(model.manifest);
      const { inputs, rows, dims } = given(entry, options, `dlmc run ${file}`);
      const results = await model.run(inputs, {
        dims,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      });
      const outputs = entry.outputs.map((output) =>
        namedOutput(output, results[output.name]!, rows, sizesOf(entry, inputs, dims)),
      );
      if (options.output !== undefined) {
        writeFileAtomic(options.output, encodeOutputs(outputs, rows, extname(options.output)));
        if (options.json !== true) t.print(`wrote ${number(rows)} rows to ${shownPath(options.output)}`);
      } else if (options.json === true) for (let row = 0; row < rows; row++) printJson(rowOf(outputs, row));
      else show(t, outputs, rows);
      model.destroy();
    });
}

const inferOf = ({ entries }: Manifest): Entry => entries.find(({ name }) => name === "infer")!;

/** Sizes of all free dims. Throws DlmError where the inputs do not fit. */
function sizesOf(entry: Entry, inputs: GivenRows["inputs"], dims: GivenRows["dims"]): Record<string, number> {
  const sizes: Record<string, number> = {};
  const arrays = entry.inputs.map(({ name }) => inputs[name]!);
  solveDims(entry, arrays, dims, sizes);
  return sizes;
}

/** Memory for what is given, where the program does not say how large it may be: rows are run in chunks. */
function plannedFor(entry: Entry, options: Options, file: string): Record<string, number> {
  const open = entry.dims.filter(({ max }, i) => max === null && !(i === 0 && entry.rows));
  if (open.length === 0) return {};
  const { inputs, dims } = given(entry, options, `dlmc run ${file}`);
  const sizes = sizesOf(entry, inputs, dims);
  return Object.fromEntries(open.map(({ name }) => [name, sizes[name]!]));
}

interface GivenRows extends ReadRows {
  readonly dims: Readonly<Record<string, number>>;
}

/** Inputs and sizes. Throws Failure where one is missing, or given in vain. */
function given(entry: Entry, { input, dim = new Map(), seed }: Options, command: string): GivenRows {
  const refuse = (text: string, help?: string): never => {
    throw new Failure(text, { ...(help === undefined ? {} : { help }), status: 2 });
  };
  const names = entry.dims.map(({ name }) => name);
  for (const name of dim.keys())
    if (!names.includes(name))
      refuse(`there is no free dim ${name}`, names.length > 0 ? `there is ${names.join(", ")}` : undefined);
  if (seed !== undefined && !entry.control.some(({ name }) => name === "seed"))
    refuse("the model draws nothing, so that a seed has no effect");
  const taken = entry.inputs.map(({ name }) => name);
  const [first] = entry.dims;
  if (taken.length === 0) {
    if (input !== undefined) refuse("the model takes no input", `${command} --dim ${names[0] ?? "B"}=16`);
    const missing = names.find((name) => !dim.has(name));
    if (missing !== undefined)
      refuse(`no input tells the size ${missing} of this model`, `${command} --dim ${missing}=16`);
    const dims = Object.fromEntries(dim);
    const [axis] = entry.outputs[0]?.shape ?? [];
    return { inputs: {}, rows: axis ? evaluatePolynomial(axis, dims) : 1, dims };
  }
  if (input === undefined) return refuse(`the model takes ${taken.join(", ")}`, `${command} --input FILE`);
  const read = readInputs(input, inputColumns(entry));
  if (first && (dim.get(first.name) ?? read.rows) !== read.rows)
    refuse(`${shownPath(input)} has ${read.rows} rows, and --dim says ${first.name}=${dim.get(first.name)}`);
  return { ...read, dims: { ...Object.fromEntries(dim), ...(first && { [first.name]: read.rows }) } };
}

function namedOutput(
  entry: TensorEntry,
  data: TypedArray,
  rows: number,
  sizes: Readonly<Record<string, number>>,
): NamedOutput {
  const width = rows === 0 ? 0 : data.length / rows;
  const shape = entry.shape.slice(1).map((axis) => evaluatePolynomial(axis, sizes));
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
