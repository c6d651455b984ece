/** Who may import whom, and who may touch the world: the sentences of the architecture, read from the imports. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow, type Import, referencesOf, root, type SourceFile } from "./source-files.ts";

const sources = ["grammar", "compiler", "runtime", "src"].flatMap((folder) => filesBelow(folder, ".ts"));
const read = new Map(sources.map((source) => [source, referencesOf(source)]));

const inFolder = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The layer of a file: the most particular of these folders that holds it. */
const layers = [
  "grammar",
  "compiler/backends",
  "compiler/check",
  "compiler/ir",
  "compiler/library",
  "compiler/lower",
  "compiler/ops",
  "compiler/passes",
  "compiler/reference",
  "compiler",
  "runtime",
  "src",
] as const;
type Layer = (typeof layers)[number];

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => inFolder(path, layer));
}

/** What the files of a layer may import besides files of their own layer: folders, or single files. */
const mayImport: Readonly<Record<Layer, readonly string[]>> = {
  grammar: [],
  "compiler/ir": ["grammar"],
  "compiler/ops": ["grammar", "compiler/ir"],
  "compiler/check": ["grammar", "compiler/ir", "compiler/ops", "compiler/library"],
  "compiler/passes": ["grammar", "compiler/ir", "compiler/ops"],
  "compiler/library": [],
  "compiler/lower": ["grammar", "compiler/ir"],
  "compiler/backends": ["grammar", "compiler/ir", "compiler/lower/program.ts", "runtime/artifact.ts"],
  "compiler/reference": ["grammar", "compiler/ir", "compiler/ops", "compiler/lower/program.ts"],
  compiler: ["grammar", "compiler", "runtime/artifact.ts"],
  runtime: [],
  src: ["grammar", "compiler", "runtime"],
};

const sentences: Readonly<Record<Layer, string>> = {
  grammar: "grammar imports nothing of ours",
  "compiler/ir": "compiler/ir imports grammar alone",
  "compiler/ops": "ops import ir, never a pass or a backend",
  "compiler/check": "check imports ops, ir and the library",
  "compiler/passes": "passes import ops and ir",
  "compiler/library": "the library is text and imports nothing of ours",
  "compiler/lower": "lower imports ir, and no op",
  "compiler/backends": "backends import ir and lower/program, and no op",
  "compiler/reference": "reference imports ops, ir and lower/program",
  compiler: "compiler imports grammar and runtime/artifact.ts alone",
  runtime: "runtime imports nothing of ours",
  src: "src imports grammar, compiler and runtime",
};

const dependencies = Object.keys(
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: Record<string, string> })
    .dependencies,
);

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Why an import of a package, of Node or of a generated module is not allowed; undefined where it is. */
function objection(path: string, { specifier, form }: Import): string | undefined {
  const name = packageOf(specifier);
  if (specifier === "#generated/library") {
    return inFolder(path, "compiler/library")
      ? undefined
      : "only compiler/library reads the generated library";
  }
  if (specifier === "#generated/runtime") {
    return inFolder(path, "src/emit") ? undefined : "only src/emit embeds the runtime";
  }
  if (specifier.startsWith("node:")) return inFolder(path, "src") ? undefined : "only src touches Node";
  if (inFolder(path, "runtime")) return "runtime imports no package";
  if (name === "binaryen") {
    if (!inFolder(path, "compiler/backends/wasm")) return "only compiler/backends/wasm imports binaryen";
    return form === "import"
      ? 'binaryen is loaded by await import("binaryen"), so that nothing else pays for it'
      : undefined;
  }
  if (name === "chevrotain" || name === "prettier") {
    if (!inFolder(path, "grammar")) return `only grammar imports ${name}`;
    return name === "prettier" && specifier !== "prettier/doc" && form !== "type"
      ? "only prettier's document printer is used"
      : undefined;
  }
  if (!inFolder(path, "src")) return "grammar and compiler import no other package";
  return dependencies.includes(name) ? undefined : `${name} is not among the dependencies of package.json`;
}

