/** `dlmc generate`: goes on from a prompt, token by token, and prints each as it is made. */
import { Command, InvalidArgumentError } from "commander";
import { DlmError, type Token } from "../../../runtime/index.ts";
import { Failure } from "../../failure.ts";
import { openForUse } from "../open-model.ts";
import { printJson, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly model?: string;
  readonly weights?: string;
  readonly prompt: string;
  readonly max?: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly color?: boolean;
}

const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number is needed");
  return Number(text);
};

export function generateCommand(): Command {
  return new Command("generate")
    .argument("<file>", "program, artifact folder or .wasm")
    .requiredOption(
      "--prompt <text>",
      "what the text begins with; numbers such as 3,1,4 where tokens have no texts",
    )
    .option("--max <n>", "new tokens at most", whole)
    .option("--seed <n>", "of the random choices: the same gives the same text", whole, 0)
    .option("--model <name>", "the model, where there are several")
    .option("--weights <file>", "weights or a checkpoint (.safetensors)")
    .option("--json", "one JSON line a token")
    .action(async (file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const model = await openForUse(
        file,
        options,
        "step",
        `dlmc generate ${file} --prompt ${JSON.stringify(options.prompt)}`,
      );
      const { entries, generate } = model.manifest;
      const input = entries.flatMap(({ inputs }) => inputs).find(({ name }) => name === generate?.input);
      const hasTexts = input?.classes !== undefined;
      const prompt = hasTexts ? options.prompt : numbersOf(options.prompt);
      const tokens = model.generate(prompt, {
        seed: options.seed,
        ...(options.max === undefined ? {} : { max: options.max }),
      });
      let begun = false;
      // a prompt that is refused is not told as a text
      const begin = (): void => {
        if (!begun && options.json !== true) t.write(options.prompt);
        begun = true;
      };
      try {
        for await (const token of tokens) {
          begin();
          show(t, token, options.json === true);
        }
        begin();
      } catch (error) {
        if (error instanceof DlmError && error.code === "input")
          throw new Failure(error.message, { status: 2 });
        throw error;
      }
      if (options.json !== true) t.print();
      model.destroy();
    });
}

function show(t: Terminal, { id, text }: Token, json: boolean): void {
  if (json) printJson(text === undefined ? { id } : { id, text });
  else t.write(text ?? `,${id}`);
}

function numbersOf(text: string): number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^\d{1,9}$/.test(part)))
    throw new Failure("the tokens of this model have no texts", {
      help: "give the prompt as numbers: --prompt 3,1,4",
      status: 2,
    });
  return parts.map(Number);
}
