/** The .d.ts beside a compiled model: its inputs, outputs and classes by name. Made from the manifest alone. */
import type { Entry, Manifest, Polynomial, TensorEntry } from "../../runtime/artifact.ts";

const isName = /^[A-Za-z_$][\w$]*$/;

const key = (name: string): string => (isName.test(name) ? name : JSON.stringify(name));

const comment = (text: string, indent = ""): string => `${indent}/** ${text.replaceAll("*/", "*\\/")} */\n`;

const arrays: Readonly<Record<TensorEntry["dtype"], string>> = {
  f32: "Float32Array",
  f16: "Float32Array",
  i32: "Int32Array",
  u8: "Uint8Array",
  bool: "Uint8Array",
};

/** `OutClass` for the classes of `out`. */
function className({ name }: TensorEntry): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return `${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("")}Class`;
}

/** Names that are worth a type: those of classes, not the vocabulary of an input that takes texts. */
function namesOf({ classes, text }: TensorEntry): readonly string[] | undefined {
  return text ? undefined : classes;
}

function inputType(tensor: TensorEntry): string {
  if (tensor.text) return "string | readonly string[] | Int32Array | NestedNumbers";
  const array =
    tensor.dtype === "f32"
      ? "Float32Array | Float64Array"
      : tensor.dtype === "i32"
        ? "Int32Array"
        : "Uint8Array | Uint8ClampedArray";
  return `${array} | ${tensor.classes ? `readonly (${className(tensor)} | number)[]` : "NestedNumbers"}`;
}

/** Whether an axis is made of the dim, so that the number of elements may tell its size. */
function mentions(shape: readonly Polynomial[], dim: string): boolean {
  return shape.some((axis) =>
    axis.some(([, factors]) =>
      factors.some((factor) => (typeof factor === "string" ? factor === dim : mentions(factor.floor, dim))),
    ),
  );
}

/** `{ B: number }` of the dims whose sizes no input tells; empty where there is none. */
function untold({ dims, inputs }: Entry): string {
  const names = dims.flatMap(({ name }) =>
    inputs.some(({ shape }) => mentions(shape, name)) ? [] : [`${key(name)}: number`],
  );
  return names.length > 0 ? `{ ${names.join("; ")} }` : "";
}

function documentation({ doc = "", text }: TensorEntry): string {
  return text ? `A text a row, or tokens: ${doc}` : doc;
}

function members(tensors: readonly TensorEntry[], typeOf: (tensor: TensorEntry) => string): string {
  return tensors
    .map((tensor) => `${comment(documentation(tensor), "  ")}  ${key(tensor.name)}: ${typeOf(tensor)};\n`)
    .join("");
}

function tensorFacts(tensors: readonly TensorEntry[]): string {
  return tensors
    .map((tensor) => {
      const classes = namesOf(tensor) ? `; readonly classes: readonly ${className(tensor)}[]` : "";
      return `    readonly ${key(tensor.name)}: { readonly dtype: ${JSON.stringify(tensor.dtype)}; readonly doc: string${classes} };\n`;
    })
    .join("");
}

