/** The repository's source files and what they refer to, for the tests that hold its structure. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "rolldown/parseAst";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export interface SourceFile {
  /** from the root of the repository, with forward slashes */
  readonly path: string;
  readonly text: string;
}

/** Every file below a folder of the repository whose name ends so. */
export function filesBelow(folder: string, ending: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(root, path).split(/[\\/]/).includes("node_modules"))
    .map((path) => ({
      path: relative(root, path).replaceAll("\\", "/"),
      text: readFileSync(path, "utf8"),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export interface Import {
  /** as written */
  readonly specifier: string;
  /** a path from the root of the repository where the specifier is relative, else undefined */
  readonly file: string | undefined;
  readonly form: "import" | "type" | "dynamic";
}

export interface References {
  readonly imports: readonly Import[];
  /** names that are used as values and declared nowhere in the file */
  readonly globals: ReadonlySet<string>;
}

interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

/** The keys of a node whose identifiers are names of members, labels or types, and no uses of a variable. */
function namesOnly(node: SyntaxNode): readonly string[] {
  switch (node.type) {
    case "MemberExpression":
      return node["computed"] === true ? [] : ["property"];
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return node["computed"] === true ? [] : ["key"];
    case "ImportSpecifier":
      return ["imported"];
    case "ExportSpecifier":
      return ["exported"];
    default:
      return ["label"];
  }
}

const declaring: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ["id"],
  FunctionDeclaration: ["id", "params"],
  FunctionExpression: ["id", "params"],
  ArrowFunctionExpression: ["params"],
  ClassDeclaration: ["id"],
  CatchClause: ["param"],
  ImportSpecifier: ["local"],
  ImportDefaultSpecifier: ["local"],
  ImportNamespaceSpecifier: ["local"],
};

export function referencesOf(source: SourceFile): References {
  const imports: Import[] = [];
  const used = new Set<string>();
  const declared = new Set<string>();

  function addImport(from: unknown, form: Import["form"]): void {
    const specifier = (from as { value?: unknown } | null)?.value;
    if (typeof specifier !== "string") return;
    const file = specifier.startsWith(".") ? posix.join(posix.dirname(source.path), specifier) : undefined;
    imports.push({ specifier, file, form });
  }

  function visit(value: unknown, declares: boolean): void {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, declares);
      return;
    }
    if (!isNode(value)) return;
    const node = value;
    if (node.type === "Identifier") {
      (declares ? declared : used).add(String(node["name"]));
      visitTypes(node["typeAnnotation"]);
      return;
    }
    if (node.type === "ImportDeclaration") {
      const specifiers = node["specifiers"] as readonly SyntaxNode[];
      const typesOnly = specifiers.length > 0 && specifiers.every((each) => each["importKind"] === "type");
      addImport(node["source"], node["importKind"] === "type" || typesOnly ? "type" : "import");
    } else if (node.type === "ExportNamedDeclaration" || node.type === "ExportAllDeclaration") {
      addImport(node["source"], node["exportKind"] === "type" ? "type" : "import");
    } else if (node.type === "ImportExpression") addImport(node["source"], "dynamic");
    else if (node.type === "TSImportType") addImport(node["source"], "type");
    if (node.type.startsWith("TS") && !/^TS(As|Satisfies|NonNull)/.test(node.type)) {
      visitTypes(node);
      return;
    }
    const skipped = namesOnly(node);
    const declaringKeys = declaring[node.type] ?? [];
    for (const [key, child] of Object.entries(node)) {
      if (skipped.includes(key)) continue;
      visit(child, declaringKeys.includes(key) || (declares && key !== "right"));
    }
  }

  /** In a type only its imports matter. */
  function visitTypes(value: unknown): void {
    if (Array.isArray(value)) for (const item of value) visitTypes(item);
    if (!isNode(value)) return;
    if (value.type === "TSImportType") addImport(value["source"], "type");
    for (const child of Object.values(value)) visitTypes(child);
  }

  visit(parseAst(source.text, { lang: "ts" }), false);
  return { imports, globals: new Set([...used].filter((name) => !declared.has(name))) };
}
