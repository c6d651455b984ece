/** Packages that `use` names: folders in node_modules whose package.json exports a .dlm file under the condition `dlm`. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { FileError, readText, shownPath } from "./files.ts";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The file behind `@dlm/vision` or `@dlm/vision/blocks`, looked for from the folder of the file `from` upwards, as
 * Node does. Undefined where no package of the name exports it.
 */
export function packageFile(specifier: string, from: string): string | undefined {
  const parts = specifier.split("/");
  const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const part = `.${specifier.slice(name.length)}`;
  if (parts.some((each) => each === "" || each === "..")) return undefined;
  for (let folder = resolve(dirname(from)); ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(join(place, "package.json"))) {
      const target = exported(manifestOf(join(place, "package.json")), part);
      const file = target === undefined ? undefined : join(place, target);
      return file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() === true
        ? shownPath(file)
        : undefined;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function manifestOf(path: string): unknown {
  try {
    return JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof FileError) throw error;
    return undefined;
  }
}

/** `exports` of a package.json: a condition of the whole package, or of its parts `.` and `./blocks`. */
function exported(manifest: unknown, part: string): string | undefined {
  const all = isRecord(manifest) ? manifest["exports"] : undefined;
  if (!isRecord(all)) return undefined;
  const conditions = Object.keys(all).some((key) => key.startsWith("."))
    ? all[part]
    : part === "."
      ? all
      : undefined;
  const target = isRecord(conditions) ? conditions["dlm"] : undefined;
  return typeof target === "string" && target.startsWith("./") && !target.split("/").includes("..")
    ? target
    : undefined;
}