/** Weights, without states. */
export function parameterCount({ weights }: Manifest): number {
  return weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** What the files beside the declarations make possible. */
export interface Abilities {
  readonly threads?: boolean;
  /** true where absent */
  readonly wasm?: boolean;
  readonly webgpu?: boolean;
}

export function declarations(manifest: Manifest, abilities: Abilities = {}): string {
  const { threads = false, wasm = true, webgpu = false } = abilities;
  const find = (name: string): Entry | undefined => manifest.entries.find((entry) => entry.name === name);
  const infer = find("infer");
  const train = find("train");
  const measure = find("measure");
  const inputs = infer?.inputs ?? [];
  const outputs = infer?.outputs ?? [];
  const named = new Map(
    [...inputs, ...outputs, ...(train?.inputs ?? []), ...(measure?.inputs ?? [])].flatMap((tensor) =>
      namesOf(tensor) ? [[className(tensor), tensor] as const] : [],
    ),
  );
  const dims = [...new Set(manifest.entries.flatMap((entry) => entry.dims.map((dim) => dim.name)))];
  const [first] = inputs;
  const given = !first
    ? "Inputs | undefined"
    : inputs.length === 1
      ? `Inputs | Inputs[${JSON.stringify(first.name)}]`
      : "Inputs";
  const draws = infer?.control.some(({ name }) => name === "seed") === true;
  const sizes = infer ? untold(infer) : "";
  const options =
    sizes === "" ? "options?: CallOptions<Outputs>" : `options: CallOptions<Outputs> & { dims: ${sizes} }`;
  const predicted = (tensor: TensorEntry): string =>
    tensor.classes ? `Prediction<${className(tensor)}>[]` : arrays[tensor.dtype];

  let text = comment(
    `${manifest.name}, ${parameterCount(manifest).toLocaleString("en-US")} parameters. Written by dlmc ${manifest.compiler}.`,
  );
  text += `\n${comment("Numbers in row-major order, flat or nested.")}export type NestedNumbers = readonly (number | boolean | NestedNumbers)[];\n`;
  for (const [name, { classes }] of named)
    text += `\nexport type ${name} = ${classes!.map((c) => JSON.stringify(c)).join(" | ") || "never"};\n`;
  if (infer) {
    text +=
      inputs.length > 0
        ? `\nexport interface Inputs {\n${members(inputs, inputType)}}\n`
        : `\n${comment("The model computes all its inputs itself.")}export type Inputs = Readonly<Record<string, never>>;\n`;
    text += `\nexport interface Outputs {\n${members(outputs, (tensor) => arrays[tensor.dtype])}}\n`;
    text += `\nexport interface Predictions {\n${members(outputs, predicted)}}\n`;
  }
  const batch = train ?? measure;
  if (batch)
    text += `\n${comment("Inputs and targets.")}export interface Batch {\n${members(batch.inputs, inputType)}}\n`;
  if (measure)
    text += `\nexport interface Measured {\n${members(measure.outputs, (tensor) => arrays[tensor.dtype])}}\n`;
  text += shared;
  text += `\nexport interface CallOptions<Filled> {
  /** arrays to be filled and returned, by output name; with all of them given, a call allocates no memory */
  into?: Partial<Filled>;
  /** sizes of free dims that the number of elements does not tell */
  dims?: ${dims.length > 0 ? `{ ${dims.map((dim) => `${key(dim)}?: number`).join("; ")} }` : "{}"};
${draws ? "  /** of what is drawn in this call: the same seed, the same numbers; that of `load` where absent */\n  seed?: number;\n" : ""}  /** looked at before the call, and between the chunks of a large one */
  signal?: AbortSignal;
}

export interface LoadOptions {
  /** the largest size of a free dim, for which memory is planned */
  max?: ${dims.length > 0 ? `{ ${dims.map((dim) => `${key(dim)}?: number`).join("; ")} }` : "{}"};
  /** a safetensors file (bytes, address or path), or numbers by path; by default the file beside the module, if there is one */
  weights?: Uint8Array | ArrayBuffer | URL | string | ReadonlyMap<string, ArrayLike<number>>;
  /** of weights that no file gives, and of random numbers */
  seed?: number;
  signal?: AbortSignal;
${threads ? "  /** how many run it, the caller included; the processors that there are where absent. A page gets several only where it is cross-origin isolated */\n  threads?: number;\n" : ""}${webgpu ? deviceOption(wasm) : ""}}
`;
  if (webgpu) text += gpuDeviceType;
  if (manifest.generate) text += generating;
  text += `\nexport interface Model {\n`;
  if (infer)
    text += `  /** Inputs must stay as they are until the promise settles. More rows than the maximum are run in chunks. Rejects with DlmError. */
  run(inputs: ${given}, ${options}): Promise<Outputs>;
  /** \`run\`, with outputs of named classes as one prediction a row */
  predict(inputs: ${given}, ${options}): Promise<Predictions>;
`;
  if (train) text += stepDeclarations(train);
  if (measure)
    text += `  /** the mean loss of a batch and the model's outputs, without any update */
  measure(batch: Batch, options?: CallOptions<Measured>): Promise<Measured>;
`;
  if (manifest.generate)
    text += `  /** Tokens that go on from a prompt, one after the other. One text at a time: a later one ends those before it. Rejects with DlmError. */
  generate(prompt: ${generatesText(manifest) ? "string | " : ""}readonly number[], options?: GenerateOptions): AsyncGenerator<Token, void, undefined>;
`;
  if (find("init"))
    text += `  /** new weights from the seed; optimizer state and counters are as at the start */
  init(seed: number): Promise<void>;
`;
  text += `  /** copies of weights and states by path, with \`optimizer\` also of the optimizer's */
  weights(options?: { optimizer?: boolean }): ${webgpu ? "Promise<Map<string, Float32Array>>" : "Map<string, Float32Array>"};
  /** replaces some or all of them; throws DlmError, and has then changed nothing */
  setWeights(weights: ReadonlyMap<string, ArrayLike<number>>): void;
  /** lets go of the memory${threads ? ", and ends the threads" : ""} */
  destroy(): void;
${webgpu ? modelTarget(wasm) : ""}}

export declare const meta: {
  readonly name: string;
  readonly compiler: string;
  readonly parameters: number;
  readonly hashes: { readonly weights: string; readonly program: string };
  readonly inputs: {
${tensorFacts(inputs)}  };
  readonly outputs: {
${tensorFacts(outputs)}  };
};

${comment("Rejects with DlmError.")}export declare function load(options?: LoadOptions): Promise<Model>;
`;
  return text;
}

/** Also for programs without the types of the DOM. */
const gpuDeviceType = `
/** \`GPUDevice\`, where its types are known */
export type GpuDevice = typeof globalThis extends { GPUDevice: { prototype: infer Device } } ? Device : object;
`;

function deviceOption(wasm: boolean): string {
  const device = `  /** the app's own, which it goes on owning; without it one is asked for */
  device?: GpuDevice;
`;
  if (!wasm) return device;
  return `${device}  /** \`wasm\` leaves WebGPU out, \`webgpu\` rejects where it is not there; without it the first of both that works is taken */
  target?: "webgpu" | "wasm";
`;
}

function modelTarget(wasm: boolean): string {
  if (!wasm) return `  readonly target: "webgpu";\n`;
  return `  /** what it runs on */
  readonly target: "webgpu" | "wasm";
  /** why it does not run on WebGPU, where that was tried */
  readonly fallback?: string;
`;
}

function stepDeclarations({ update }: Entry): string {
  const options = "signal?: AbortSignal; control?: Partial<Control>";
  const result = "gradientNorm: number; ok: boolean; updated: boolean";
  const counters = "  /** counters go on by themselves with every step */\n  readonly control: Control;\n";
  if (!update)
    return `  /** One training step, which updates the weights. \`ok\` is false where loss or gradient was not finite: then nothing was changed. */
  step(batch: Batch, options?: { ${options} }): Promise<{ loss: number; ${result} }>;
${counters}`;
  return `  /**
   * One batch of training. ${update.every} of them make one update, or as many as there are since the last one where \`update\` is true; \`updated\`
   * tells. \`ok\` is false where loss or gradient was not finite: then this batch has changed nothing.
   */
  step(batch: Batch, options?: { ${options}; update?: boolean }): Promise<{ loss: number; ${result} }>;
  /** the update by the batches since the last one, before there are ${update.every} */
  update(options?: { ${options} }): Promise<{ ${result} }>;
${counters}`;
}

/** Whether its tokens have texts. */
function generatesText({ entries, generate }: Manifest): boolean {
  const step = entries.find(({ name }) => name === "step");
  return step?.inputs.find(({ name }) => name === generate?.input)?.classes !== undefined;
}

const generating = `
/** How a token is chosen by its scores: the likeliest; at random; among the k likeliest; among the fewest that have the part p of the probability. */
export type Sample =
  | { kind: "greedy" }
  | { kind: "temperature"; temperature: number }
  | { kind: "top_k"; k: number; temperature: number }
  | { kind: "top_p"; p: number; temperature: number };

export interface GenerateOptions {
  /** new tokens at most; without it until the model has no more room */
  max?: number;
  /** the same seed and prompt give the same tokens; 0 without it */
  seed?: number;
  /** how tokens are chosen, instead of what the model's program says */
  sample?: Sample;
  signal?: AbortSignal;
}

export interface Token {
  id: number;
  /** undefined where the model's tokens have no texts */
  text: string | undefined;
}
`;

/** What does not depend on the model. */
const shared = `
/** One row of an output whose classes have names. */
export interface Prediction<Class extends string> {
  readonly class: Class;
  readonly index: number;
  /** the largest of \`scores\`; 1 where the output is the class itself */
  readonly score: number;
  /** what the model gives each class; empty where the output is the class itself */
  readonly scores: Readonly<Partial<Record<Class, number>>>;
}

/** Scalars that a training step reads. */
export interface Control {
  seed: number;
  iteration: number;
  step: number;
  steps_per_epoch: number;
  rate_factor: number;
}

export declare class DlmError extends Error {
  readonly code:
    | "artifact"
    | "format"
    | "read"
    | "memory"
    | "dims"
    | "input"
    | "weights"
    | "entry"
    | "trap"
    | "aborted"
    | "gpu"
    | "kernel"
    | "busy"
    | "destroyed";
  readonly entry: string | undefined;
  readonly layer: string | undefined;
}
`;
