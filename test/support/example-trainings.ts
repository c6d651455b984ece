/**
 * How each example that trains is shortened: to have another one, add an entry, and its data to example-data.ts where it
 * reads files of its own. `UPDATE=1 npm test -- examples-training` records its losses.
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { colours, diamonds, pictures, plays, reviews, sunspots } from "./example-data.ts";

export interface ExampleTraining {
  /** below examples/ */
  readonly program: string;
  /** folder below .data that the program reads, and what writes it */
  readonly data?: readonly [name: string, write: (folder: string) => void];
  /** files of the example that the program reads */
  readonly files?: readonly string[];
  /** what is made smaller: each pattern is found in the program, or in what it uses */
  readonly smaller: readonly (readonly [found: RegExp, instead: string])[];
}

const rows = [/train = 55_000, valid = 5_000/, "train = 48, valid = 8"] as const;
const batch = (size: number) => [/^( *batch +)\d+/m, `$1${size}`] as const;
const shorter = [/T=200/g, "T=16"] as const;
const window = [/^( *window +)\d+/m, "$116"] as const;

const smallGpt = [
  window,
  batch(8),
  [/let Width   = 128/, "let Width = 32"],
  [/let layers  = 4/, "let layers = 2"],
  [/544/, "64"],
] as const;

export const trainings: readonly ExampleTraining[] = [
  { program: "digits/digits.dlm", files: ["digits.npz"], smaller: [batch(16)] },
  { program: "fashion/mlp.dlm", data: ["fashion", pictures], smaller: [rows, batch(8)] },
  { program: "fashion/cnn.dlm", data: ["fashion", pictures], smaller: [rows, batch(8)] },
  { program: "autoencoder/autoencoder.dlm", data: ["fashion", pictures], smaller: [rows, batch(8)] },
  { program: "autoencoder/vae.dlm", data: ["fashion", pictures], smaller: [rows, batch(8)] },
  {
    program: "fashion/residual.dlm",
    data: ["fashion", pictures],
    smaller: [[/train = 58_000, valid = 2_000/, "train = 48, valid = 8"], batch(8)],
  },
  {
    program: "cifar/residual.dlm",
    data: ["cifar", colours],
    smaller: [[/train = 45_000, valid = 5_000/, "train = 48, valid = 8"], batch(8)],
  },
  { program: "mnist/lenet.dlm", data: ["mnist", pictures], smaller: [rows, batch(8)] },
  {
    program: "mnist/lstm.dlm",
    data: ["mnist", pictures],
    smaller: [rows, batch(8), [/Lstm\(128\)/, "Lstm(32)"]],
  },
  {
    program: "gan/gan.dlm",
    data: ["mnist", pictures],
    smaller: [[/train = 60_000/, "train = 56"], batch(8)],
  },
  { program: "diamonds/diamonds.dlm", data: ["diamonds", diamonds], smaller: [batch(8)] },
  { program: "sunspots/sunspots.dlm", data: ["sunspots", sunspots], smaller: [batch(8)] },
  {
    program: "plays/char-lstm.dlm",
    data: ["plays", plays],
    smaller: [window, batch(8), [/Embed\(64\)/, "Embed(16)"], [/Lstm\(256\)/g, "Lstm(32)"]],
  },
  { program: "plays/gpt.dlm", data: ["plays", plays], smaller: smallGpt },
  {
    program: "plays/gpt-pairs.dlm",
    data: ["plays", plays],
    smaller: [...smallGpt, [/bpe\(512\)/, "bpe(40)"]],
  },
  {
    program: "imdb/bilstm.dlm",
    data: ["imdb", reviews],
    smaller: [window, shorter, batch(8), [/Embed\(128\)/, "Embed(16)"], [/Lstm\(64\)/g, "Lstm(16)"]],
  },
  {
    program: "imdb/transformer.dlm",
    data: ["imdb", reviews],
    smaller: [window, shorter, batch(4), [/LearnedPosition\(200\)/, "LearnedPosition(16)"]],
  },
];

/** Those that an app trains, by what is played there. */
export const played = ["cartpole/cartpole.dlm"] as const;

export function copyFiles({ files = [] }: ExampleTraining, from: string, to: string): void {
  for (const file of files) copyFileSync(join(from, file), join(to, file));
}
