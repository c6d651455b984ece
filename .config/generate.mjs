// Writes what is generated from sources of the repository, as modules of strings that are imported as
// `#generated/NAME` (package.json `imports`) by the sources and by the build alike:
//   library   compiler/library/*.dlm, the standard library
//   runtime   runtime/index.ts, runtime/threaded.ts and runtime/webgpu.ts bundled and minified, embedded in what
//             `dlmc compile` writes
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, ".build", "generated");

/** Nothing is ever half-written under its name: other processes may be reading. */
function write(name, text) {
  const temporary = join(folder, `${name}.${process.pid}.tmp`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(folder, name));
}

/** Text of every library file by its name without ending, in alphabetical order. */
function readLibrary() {
  const from = join(root, "compiler", "library");
  const files = readdirSync(from).filter((name) => name.endsWith(".dlm"));
  return Object.fromEntries(
    files
      .sort()
      .map((file) => [file.slice(0, -4), readFileSync(join(from, file), "utf8").replaceAll("\r\n", "\n")]),
  );
}

/** An entry of the runtime as one minified ES module without imports. */
async function bundle(entry) {
  const build = await rolldown({
    input: join(root, "runtime", entry),
    platform: "neutral",
    logLevel: "silent",
    onLog: (_level, log) => {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(`runtime/ must stand alone: ${log.message}`);
    },
  });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  const [chunk] = output;
  if (output.length !== 1 || chunk.imports.length > 0) {
    throw new Error(
      `runtime/${entry} must be one module without imports, found ${output.map((o) => o.fileName)}`,
    );
  }
  return chunk.code;
}

export async function generate() {
  generateLibrary();
  generateRuntime(await bundles());
}

const bundles = async () => ({
  runtimeText: await bundle("index.ts"),
  threadedRuntimeText: await bundle("threaded.ts"),
  gpuRuntimeText: await bundle("webgpu.ts"),
});

/** As `generate`; a runtime that cannot be bundled fails those tests alone that embed it. */
export async function generateForTests() {
  generateLibrary();
  try {
    generateRuntime(await bundles());
  } catch (error) {
    const message = `the runtime could not be bundled: ${error.message}`;
    write(
      "runtime.js",
      `throw new Error(${JSON.stringify(message)});\nexport const runtimeText = "", threadedRuntimeText = "", gpuRuntimeText = "";\n`,
    );
  }
}

function generateLibrary() {
  mkdirSync(folder, { recursive: true });
  write("library.js", `export const librarySources = ${JSON.stringify(readLibrary(), null, 2)};\n`);
  write("library.d.ts", "export declare const librarySources: Readonly<Record<string, string>>;\n");
}

function generateRuntime(texts) {
  const lines = (line) => Object.entries(texts).map(line).join("");
  write(
    "runtime.js",
    lines(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`),
  );
  write(
    "runtime.d.ts",
    lines(([name]) => `export declare const ${name}: string;\n`),
  );
}
