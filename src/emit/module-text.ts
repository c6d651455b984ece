/** The .js beside a compiled model: the runtime inlined, and `load`, which finds its files beside itself. */
import type { Manifest, TensorEntry } from "../../runtime/artifact.ts";
import { parameterCount } from "./declarations.ts";
import { gpuRuntimeText, runtimeText, threadedRuntimeText } from "./runtime-text.ts";

/** The bundled runtime as an expression: its last statement exports `name as exported, ...`. */
function runtimeExpression(text: string): string {
  const exported = /export\s*\{([^{}]*)\};?\s*$/.exec(text);
  if (!exported) throw new Error("the bundled runtime has no exports: run the build");
  const members = exported[1]!.split(",").map((item) => {
    const [local, name = local] = item.trim().split(/\s+as\s+/);
    return `${name}: ${local}`;
  });
  return `(() => {\n${text.slice(0, exported.index)}\nreturn { ${members.join(", ")} };\n})()`;
}

function facts(tensors: readonly TensorEntry[] = []): Readonly<Record<string, object>> {
  return Object.fromEntries(
    tensors.map(({ name, dtype, doc = "", classes, text }) => [
      name,
      // a vocabulary is in the artifact alone
      { dtype, doc, ...(!text && classes && { classes }) },
    ]),
  );
}

export interface Files {
  /** name of the files, without ending */
  readonly name: string;
  readonly relaxed: boolean;
  readonly threads: boolean;
  /** there are .wasm files; without them there is a .wgsl.json */
  readonly wasm: boolean;
  readonly webgpu: boolean;
  readonly weights: boolean;
}

export function moduleText(manifest: Manifest, files: Files): string {
  const infer = manifest.entries.find((entry) => entry.name === "infer");
  const meta = {
    name: manifest.name,
    compiler: manifest.compiler,
    parameters: parameterCount(manifest),
    hashes: manifest.hashes,
    inputs: facts(infer?.inputs),
    outputs: facts(infer?.outputs),
  };
  const beside = (ending: string): string =>
    `new URL(${JSON.stringify(`./${files.name}${ending}`)}, import.meta.url)`;
  const source = [
    ...(files.webgpu ? [`gpu: ${beside(".wgsl.json")}`] : []),
    ...(files.wasm ? [`strict: ${beside(".wasm")}`] : []),
    ...(files.relaxed ? [`relaxed: ${beside(".relaxed.wasm")}`] : []),
    ...(files.threads ? [`threads: ${beside(".threads.wasm")}`, `threadsRelaxed: ${files.relaxed}`] : []),
  ];
  const options = files.weights
    ? `{ ...options, weights: options.weights ?? ${beside(".safetensors")} }`
    : "options";
  const runtime = files.webgpu ? gpuRuntimeText : files.threads ? threadedRuntimeText : runtimeText;
  return `// ${manifest.name}, compiled by dlmc ${manifest.compiler}. Types and documentation: ${files.name}.d.ts
const runtime = /* @__PURE__ */ ${runtimeExpression(runtime)};

export const DlmError = /* @__PURE__ */ (() => runtime.DlmError)();

export const meta = ${JSON.stringify(meta, null, 2)};

export function load(options = {}) {
  return runtime.load({ ${source.join(", ")} }, ${options});
}
`;
}
