/** The model that a command uses, out of a program or an artifact, with its weights. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Manifest, readManifest } from "../../runtime/artifact.ts";
import { DlmError, load, type Model } from "../../runtime/index.ts";
import { hasRelaxedSimd } from "../../runtime/platform.ts";
import { openModel } from "../compile-program.ts";
import { Failure } from "../failure.ts";
import { readBytes, shownPath } from "../files.ts";
import { chooseModel, generateOf, graphsOf, mustBeSound, openProgram, trainOf } from "../program.ts";
import { decodeWeights } from "../train/checkpoint.ts";
import { weightsHelp } from "../train/known-runs.ts";

/** `entry`: what the model is opened for. `command`: what a user wrote, for the help where weights are missing. */
export async function openForUse(
  file: string,
  options: { readonly model?: string; readonly weights?: string },
  entry: "infer" | "step",
  command: string,
  max?: (manifest: Manifest) => Readonly<Record<string, number>>,
): Promise<Model> {
  const artifact = artifactOf(file, options.model);
  if (artifact !== undefined) {
    const beside = artifact.replace(/(\.relaxed)?\.wasm$/, ".safetensors");
    const weights = options.weights ?? (existsSync(beside) ? beside : undefined);
    const model = await loadArtifact(artifact, max);
    if (entry === "step" && !model.manifest.generate) throw doesNotGenerate(model.manifest.name);
    if (weights !== undefined) setWeights(model, weights);
    else if (model.manifest.weights.length > 0) throw noWeights(`${command} --weights FILE`);
    return model;
  }
  const program = openProgram(file);
  mustBeSound(program);
  const chosen = chooseModel(program, options.model);
  if (entry === "step" && !generateOf(program, chosen)) throw doesNotGenerate(chosen.declaration.name.text);
  const train = trainOf(program, chosen);
  const { model } = await openModel(graphsOf(program, chosen, train, ["init", entry]), max ? { max } : {});
  if (options.weights !== undefined) setWeights(model, options.weights);
  else if (model.manifest.weights.length > 0)
    throw noWeights(weightsHelp(command, file, model.manifest.hashes.weights));
  return model;
}

function doesNotGenerate(name: string): Failure {
  return new Failure(`${name} does not generate`, {
    help: `say so in its program: deploy ${name} { generate text, max = 256 }`,
  });
}

/** What is wrong with it is told with its name. */
async function loadArtifact(path: string, max: Parameters<typeof openForUse>[4]): Promise<Model> {
  const bytes = readBytes(path);
  try {
    return await load(bytes, max ? { max: max(readManifest(bytes).manifest) } : {});
  } catch (error) {
    if (error instanceof DlmError) throw new Failure(error.message, { place: shownPath(path) });
    throw error;
  }
}

function setWeights(model: Model, file: string): void {
  const specs = [...model.manifest.weights, ...model.manifest.states];
  model.setWeights(decodeWeights(readBytes(file), shownPath(file), specs, model.manifest.name).tensors);
}

function noWeights(help: string): Failure {
  return new Failure("the model has no weights", { help, status: 2 });
}

/** The .wasm of an artifact; undefined where the path is a program. */
function artifactOf(path: string, name: string | undefined): string | undefined {
  if (path.endsWith(".wasm")) return path;
  if (/\.(js|ts|safetensors)$/.test(path))
    throw new Failure(`${path} is no program and no artifact`, {
      help: `give the folder that it was compiled into: ${shownPath(dirname(path))}`,
      status: 2,
    });
  if (!existsSync(path) || !statSync(path).isDirectory()) return undefined;
  const twins = readdirSync(path).filter((each) => each.endsWith(".wasm"));
  const strict = twins.filter((each) => !each.endsWith(".relaxed.wasm"));
  const found = name === undefined ? strict : strict.filter((each) => each === `${name}.wasm`);
  if (found.length === 0)
    throw new Failure(`${shownPath(path)} holds no artifact${name === undefined ? "" : ` ${name}`}`);
  if (found.length > 1)
    throw new Failure(`${shownPath(path)} holds several artifacts`, {
      help: `choose one with --model: ${found.map((each) => each.slice(0, -5)).join(", ")}`,
    });
  const relaxed = found[0]!.replace(/\.wasm$/, ".relaxed.wasm");
  return join(path, hasRelaxedSimd() && twins.includes(relaxed) ? relaxed : found[0]!);
}
