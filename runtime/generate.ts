/** One token after the other: the prompt is one step, each new token another. */
import type { Generate, Sample, TensorEntry } from "./artifact.ts";
import { fail } from "./error.ts";
import { choose } from "./sample.ts";
import { encode } from "./tokens.ts";

export interface GenerateOptions {
  /** new tokens at most; without it until the model has no more room */
  readonly max?: number;
  /** the same seed and prompt give the same tokens; 0 without it */
  readonly seed?: number;
  /** how tokens are chosen, instead of what the model's program says */
  readonly sample?: Sample;
  readonly signal?: AbortSignal;
}

export interface Token {
  readonly id: number;
  /** undefined where the model's tokens have no texts */
  readonly text: string | undefined;
}

/** Scores of the token after the last one given; `offset` tokens were given before these. */
export type Step = (tokens: readonly number[], offset: number) => Promise<Float32Array>;

/** The ids of a prompt. Throws DlmError where it is empty, too long, or holds what is no token. */
function idsOf(
  prompt: string | readonly number[],
  { classes }: TensorEntry,
  max: number,
  count: number,
): readonly number[] {
  const refuse = (what: string): never => fail("input", what, "step");
  let ids = prompt as readonly number[];
  if (typeof prompt === "string") {
    if (!classes) return refuse("the tokens of this model have no texts: give the prompt as numbers");
    const found = encode(prompt, classes);
    if ("character" in found)
      return refuse(`the prompt holds ${JSON.stringify(found.character)}, which is no token`);
    ids = [...found];
  }
  if (ids.length === 0) refuse("the prompt is empty");
  if (ids.length > max) refuse(`the prompt has ${ids.length} tokens, and there is room for ${max}`);
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < count));
  if (wrong !== undefined) refuse(`${wrong} is no token: they are 0 to ${count - 1}`);
  return ids;
}

export async function* generateTokens(
  { max, sample }: Generate,
  input: TensorEntry,
  /** how many tokens there are */
  count: number,
  step: Step,
  prompt: string | readonly number[],
  options: GenerateOptions,
): AsyncGenerator<Token, void, undefined> {
  let given = idsOf(prompt, input, max, count);
  const end = Math.min(max, given.length + (options.max ?? max));
  for (let at = 0; at + given.length < end;) {
    const scores = await step(given, at);
    at += given.length;
    const id = choose(scores, options.sample ?? sample, options.seed ?? 0, at);
    yield { id, text: input.classes?.[id] };
    given = [id];
  }
}