/** Names of the world outside: process, console, files, network, page. */
const outside = [
  "process",
  "console",
  "fetch",
  "require",
  "Buffer",
  "globalThis",
  "window",
  "document",
  "navigator",
  "localStorage",
  "XMLHttpRequest",
  "WebSocket",
  "Worker",
  "__dirname",
  "__filename",
];

function findings(check: (source: SourceFile, found: (text: string) => void) => void): string[] {
  const list: string[] = [];
  for (const source of sources) check(source, (text) => list.push(`${source.path}: ${text}`));
  return list;
}

describe("layers", () => {
  test("all four parts are read", () => {
    for (const part of ["grammar", "compiler", "runtime", "src"]) {
      expect(sources.filter((source) => inFolder(source.path, part)).length, part).toBeGreaterThan(0);
    }
  });

  test("imports follow the direction src -> compiler -> grammar, and the directions inside the compiler", () => {
    const wrong = findings((source, found) => {
      const layer = layerOf(source.path);
      if (layer === undefined) return;
      for (const { file, specifier } of read.get(source)?.imports ?? []) {
        if (file === undefined) continue;
        const target = layerOf(file);
        const allowed = target === layer || mayImport[layer].some((folder) => inFolder(file, folder));
        if (!allowed) found(`imports ${file}, but ${sentences[layer]}`);
        if (!specifier.endsWith(".ts")) found(`imports "${specifier}" without its ending .ts`);
      }
    });
    expect(wrong).toEqual([]);
  });

  test("packages and Node are imported where they belong", () => {
    const wrong = findings((source, found) => {
      for (const each of read.get(source)?.imports ?? []) {
        if (each.file !== undefined) continue;
        const reason = objection(source.path, each);
        if (reason !== undefined) found(`imports "${each.specifier}", but ${reason}`);
      }
    });
    expect(wrong).toEqual([]);
  });

  test("only src, and runtime/platform.ts, touch process, console, files and network", () => {
    const wrong = findings((source, found) => {
      if (inFolder(source.path, "src") || source.path === "runtime/platform.ts") return;
      const { globals } = read.get(source) ?? { globals: new Set<string>() };
      for (const name of outside) {
        if (globals.has(name))
          found(`uses ${name}; I/O belongs in src, or for the runtime in runtime/platform.ts`);
      }
    });
    expect(wrong).toEqual([]);
  });

  test("the training loop does no I/O", () => {
    const wrong = findings((source, found) => {
      if (!["src/train/loop.ts", "src/train/counters.ts"].includes(source.path)) return;
      const { imports, globals } = read.get(source) ?? { imports: [], globals: new Set<string>() };
      for (const { specifier } of imports) if (specifier.startsWith("node:")) found(`imports "${specifier}"`);
      for (const name of outside) if (globals.has(name)) found(`uses ${name}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe("the reader of imports", () => {
  const referencesIn = (text: string) => referencesOf({ path: "compiler/ops/made-up.ts", text });

  test("sees every form of import", () => {
    const { imports } = referencesIn(
      `import type { A } from "../a.ts"; import { type B } from "./b.ts"; import c from "c"; import "./d.ts";
       export * from "./e.ts"; export { f } from "./f.ts"; const g = await import("g"); type H = import("./h.ts").H;
       function i(x: import("./i.ts").I): void { c(g, x); }`,
    );
    expect(imports.map(({ specifier, file, form }) => `${form} ${file ?? specifier}`)).toEqual([
      "type compiler/a.ts",
      "type compiler/ops/b.ts",
      "import c",
      "import compiler/ops/d.ts",
      "import compiler/ops/e.ts",
      "import compiler/ops/f.ts",
      "dynamic g",
      "type compiler/ops/h.ts",
      "type compiler/ops/i.ts",
    ]);
  });

  test("tells a global from a member, a key, a parameter and a type", () => {
    const { globals } = referencesIn(
      `const a = { process: 1, fetch() { return 2; } }; a.process; function f(console: number) { return console; }
       let w: Worker | undefined; const { document = navigator } = a as never; window?.x; f(a[require]);`,
    );
    expect(outside.filter((name) => globals.has(name))).toEqual(["require", "window", "navigator"]);
  });
});
